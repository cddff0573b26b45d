"""A proof of identity: asked for again before what an open session alone must not do."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.applications import Starlette

from hero_admin.accounts.sessions import UserSession
from hero_admin.accounts.throttle import FailedAttempts
from hero_admin.accounts.tokens import ApiToken
from hero_admin.accounts.users import User
from hero_admin.person import Role
from hero_admin.testing import Client, Page, htmx_headers
from tests.cases import on_one_database
from tests.factories import committed
from tests.serving import client_of
from tests.signing_in import a_user
from tests.stored import Stored

PASSWORD = "correct horse battery"
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
HEADING = "Confirm it's you"


@pytest.fixture
async def ann(app: Starlette, client: Client, session: AsyncSession) -> AsyncIterator[Client]:
    """A client of an owner with a password, whose proof of identity is 15 minutes old."""
    await committed(session, a_user("Ann", Role.OWNER, QUICK.hash(PASSWORD)))
    async with client_of(app) as other:
        given = {"account.name": "Ann", "account.password": PASSWORD}
        assert (await other.post("/sign-in", data=given)).status_code == 303
        await age_proofs(session, timedelta(minutes=15))
        yield other


async def age_proofs(session: AsyncSession, age: timedelta) -> None:
    await session.execute(update(UserSession).values(proved_at=datetime.now(UTC) - age))
    await session.commit()


async def proved(client: Client, page: Page, password: str = PASSWORD) -> Page:
    """Type the password, and send again what a browser sends again by itself."""
    answer = await client.submit(page.form(), {"account.password": password})
    if answer.status_code != 307:
        return answer
    sent = answer.response.request
    headers = {"Content-Type": sent.headers["content-type"], "Sec-Fetch-Site": "same-origin"}
    return await client.post(answer.headers["location"], content=sent.content, headers=headers)


async def test_an_invitation_goes_on_after_the_proof_with_what_was_typed(
    ann: Client, stored: Stored
) -> None:
    form = (await ann.get("/people/new")).form()
    asked = await ann.submit(form, name="Bob Builder", role="editor")
    assert (asked.status_code, asked.heading) == (401, HEADING)
    assert "Bob Builder" not in {each.name for each in await stored.all(User)}
    wrong = await proved(ann, asked, "wrong horse battery")
    assert (wrong.status_code, wrong.alert) == (422, "Wrong password.")
    shown = await proved(ann, wrong)
    assert (shown.status_code, shown.heading) == (200, "Invitation for Bob Builder")
    (bob,) = [each for each in await stored.all(User) if each.name == "Bob Builder"]
    assert bob.role == Role.EDITOR
    # For a quarter of an hour nothing more is asked.
    asked = await ann.submit((await ann.get("/account/tokens/new")).form(), name="nightly")
    assert asked.heading == "New token"


async def test_everything_about_people_and_tokens_needs_a_proof(
    ann: Client, session: AsyncSession, stored: Stored
) -> None:
    await ann.submit((await ann.get("/account/tokens/new")).form(), name="ci")
    before = [await stored.all(model) for model in (User, ApiToken)]
    for path, data in {
        "/people": {"name": "Eve", "role": "owner"},
        "/people/1/role": {"role": "viewer"},
        "/people/1/disable": {},
        "/people/1/enable": {},
        "/people/1/link": {},
        "/people/1/sessions/end": {},
        "/people/1/tokens/1/revoke": {},
        "/account/tokens": {"name": "t", "role": "viewer", "days": "30"},
        "/account/tokens/1/revoke": {},
        "/account/sessions/end": {"tokens": "1"},
    }.items():
        asked = await ann.post(path, data=data)
        assert (asked.status_code, asked.heading) == (401, HEADING), path
        assert asked.form().values["account.next"] == path
    assert [await stored.all(model) for model in (User, ApiToken)] == before
    # Reading, signing out and everyday work do not.
    for path in ("/people", "/people/1", "/account", "/heroes"):
        assert (await ann.get(path)).status_code == 200
    assert (await ann.post("/account/sessions/end")).status_code == 303
    await age_proofs(session, timedelta(minutes=14, seconds=30))
    assert (await ann.post("/people/1/role", data={"role": "viewer"})).status_code == 303


async def test_a_session_of_an_earlier_version_has_proved_nothing(
    ann: Client, session: AsyncSession
) -> None:
    await session.execute(update(UserSession).values(proved_at=None))
    await session.commit()
    assert (await ann.post("/people/1/link")).heading == HEADING


async def test_a_copy_of_the_cookie_has_proved_nothing_and_is_worth_nothing(
    app: Starlette, ann: Client, stored: Stored
) -> None:
    before = ann.cookies["session"]
    count = await stored.count(UserSession)
    shown = await proved(ann, await ann.post("/people/1/link"))
    assert shown.heading.startswith("Invitation for")
    assert ann.cookies["session"] != before
    assert await stored.count(UserSession) == count
    async with client_of(app) as copy:
        copy.cookies.set("session", before)
        assert (await copy.get("/heroes")).status_code == 303


async def test_a_proof_is_the_password_of_the_same_person(
    ann: Client, session: AsyncSession
) -> None:
    await committed(session, a_user("Bob", Role.OWNER, QUICK.hash("another horse battery")))
    asked = await ann.post("/people/1/link")
    data = {"account.name": "Bob", "account.password": "another horse battery"}
    assert (await ann.post("/account/confirm", data=data)).status_code == 422
    assert (await proved(ann, asked)).status_code == 200


async def test_attempts_are_delayed_as_at_the_sign_in(ann: Client, stored: Stored) -> None:
    asked = await ann.post("/people/1/link")
    answers = [await proved(ann, asked, f"wrong {number}") for number in range(5)]
    assert [answer.status_code for answer in answers] == [422, 422, 422, 422, 429]
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert "Too many attempts." in answers[-1].alert
    assert (await proved(ann, answers[-1])).status_code == 429
    assert max(each.count for each in await stored.all(FailedAttempts)) == 5


@on_one_database
async def test_a_request_of_a_script_is_answered_by_a_dialog_and_can_be_repeated(
    ann: Client,
) -> None:
    asked = await ann.post(
        "/people/1/role", data={"role": "viewer"}, headers=htmx_headers("form#f")
    )
    assert asked.status_code == 401
    (section,) = asked.find_all("section", id="sign_in")
    assert HEADING in section.visible_text
    entered = await ann.submit(
        asked.form(), {"account.password": PASSWORD}, headers=htmx_headers("section#sign_in")
    )
    assert entered.status_code == 200
    again = await ann.post("/people/1/role", data={"role": "viewer"})
    assert again.status_code == 303


@on_one_database
@pytest.mark.parametrize("url", ["//evil.example", "https://evil.example", "/\\evil", ""])
async def test_a_proof_leads_to_no_other_site(ann: Client, url: str) -> None:
    page = await ann.get("/account/confirm", params={"next": url})
    assert (await proved(ann, page)).headers["location"] == "/"
