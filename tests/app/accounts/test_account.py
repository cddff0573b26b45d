"""One's own account: the password, and where one is signed in."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.applications import Starlette

from hero_admin.accounts.sessions import UserSession
from hero_admin.accounts.throttle import FailedAttempts
from hero_admin.accounts.users import User
from hero_admin.audit_log.events import StoredEvent
from hero_admin.person import Role
from hero_admin.settings import Settings
from hero_admin.testing import Client, Page
from hero_admin.web.user_agents import device_of
from tests.factories import committed
from tests.serving import client_of, serving
from tests.signing_in import a_user
from tests.stored import Stored
from webapp.app import admin

OLD, NEW = "correct horse battery", "another horse battery"
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


async def sign_in(client: Client, password: str) -> Page:
    data = {"account.name": "Ann", "account.password": password}
    return await client.post("/sign-in", data=data)


@pytest.fixture
async def ann(app: Starlette, client: Client, session: AsyncSession) -> AsyncIterator[Client]:
    """A client of an editor who signed in with a password."""
    await committed(session, a_user("Ann", Role.EDITOR, QUICK.hash(OLD)))
    async with client_of(app) as other:
        assert (await sign_in(other, OLD)).status_code == 303
        yield other


async def changed(client: Client, current: str = OLD, new: str = NEW) -> Page:
    form = (await client.get("/account/password")).form()
    return await client.submit(form, current=current, new=new)


async def test_ones_own_page_is_behind_ones_name(ann: Client) -> None:
    page = await ann.get((await ann.get("/heroes")).link("Ann Editor"))
    assert (page.status_code, page.heading) == (200, "Ann")
    assert page.facts["Role"] == "Editor"


async def test_a_new_password_signs_out_everywhere_else_and_goes_on_here(
    app: Starlette, ann: Client
) -> None:
    before = ann.cookies["session"]
    async with client_of(app) as elsewhere, client_of(app) as copy:
        await sign_in(elsewhere, OLD)
        copy.cookies.set("session", before)
        saved = await changed(ann)
        assert (saved.status_code, saved.headers["location"]) == (303, "/account")
        page = await ann.follow(saved)
        assert page.flash == "Changed your password You were signed out on all other devices."
        assert ann.cookies["session"] != before
        assert (await elsewhere.get("/heroes")).status_code == 303
        assert (await copy.get("/heroes")).status_code == 303
        assert (await sign_in(elsewhere, OLD)).status_code == 422
        assert (await sign_in(elsewhere, NEW)).status_code == 303


async def test_the_current_password_is_needed(ann: Client, stored: Stored) -> None:
    before = [each.password_hash for each in await stored.all(User)]
    again = await changed(ann, current="wrong horse battery")
    assert again.status_code == 422
    assert again.error("Current password") == "Wrong password."
    assert [each.password_hash for each in await stored.all(User)] == before
    assert (await ann.get("/heroes")).status_code == 200


async def test_attempts_at_the_current_password_are_delayed_as_at_the_sign_in(
    ann: Client, stored: Stored
) -> None:
    answers = [await changed(ann, current=f"wrong {number}") for number in range(5)]
    assert [answer.status_code for answer in answers] == [422, 422, 422, 422, 429]
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert "try again" in answers[-1].error("Current password")
    assert (await changed(ann)).status_code == 429
    assert max(each.count for each in await stored.all(FailedAttempts)) == 5
    # Those that were checked are told of.
    failed = [each for each in await stored.all(StoredEvent) if each.kind != "signed_in"]
    assert [(each.kind, each.by_name) for each in failed] == [("identity_not_confirmed", "Ann")] * 5
    # The session itself goes on.
    assert (await ann.get("/heroes")).status_code == 200


@pytest.mark.parametrize(
    ("new", "sentence"),
    [
        ("short", "Use at least 12 characters."),
        ("x" * 1025, "Use at most 1024 bytes."),
        ("qwerty123456", "This is too close to a common password. Choose another one."),
        ("heroADMIN_2026", "Don't use your name or the name of this site."),
        (OLD, "This is the current password. Choose another one."),
    ],
)
async def test_an_invalid_new_password_is_said_beside_it_and_counts_as_no_attempt(
    ann: Client, stored: Stored, new: str, sentence: str
) -> None:
    again = await changed(ann, new=new)
    assert (again.status_code, again.error("New password")) == (422, sentence)
    assert again.field("New password").value == again.field("Current password").value == ""
    assert await stored.count(FailedAttempts) <= 1


async def test_who_has_no_password_yet_cannot_change_it(client: Client) -> None:
    again = await changed(client)
    assert again.error("Current password") == "Wrong password."


# Sessions


async def test_ones_sessions_say_where_and_which_one_this_is(app: Starlette, ann: Client) -> None:
    async with client_of(app, address="192.0.2.7") as phone:
        phone.headers["User-Agent"] = FIREFOX
        await sign_in(phone, OLD)
    (listed,) = (await ann.get("/account")).find_all("ul", {"aria-label": "Sessions"})
    lines = [each.visible_text for each in listed.find_all("li")]
    assert len(lines) == 2
    (this,) = [line for line in lines if "this device" in line]
    (other,) = [line for line in lines if line != this]
    assert "127.0.0.1" in this
    assert other.startswith("Firefox on Linux 192.0.2.7 · since")


async def test_one_session_or_all_others_are_ended(app: Starlette, ann: Client) -> None:
    async with client_of(app) as first, client_of(app) as second, client_of(app) as third:
        for number, each in enumerate((first, second, third)):
            each.headers["User-Agent"] = f"device {number}"
            await sign_in(each, OLD)
        page = await ann.get("/account")
        press = "Sign out device 0, 127.0.0.1"
        ended = await ann.submit(page.form(press=press))
        assert (await ann.follow(ended)).flash == "Signed out 1 session"
        answers = [(await each.get("/heroes")).status_code for each in (first, second, third)]
        assert answers == [303, 200, 200]
        ended = await ann.submit(page.form(press="Sign out everywhere else"))
        assert (await ann.follow(ended)).flash == "Signed out 2 sessions"
        answers = [(await each.get("/heroes")).status_code for each in (first, second, third, ann)]
        assert answers == [303, 303, 303, 200]


async def test_a_session_of_somebody_else_is_not_ended(
    ann: Client, client: Client, stored: Stored
) -> None:
    (other,) = [each for each in await stored.all(UserSession) if each.user_id == 1]
    ended = await ann.post("/account/sessions/end", data={"session": other.digest})
    assert (await ann.follow(ended)).flash == "This session has already ended."
    assert (await client.get("/heroes")).status_code == 200


async def test_a_session_that_is_over_is_not_listed(
    ann: Client, session: AsyncSession, client: Client
) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=1)
    stale = update(UserSession).where(UserSession.user_id == 2).values(seen_at=long_ago)  # type: ignore[arg-type]
    await session.execute(stale)
    await session.commit()
    assert "No active sessions." in (await client.get("/people/2")).visible_text


@pytest.mark.parametrize(
    ("user_agent", "device"),
    [
        (FIREFOX, "Firefox on Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1",
            "Safari on iPhone",
        ),
        ("curl/8.9", "curl/8.9"),
        ("", "Unknown device"),
    ],
)
def test_a_browser_is_called_what_people_call_it(user_agent: str, device: str) -> None:
    assert device_of(user_agent) == device


async def test_where_nobody_signs_in_nobody_has_an_account(settings: Settings) -> None:
    app = admin.application(settings.model_copy(update={"auth": "off"}))
    async with serving(app) as client:
        for path in ("/account", "/account/password", "/account/tokens/new"):
            assert (await client.get(path)).status_code == 404
        for path in ("password", "tokens", "sessions/end"):
            assert (await client.post(f"/account/{path}")).status_code in {404, 422}
        assert (await client.get("/people")).status_code == 200
