"""The second factor: an authenticator app or a recovery code after the password."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col
from starlette.applications import Starlette

from hero_admin.accounts.second_factor import authenticator, pending_step
from hero_admin.accounts.second_factor.authenticator import Authenticator
from hero_admin.accounts.second_factor.recovery_codes import RecoveryCode
from hero_admin.accounts.sessions import UserSession
from hero_admin.accounts.throttle import FailedAttempts
from hero_admin.accounts.users import User
from hero_admin.audit_log.changes import Change
from hero_admin.audit_log.events import StoredEvent
from hero_admin.person import Role
from hero_admin.settings import Settings
from hero_admin.testing import Client, htmx_headers
from tests.cases import on_one_database
from tests.factories import a_hero, committed
from tests.second_factor import (
    PASSWORD,
    QUICK,
    SET_UP,
    App,
    codes_on,
    enter_code,
    enter_password,
    set_up,
)
from tests.serving import client_of, serving
from tests.signing_in import a_user
from tests.stored import Stored
from webapp.app import admin
from webapp.heroes import Hero

WRONG = "Wrong code."


@pytest.fixture(autouse=True)
def half_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one in which all of a test happens."""
    monkeypatch.setattr(authenticator, "present_step", lambda: 60_000_000)


@pytest.fixture
async def ann(app: Starlette, client: Client, session: AsyncSession) -> AsyncIterator[Client]:
    """A client of an editor who signed in with a password."""
    await committed(session, a_user("Ann", Role.EDITOR, QUICK.hash(PASSWORD)))
    async with client_of(app) as other:
        assert (await enter_password(other)).status_code == 303
        yield other


@pytest.fixture
async def other(app: Starlette, ann: Client) -> AsyncIterator[Client]:
    """Another browser."""
    async with client_of(app) as client:
        yield client


async def test_after_the_password_a_code_leads_to_the_page_that_was_asked_for(
    ann: Client, other: Client
) -> None:
    phone, _ = await set_up(ann)
    asked = await enter_password(other, to="/teams")
    assert (asked.status_code, asked.heading) == (200, "Enter a code")
    assert "session" not in other.cookies
    assert (await other.get("/heroes")).status_code == 303
    wrong = await enter_code(other, asked, "123456" if phone.code() != "123456" else "654321")
    assert (wrong.status_code, wrong.alert) == (422, WRONG)
    assert wrong.field("Code").value == ""
    entered = await enter_code(other, wrong, phone.code())
    assert (entered.status_code, entered.headers["location"]) == (303, "/teams")
    assert (await other.get("/heroes")).status_code == 200
    assert "step" not in other.cookies


async def test_a_clock_may_be_half_a_minute_wrong_and_each_code_works_once(
    ann: Client, other: Client
) -> None:
    phone, _ = await set_up(ann)
    # The one that set it up, and those of a clock that is a minute wrong.
    for steps in (-1, -3, 3):
        refused = await enter_code(other, await enter_password(other), phone.code(steps))
        assert (refused.status_code, refused.alert) == (422, WRONG), steps
    code = phone.code(1)
    spaced = f"{code[:3]} {code[3:]}"
    assert (await enter_code(other, await enter_password(other), spaced)).status_code == 303
    again = await enter_code(other, await enter_password(other), code)
    assert (again.status_code, again.alert) == (422, WRONG)


async def test_a_hash_of_weaker_times_is_made_anew_before_the_code(
    ann: Client, other: Client, session: AsyncSession, stored: Stored
) -> None:
    phone, _ = await set_up(ann)
    for steps, headers in enumerate(({}, htmx_headers("section#sign_in"))):
        weak = QUICK.hash(PASSWORD)
        is_ann = col(User.name) == "Ann"
        await session.execute(update(User).where(is_ann).values(password_hash=weak))
        await session.commit()
        given = {"account.name": "Ann", "account.password": PASSWORD}
        asked = await other.post("/sign-in", data=given, headers=headers)
        assert weak not in {each.password_hash for each in await stored.all(User)}
        entered = await enter_code(other, asked, phone.code(steps))
        assert entered.status_code == 303


