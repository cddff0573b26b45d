"""Login attempts: a password cannot be tried out, and nobody is shut out by who tries."""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.applications import Starlette

from hero_admin.accounts.passwords import Passwords
from hero_admin.accounts.throttle import FailedAttempts, claim_attempt, subjects_of
from hero_admin.accounts.users import User
from hero_admin.database.engines import Database
from hero_admin.testing import Client, Page
from tests.cases import each
from tests.factories import committed
from tests.serving import client_of
from tests.signing_in import a_user
from tests.stored import Stored

PASSWORD = "correct horse battery"
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture(autouse=True)
async def ann(session: AsyncSession) -> User:
    return await committed(session, a_user("Ann", password_hash=QUICK.hash(PASSWORD)))


async def attempt(client: Client, password: str = "wrong", name: str = "Ann") -> Page:
    return await client.post("/sign-in", data={"account.name": name, "account.password": password})


async def wait_out(session: AsyncSession) -> None:
    """Let the time pass that has to be waited."""
    past = datetime.now(UTC) - timedelta(seconds=1)
    await session.execute(update(FailedAttempts).values(blocked_until=past))
    await session.commit()


async def test_from_the_fifth_wrong_password_on_one_has_to_wait(anonymous: Client) -> None:
    answers = [await attempt(anonymous) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [422, 422, 422, 422, 429]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    assert "try again" in answers[-1].alert


@pytest.mark.parametrize("field", ["name", "password"])
async def test_what_takes_long_to_compare_is_not_compared(anonymous: Client, field: str) -> None:
    marks = "a" + "\u0300\u0327" * 5_000
    answer = await attempt(anonymous, **{field: marks})
    assert answer.status_code == 422


async def test_the_log_names_the_account_and_not_what_was_typed(
    anonymous: Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="hero_admin.accounts"):
        await attempt(anonymous, name="ANN")
        # In the wrong box, as it happens to everybody.
        await attempt(anonymous, name=PASSWORD)
    lines = [record.getMessage() for record in caplog.records]
    assert [line.split(" ")[:2] for line in lines] == [
        ["event=sign_in_failed", "user=Ann"],
        ["event=sign_in_failed", 'user=""'],
    ]
    assert PASSWORD not in caplog.text


async def test_until_then_not_even_the_right_password_is_looked_at(
    anonymous: Client, session: AsyncSession
) -> None:
    for _ in range(5):
        await attempt(anonymous)
    assert (await attempt(anonymous, PASSWORD)).status_code == 429
    await wait_out(session)
    assert (await attempt(anonymous, PASSWORD)).status_code == 303


async def test_the_wait_doubles_up_to_a_minute_for_an_account(database: Database) -> None:
    waits = await waits_of(database, 12, lambda number: ("Ann", f"192.0.2.{number}"))
    assert waits == [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60]


async def test_the_wait_doubles_up_to_a_quarter_of_an_hour_for_an_address(
    database: Database,
) -> None:
    waits = await waits_of(database, 17, lambda number: (f"Name {number}", "192.0.2.1"))
    assert waits[4:] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]


async def test_one_network_of_the_new_kind_is_one_address(database: Database) -> None:
    waits = await waits_of(
        database, 5, lambda number: (f"Name {number}", f"2001:db8:1:2::{number}")
    )
    assert waits == [0, 0, 0, 0, 1]


async def test_a_neighbour_is_one_address_however_the_way_to_it_is_called(
    database: Database,
) -> None:
    waits = await waits_of(
        database, 5, lambda number: (f"Name {number}", f"fe80::{number}%eth{number}")
    )
    assert waits == [0, 0, 0, 0, 1]