async def test_one_code_signs_in_one_of_two_at_once(
    app: Starlette, ann: Client, other: Client
) -> None:
    phone, _ = await set_up(ann)
    async with client_of(app) as third:
        pages = [await enter_password(each) for each in (other, third)]
        code = phone.code()
        answers = await asyncio.gather(
            *(
                enter_code(each, page, code)
                for each, page in zip((other, third), pages, strict=True)
            )
        )
    assert sorted(each.status_code for each in answers) == [303, 422]


async def test_each_recovery_code_works_once_and_new_ones_replace_them(
    ann: Client, other: Client, stored: Stored
) -> None:
    _, codes = await set_up(ann)
    assert len(set(codes)) == 10
    plain = [code.replace(" ", "") for code in codes]
    kept = str(await stored.all(RecoveryCode))
    assert not any(code in kept for code in (*codes, *plain))
    assert (await enter_code(other, await enter_password(other), codes[0])).status_code == 303
    for code in (codes[0], plain[0]):
        again = await enter_code(other, await enter_password(other), code)
        assert (again.status_code, again.alert) == (422, WRONG)
    entered = await enter_code(other, await enter_password(other), plain[1])
    page = await other.follow(entered)
    assert page.flash == "Signed in You used a recovery code; 8 left."
    assert "8 left" in (await ann.get("/account")).visible_text
    shown = await ann.submit((await ann.get("/account/second-factor/codes")).form())
    assert shown.headers["cache-control"] == "no-store"
    new = codes_on(shown)
    assert len(set(new) - set(codes)) == 10
    refused = await enter_code(other, await enter_password(other), codes[2])
    assert refused.status_code == 422
    assert (await enter_code(other, await enter_password(other), new[0])).status_code == 303


async def test_a_recovery_code_is_only_its_owners(
    ann: Client, other: Client, session: AsyncSession, app: Starlette
) -> None:
    await set_up(ann)
    await committed(session, a_user("Bob", Role.OWNER, QUICK.hash(PASSWORD)))
    async with client_of(app) as bob:
        await enter_password(bob, "Bob")
        _, codes = await set_up(bob)
    assert (await enter_code(other, await enter_password(other), codes[0])).alert == WRONG


async def test_codes_are_delayed_from_any_address_but_not_in_a_known_browser(
    app: Starlette, ann: Client, stored: Stored, session: AsyncSession
) -> None:
    phone, _ = await set_up(ann)
    answers = []
    for number in range(3):
        async with client_of(app, address=f"192.0.2.{number}") as each:
            page = await enter_password(each)
            answers += [await enter_code(each, page, code) for code in ("1", "2")]
    assert [each.status_code for each in answers] == [422, 422, 422, 422, 429, 429]
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert "Too many attempts." in answers[-1].alert
    # Far beyond the delay of a password.
    blocked = [each.blocked_until for each in await stored.all(FailedAttempts) if each.count >= 5]
    assert len(blocked) == 1
    hour = datetime.now(UTC) + timedelta(hours=1)
    blocking = update(FailedAttempts).where(FailedAttempts.count >= 5)  # type: ignore[arg-type]
    await session.execute(blocking.values(blocked_until=hour))
    await session.commit()
    await session.execute(delete(FailedAttempts).where(FailedAttempts.count < 5))  # type: ignore[arg-type]
    await session.commit()
    async with client_of(app, address="192.0.2.99") as each:
        refused = await enter_code(each, await enter_password(each), phone.code())
        assert refused.status_code == 429
    await ann.post("/sign-out")
    assert (await enter_code(ann, await enter_password(ann), phone.code())).status_code == 303


async def test_the_second_step_belongs_to_a_browser_and_a_password_and_expires(
    ann: Client, other: Client, app: Starlette, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone, _ = await set_up(ann)
    asked = await enter_password(other)
    expired = "This took too long. Sign in again."
    async with client_of(app) as third:
        answer = await enter_code(third, asked, phone.code())
        assert (answer.status_code, answer.alert) == (422, expired)
        assert answer.field("Password").value == ""
        for forged in ("1.9999999999.x.y", "2.9999999999.x.", "....", "x", "9" * 400):
            third.cookies.set("step", forged, domain="localhost.local")
            assert (await enter_code(third, asked, phone.code())).alert == expired
    form = (await ann.get("/account/password")).form()
    saved = await ann.submit(form, current=PASSWORD, new="another horse battery")
    assert saved.status_code == 303
    assert (await enter_code(other, asked, phone.code())).alert == expired
    # The same step, but eleven minutes old.
    monkeypatch.setattr(pending_step, "SECONDS", -60)
    given = {"account.name": "Ann", "account.password": "another horse battery"}
    asked = await other.post("/sign-in", data=given)
    assert asked.heading == "Enter a code"
    assert (await enter_code(other, asked, phone.code())).alert == expired


async def test_a_disabled_account_ends_the_second_step(
    ann: Client, other: Client, client: Client
) -> None:
    phone, _ = await set_up(ann)
    asked = await enter_password(other)
    await client.post("/people/2/disable")
    assert (await enter_code(other, asked, phone.code())).status_code == 422
    assert (await other.get("/heroes")).status_code == 303


async def test_a_wrong_password_says_nothing_about_the_second_factor(
    ann: Client, other: Client
) -> None:
    await set_up(ann)
    given = {"account.name": "Ann", "account.password": "wrong horse battery"}
    answers = [
        await other.post("/sign-in", data={**given, "account.name": name})
        for name in ("Ann", "Nobody")
    ]
    assert {(each.status_code, each.alert) for each in answers} == {
        (422, "Invalid name or password.")
    }
    texts = [each.text.replace("Ann", "X").replace("Nobody", "X") for each in answers]
    assert texts[0] == texts[1]
    assert all("set-cookie" not in each.headers for each in answers)


async def test_what_was_typed_when_the_session_ended_is_saved_after_both_steps(
    ann: Client, session: AsyncSession, stored: Stored
) -> None:
    phone, _ = await set_up(ann)
    hero = await a_hero(session, name="Nova")
    form = (await ann.get(f"/heroes/{hero.id}/edit")).form()
    ann.cookies.delete("session")
    asked = await ann.submit(form, {"name": "Supernova"})
    assert asked.status_code == 401
    asked = await ann.submit(asked.form(), {"account.name": "Ann", "account.password": PASSWORD})
    assert asked.heading == "Enter a code"
    sent = await enter_code(ann, await enter_code(ann, asked, "1"), phone.code())
    assert (sent.status_code, sent.headers["location"]) == (307, f"/heroes/{hero.id}")
    request = sent.response.request
    headers = {"Content-Type": request.headers["content-type"], "Sec-Fetch-Site": "same-origin"}
    saved = await ann.post(f"/heroes/{hero.id}", content=request.content, headers=headers)
    assert saved.status_code == 303
    found = await stored.get(Hero, hero.id)
    assert found is not None
    assert found.name == "Supernova"


@on_one_database
async def test_in_the_dialog_of_a_page_the_second_step_is_no_success_yet(
    ann: Client, other: Client
) -> None:
    phone, _ = await set_up(ann)
    given = {"account.name": "Ann", "account.password": PASSWORD}
    headers = htmx_headers("section#sign_in")
    asked = await other.post("/sign-in", data=given, headers=headers)
    assert asked.status_code == 401
    entered = await other.submit(asked.form(), {"account.code": phone.code()}, headers=headers)
    assert entered.status_code == 200
    assert (await other.get("/heroes")).status_code == 200


async def test_a_reset_link_does_not_pass_by_the_second_factor(
    ann: Client, other: Client, client: Client
) -> None:
    phone, _ = await set_up(ann)
    shown = await client.submit((await client.get("/people/2")).form(press="New password link"))
    page = await other.get(str(shown.field("Link").value))
    asked = await other.submit(page.form(), {"account.password": "another horse battery"})
    assert asked.heading == "Enter a code"
    assert (await other.get("/heroes")).status_code == 303
    assert (await enter_code(other, asked, phone.code())).status_code == 303
    assert (await other.get("/heroes")).status_code == 200


# Setting it up


async def test_the_set_up_shows_the_same_secret_as_a_picture_and_as_text(ann: Client) -> None:
    page = await ann.get(SET_UP)
    assert page.headers["cache-control"] == "no-store"
    key = str(page.field("Or type this key into the app").value)
    wrong = await ann.submit(page.form(), code="12")
    assert wrong.status_code == 422
    assert wrong.error("Code").startswith("Wrong code.")
    # What was scanned goes on being right.
    assert wrong.field("Or type this key into the app").value == key
    assert "<svg" in wrong.text
    assert " style=" not in wrong.text
    assert (await ann.get("/account")).visible_text.count("Authenticator app off") == 1
    shown = await ann.submit(wrong.form(), code=App(key).code())
    assert len(codes_on(shown)) == 10
    assert (await ann.get("/account")).visible_text.count("Authenticator app on") == 1


async def test_a_secret_is_sealed_for_its_user_and_with_the_key_of_the_server(
    ann: Client, client: Client, stored: Stored
) -> None:
    page = await ann.get(SET_UP)
    key = str(page.field("Or type this key into the app").value)
    # Somebody else's page gets a new secret.
    refused = await client.post(
        SET_UP, data={"secret": page.form()["secret"], "code": App(key).code()}
    )
    assert refused.error("Code") == "This took too long. Scan the new code."
    await ann.submit(page.form(), code=App(key).code())
    (kept,) = await stored.all(Authenticator)
    assert key.replace(" ", "") not in kept.sealed_secret


async def test_setting_up_and_removing_needs_a_proof_and_is_written_down(
    ann: Client, session: AsyncSession, stored: Stored
) -> None:
    phone, codes = await set_up(ann)
    await ann.submit((await ann.get("/account/second-factor/codes")).form())
    form = (await ann.get("/account/second-factor/app/remove")).form()
    removed = await ann.follow(await ann.submit(form))
    assert removed.flash == "Removed your authenticator app"
    assert [await stored.count(model) for model in (Authenticator, RecoveryCode)] == [0, 0]
    assert (await enter_password(ann)).status_code == 303
    told = [each.values for each in await stored.all(Change) if each.title == "Ann"]
    assert told == [
        {"second factor": (None, "authenticator app")},
        {"recovery codes": ("10 left", "10 new")},
        {"second factor": ("authenticator app", "removed")},
    ]
    written = str([each.values_json for each in await stored.all(Change)])
    assert not any(secret in written for secret in (phone.totp.secret, *codes))
    await session.execute(update(UserSession).values(proved_at=None))
    await session.commit()
    for method, path in (
        ("GET", "/app"),
        ("POST", "/app"),
        ("POST", "/app/remove"),
        ("POST", "/codes"),
    ):
        asked = await ann.request(method, f"/account/second-factor{path}")
        if method == "GET":
            assert (
                asked.headers["location"]
                == "/account/confirm?next=%2Faccount%2Fsecond-factor%2Fapp"
            )
        else:
            assert (asked.status_code, asked.heading) == (401, "Confirm it's you")


# For owners and operators


async def test_an_owner_sees_and_resets_the_second_factor_of_somebody(
    ann: Client, other: Client, client: Client, stored: Stored
) -> None:
    await set_up(ann)
    people = await client.get("/people")
    assert people.column("Second factor") == ["Authenticator app", "None"]
    page = await client.get("/people/2")
    assert page.facts["Second factor"] == "Authenticator app"
    form = (await client.get(page.link("Reset second factor…"))).form()
    done = await client.follow(await client.submit(form))
    assert done.flash == "Reset the second factor of Ann"
    assert done.facts["Second factor"] == "None"
    assert (await ann.get("/heroes")).status_code == 303
    assert (await enter_password(other)).status_code == 303
    assert [await stored.count(model) for model in (Authenticator, RecoveryCode)] == [0, 0]
    change = (await stored.all(Change))[-1]
    assert (change.by_name, change.values) == ("Olive Owner", {"second factor": ("on", "reset")})


# The requirement


@pytest.fixture
async def strict(
    settings: Settings, session: AsyncSession
) -> AsyncIterator[tuple[Starlette, Client]]:
    """An app that requires a second factor of editors, and a client of an owner without one."""
    app = admin.application(settings.model_copy(update={"second_factor": "editor"}))
    await committed(session, a_user("Ann", Role.OWNER, QUICK.hash(PASSWORD)))
    await committed(session, a_user("Vic", Role.VIEWER, QUICK.hash(PASSWORD)))
    async with serving(app) as client:
        yield app, client


async def test_whoever_lacks_what_the_role_requires_sets_it_up_before_anything_else(
    strict: tuple[Starlette, Client], session: AsyncSession, stored: Stored
) -> None:
    _, client = strict
    hero = await a_hero(session, name="Nova")
    entered = await enter_password(client, to="/heroes?q=nova")
    for path in (entered.headers["location"], "/", "/account", "/account/tokens/new", "/people"):
        led = await client.get(path)
        assert led.headers["location"].startswith("/account/second-factor"), path
    for method, path in (("GET", "/api/heroes/"), ("POST", "/api/heroes/")):
        answer = await client.request(method, path, headers={"Sec-Fetch-Site": "same-origin"})
        assert (answer.status_code, "second factor" in answer.text) == (403, True)
    # What somebody had typed when it became required is still there.
    kept = await client.post(f"/heroes/{hero.id}", data={"name": "Supernova"})
    assert (kept.status_code, kept.heading) == (403, "Second factor required")
    assert kept.form(press="Try again")["name"] == "Supernova"
    assert "Ann" not in kept.visible_text
    found = await stored.get(Hero, hero.id)
    assert found is not None
    assert found.name == "Nova"
    refused = [each for each in await stored.all(StoredEvent) if each.kind == "refused"]
    assert [(each.by_name, each.details["method"]) for each in refused] == [
        ("Ann", "GET"),
        ("Ann", "POST"),
        ("Ann", "POST"),
    ]
    page = await client.get((await client.get("/heroes?q=nova")).headers["location"])
    assert page.heading == "Set up a second factor"
    page = await client.get(page.link("Set up an authenticator app"))
    key = str(page.field("Or type this key into the app").value)
    shown = await client.submit(page.form(), code=App(key).code())
    assert shown.link("Done") == "/heroes?q=nova"
    assert (await client.get("/heroes?q=nova")).status_code == 200
    # The last one stays.
    form = (await client.get("/account/second-factor/app/remove")).form()
    answer = await client.submit(form)
    assert answer.status_code == 409
    assert "Add another one before you remove this one." in answer.alert
    assert await stored.count(Authenticator) == 1


async def test_roles_below_and_tokens_need_no_second_factor(
    strict: tuple[Starlette, Client], session: AsyncSession
) -> None:
    app, client = strict
    await enter_password(client, "Vic")
    assert (await client.get("/heroes")).status_code == 200
    promoted = update(User).where(User.name == "Vic").values(role=Role.EDITOR)  # type: ignore[arg-type]
    shown = await client.submit((await client.get("/account/tokens/new")).form(), name="ci")
    token = str(shown.field("Token").value)
    await session.execute(promoted)
    await session.commit()
    assert (await client.get("/heroes")).headers["location"].startswith("/account/second-factor")
    async with client_of(app) as program:
        headers = {"Authorization": f"Bearer {token}"}
        assert (await program.get("/api/heroes/", headers=headers)).status_code == 200


@on_one_database
async def test_after_a_new_secret_key_recovery_codes_still_work_and_the_app_is_set_up_again(
    ann: Client, settings: Settings
) -> None:
    phone, codes = await set_up(ann)
    new = settings.model_copy(update={"secret_key": SecretStr("another key " * 4)})
    async with serving(admin.application(new)) as client:
        asked = await enter_password(client)
        assert "the secret key of this server has changed" in asked.visible_text
        assert (await enter_code(client, asked, phone.code())).alert == WRONG
        assert (await enter_code(client, asked, codes[0])).status_code == 303
        form = (await client.get("/account/second-factor/app/remove")).form()
        assert (await client.submit(form)).status_code == 303
        await set_up(client)