async def test_a_hundred_attempts_at_once_count_as_a_hundred(
    app: Starlette,
    client: Client,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # After so many the next one has to wait for minutes.
    await waits_of(database, 12, lambda number: (f"Name {number}", "127.0.0.1"))
    looked_at = []
    verify = Passwords.verify

    async def verify_and_note(
        passwords: Passwords, password_hash: str | None, password: str
    ) -> bool:
        looked_at.append(password)
        return await verify(passwords, password_hash, password)

    monkeypatch.setattr(Passwords, "verify", verify_and_note)
    async with client_of(app) as other:
        answers = await asyncio.gather(*(attempt(other, f"attempt {n}") for n in range(100)))
    assert {answer.status_code for answer in answers} <= {422, 429, 503}
    assert len(looked_at) == 1


async def test_an_open_session_of_the_victim_goes_on(client: Client, anonymous: Client) -> None:
    for _ in range(6):
        await attempt(anonymous, name="Olive Owner")
    assert (await client.get("/heroes")).status_code == 200


async def test_a_right_password_forgets_the_wrong_ones(anonymous: Client, stored: Stored) -> None:
    for _ in range(4):
        await attempt(anonymous)
    assert (await attempt(anonymous, PASSWORD)).status_code == 303
    # The address still has its four.
    assert [each.count for each in await stored.all(FailedAttempts)] == [4]


async def test_people_who_sign_in_from_one_address_do_not_stand_in_each_others_way(
    app: Starlette, client: Client
) -> None:
    for _ in range(7):
        async with client_of(app) as other:
            assert (await attempt(other, PASSWORD)).status_code == 303


async def test_an_account_of_ones_own_does_not_help_to_attack_another(
    anonymous: Client, session: AsyncSession, stored: Stored
) -> None:
    await committed(session, a_user("Mallory", password_hash=QUICK.hash(PASSWORD)))
    for _ in range(5):
        await attempt(anonymous)
        await wait_out(session)
        assert (await attempt(anonymous, PASSWORD, "Mallory")).status_code == 303
    assert max(each.count for each in await stored.all(FailedAttempts)) == 5


async def test_attempts_are_forgotten_after_a_day(
    anonymous: Client, session: AsyncSession, stored: Stored
) -> None:
    for _ in range(4):
        await attempt(anonymous, name="Bob")
    long_ago = datetime.now(UTC) - timedelta(days=2)
    await session.execute(update(FailedAttempts).values(last_at=long_ago))
    await session.commit()
    assert (await attempt(anonymous)).status_code == 422
    # What was attempted at Bob's is gone as well, though nobody has been right since.
    assert [each.count for each in await stored.all(FailedAttempts)] == [1, 1]
    assert (await attempt(anonymous, PASSWORD)).status_code == 303
    assert [each.count for each in await stored.all(FailedAttempts)] == [1]


# Nobody is locked out


async def be_attacked(
    database: Database, name: str, count: int, start: datetime, seconds: int
) -> datetime:
    """Let so many addresses attempt at a name as often as they may; return the end of that."""
    due = dict.fromkeys(range(count), start)
    while (now := min(due.values())) < start + timedelta(seconds=seconds):
        number = min(due, key=lambda each: due[each])
        wait = (await tried(database, name, f"198.51.{number // 250}.{number % 250}", now))[1]
        due[number] = now + timedelta(seconds=max(1, wait))
    return now


async def tried(database: Database, name: str, address: str, now: datetime) -> tuple[bool, int]:
    async with database.session(is_read_only=False) as session:
        attempt = await claim_attempt(session, subjects_of("", name, address), now)
        await session.commit()
    return attempt.is_allowed, attempt.wait_seconds


@pytest.mark.parametrize("count", [3, 60])
async def test_however_many_attack_whoever_comes_from_elsewhere_waits_for_a_minute_at_most(
    database: Database, count: int
) -> None:
    now = datetime.now(UTC)
    for number, seconds in enumerate((30, 90, 200)):
        now = await be_attacked(database, "Ann", count, now, seconds)
        address = f"203.0.113.{number}"
        is_allowed, wait = await tried(database, "Ann", address, now)
        if not is_allowed:
            assert 0 < wait <= 60
            # They go on attacking until then, and take every turn that there is.
            end = await be_attacked(database, "Ann", count, now, wait)
            now = max(end, now + timedelta(seconds=wait))
            is_allowed, _ = await tried(database, "Ann", address, now)
        assert is_allowed


async def block_all(session: AsyncSession) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    await session.execute(update(FailedAttempts).values(blocked_until=later))
    await session.commit()


async def test_a_browser_that_has_signed_in_before_waits_for_nobody(
    app: Starlette, client: Client, session: AsyncSession
) -> None:
    async with client_of(app) as known, client_of(app) as other:
        entered = await attempt(known, PASSWORD)
        assert entered.status_code == 303
        (cookie,) = [
            each for each in entered.headers.get_list("set-cookie") if each.startswith("device=")
        ]
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        # Its address is that of whoever attempts.
        await attempt(other)
        await block_all(session)
        assert (await attempt(other, PASSWORD)).status_code == 429
        assert (await attempt(known, PASSWORD)).status_code == 303
        # It does not attempt without end either, and knows no other account.
        answers = [await attempt(known) for _ in range(5)]
        assert [answer.status_code for answer in answers] == [422, 422, 422, 422, 429]
        assert (await attempt(known, PASSWORD)).status_code == 429
        assert (await attempt(known, name="Olive Owner")).status_code == 429


@each("value", ["", ".", "x", "x.y", "x." + "0" * 64, "ü.ü", "." + "0" * 64])
async def test_a_forged_browser_is_none(
    anonymous: Client, session: AsyncSession, value: str
) -> None:
    await attempt(anonymous)
    await block_all(session)
    given = {"account.name": "Ann", "account.password": PASSWORD}
    headers = {b"Cookie": f"device={value}".encode()}
    refused = await anonymous.post("/sign-in", data=given, headers=headers)
    assert refused.status_code == 429


async def test_who_is_blocked_writes_nothing_and_what_is_refused_counts(
    anonymous: Client, session: AsyncSession, database: Database, stored: Stored
) -> None:
    # Another address has blocked the account, so that nothing of this one is looked at.
    await tried(database, "Ann", "198.51.100.1", datetime.now(UTC))
    await block_all(session)
    before = await stored.count(FailedAttempts)
    answers = [await attempt(anonymous, PASSWORD) for _ in range(5)]
    assert {answer.status_code for answer in answers} == {429}
    rows = await stored.all(FailedAttempts)
    # The address and its turn.
    assert (len(rows) - before, max(each.count for each in rows)) == (2, 5)
    await block_all(session)
    rows = await stored.all(FailedAttempts)
    for number in range(20):
        assert (await attempt(anonymous, name=f"Name {number}")).status_code == 429
    assert await stored.all(FailedAttempts) == rows


async def waits_of(
    database: Database, count: int, of: Callable[[int], tuple[str, str]]
) -> list[int]:
    """How long one waits after each of so many attempts, at which name and from where."""
    waits = []
    for number in range(count):
        async with database.session(is_read_only=False) as session:
            subjects = subjects_of("", *of(number))
            attempt = await claim_attempt(session, subjects, datetime.now(UTC))
            assert attempt.is_allowed
            await session.commit()
            await wait_out(session)
            waits.append(attempt.wait_seconds)
    return waits
