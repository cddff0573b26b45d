"""API tokens: a program is let in with one, and may never do more than whose it is."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.applications import Starlette

from hero_admin.accounts import token_changes
from hero_admin.accounts.tokens import ApiToken, NewToken, mark_used
from hero_admin.accounts.users import User
from hero_admin.audit_log.changes import Change, Operation
from hero_admin.person import COMMAND_LINE, Role
from hero_admin.settings import Settings
from hero_admin.testing import Client
from tests.cases import each
from tests.commands import run
from tests.factories import a_hero, committed
from tests.serving import client_of
from tests.signing_in import a_user
from tests.statements import Statements
from tests.stored import Stored
from tests.waiting import until

BY = Operation(COMMAND_LINE, "command")


async def made(client: Client, role: str = "viewer", name: str = "ci", days: str = "30") -> str:
    """Create a token as people do."""
    form = (await client.get("/account/tokens/new")).form()
    shown = await client.submit(form, name=name, role=role, days=days)
    assert (shown.status_code, shown.heading) == (200, "New token")
    return str(shown.field("Token").value)


def bearing(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
async def program(app: Starlette, client: Client) -> AsyncIterator[Client]:
    """A client that is no browser: it says nothing of where a request comes from."""
    async with client_of(app) as other:
        del other.headers["Sec-Fetch-Site"]
        yield other


async def status(program: Client, token: str, path: str = "/api/heroes/") -> int:
    return (await program.get(path, headers=bearing(token))).status_code


async def test_a_token_is_shown_once_and_only_its_digest_is_kept(
    client: Client, stored: Stored
) -> None:
    token = await made(client)
    assert token.startswith("hero_")
    assert len(token) > 40
    (row,) = await stored.all(ApiToken)
    assert token not in row.digest
    for path in ("/account", "/people/1", "/history"):
        assert token not in (await client.get(path)).text


async def test_a_program_may_do_what_its_token_may(
    client: Client, program: Client, session: AsyncSession, stored: Stored
) -> None:
    await a_hero(session)
    body = {"name": "Nova", "secret_name": "Ada"}
    viewing, editing = await made(client), await made(client, "editor")
    assert (await program.get("/api/heroes/")).status_code == 401
    assert (await program.post("/api/heroes/", json=body)).status_code == 403
    refused = await program.post("/api/heroes/", json=body, headers=bearing(viewing))
    assert refused.status_code == 403
    assert (await program.get("/api/heroes/1", headers=bearing(viewing))).json()[
        "secret_name"
    ] is None
    # Neither Sec-Fetch-Site nor Origin: the token is enough.
    answer = await program.post("/api/heroes/", json=body, headers=bearing(editing))
    assert (answer.status_code, answer.json()["secret_name"]) == (201, "Ada")
    answer = await program.patch("/api/heroes/2", json={"age": 3}, headers=bearing(editing))
    assert answer.status_code == 200
    assert (await program.delete("/api/heroes/1", headers=bearing(editing))).status_code == 204
    history = [each for each in await stored.all(Change) if each.resource == "heroes"]
    assert {(each.by_name, each.via) for each in history} == {("Olive Owner", "api")}


@each("scheme", ["Bearer", "bearer", "BEARER"])
async def test_the_scheme_is_read_as_standards_say(
    client: Client, program: Client, scheme: str
) -> None:
    headers = {"Authorization": f"{scheme} {await made(client)}"}
    assert (await program.get("/api/heroes/", headers=headers)).status_code == 200


@pytest.mark.parametrize("role", ["viewer", "editor"])
async def test_a_token_loses_what_its_owner_loses_and_gains_nothing(
    client: Client,
    editor: Client,
    program: Client,
    role: str,
) -> None:
    token = await made(editor, role)

    async def may_write() -> bool:
        body = {"name": f"Nova {role}", "secret_name": "Ada"}
        answer = await program.post("/api/heroes/", json=body, headers=bearing(token))
        assert answer.status_code in {201, 403}
        return answer.status_code == 201

    assert await may_write() == (role == "editor")
    await client.post("/people/2/role", data={"role": "viewer"})
    assert not await may_write()
    assert await status(program, token) == 200
    await client.post("/people/2/role", data={"role": "owner"})
    assert await may_write() == (role == "editor")


@each("token", ["x", "hero_", "hero_x", f"hero_{'x' * 43}", "hero_" + "x" * 5000, "hero_ü", "a b"])
async def test_a_token_that_nobody_made_does_not_work(client: Client, token: str) -> None:
    headers = {b"Authorization": b"Bearer " + token.encode()}
    for method in ("GET", "POST", "DELETE"):
        # The client's own cookie is that of an owner, and does not count.
        answer = await client.request(method, "/api/heroes/", headers=headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
        assert answer.json()["detail"].startswith("Invalid token")


async def test_a_token_that_has_ended_does_not_work(
    client: Client, program: Client, session: AsyncSession
) -> None:
    token = await made(client)
    await session.execute(update(ApiToken).values(expires_at=datetime.now(UTC)))
    await session.commit()
    assert await status(program, token) == 401
    assert "expired" in (await client.get("/account")).visible_text


async def test_the_token_of_somebody_shut_out_does_not_work(
    client: Client, editor: Client, program: Client
) -> None:
    token = await made(editor)
    assert await status(program, token) == 200
    await client.post("/people/2/disable")
    assert await status(program, token) == 401


@pytest.mark.parametrize("who", ["whose it is", "an owner"])
async def test_a_token_is_revoked_by_whose_it_is_and_by_owners(
    client: Client, editor: Client, program: Client, who: str
) -> None:
    token = await made(editor)
    by, at = (editor, "/account") if who == "whose it is" else (client, "/people/2")
    asked = await by.get((await by.get(at)).link("Revoke ci…"))
    assert asked.heading == "Revoke ci?"
    assert await status(program, token) == 200
    done = await by.submit(asked.form())
    assert (done.status_code, done.headers["location"]) == (303, at)
    assert (await by.follow(done)).flash == "Revoked ci"
    assert await status(program, token) == 401
    assert (await by.submit(asked.form())).status_code == 404
    shown = (await client.get("/history?resource=people")).visible_text
    assert "ci (viewer, until" in shown


async def test_nobody_revokes_the_token_of_somebody_else(
    client: Client, editor: Client, program: Client, stored: Stored
) -> None:
    token = await made(client)
    (row,) = await stored.all(ApiToken)
    for path in (f"/account/tokens/{row.id}/revoke", f"/people/2/tokens/{row.id}/revoke"):
        assert (await editor.post(path)).status_code in {403, 404}
    assert (await client.post(f"/people/2/tokens/{row.id}/revoke")).status_code == 404
    assert await status(program, token) == 200


@each(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/heroes"),
        ("GET", "/heroes.csv"),
        ("POST", "/heroes"),
        ("GET", "/account"),
        ("POST", "/account/tokens"),
        ("GET", "/people"),
        ("GET", "/api/docs"),
        ("POST", "/sign-in"),
        ("POST", "/sign-out"),
        ("POST", "/theme"),
        ("GET", "/api"),
    ],
)
async def test_a_token_is_for_the_api_alone(
    client: Client, stored: Stored, method: str, path: str
) -> None:
    token = await made(client, "editor")
    # Not even with the cookie of its owner beside it.
    answer = await client.request(method, path, headers=bearing(token))
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert "set-cookie" not in answer.headers
    assert (await client.get("/heroes")).status_code == 200


async def test_with_a_token_cookies_do_not_count(
    client: Client, viewer: Client, session: AsyncSession
) -> None:
    await a_hero(session)
    token = await made(viewer)
    own = await client.get("/api/heroes/1", headers=bearing(token))
    assert own.json()["secret_name"] is None
    assert (await client.get("/api/heroes/1")).json()["secret_name"] == "Dive Wilson"
    refused = await client.delete("/api/heroes/1", headers=bearing(token))
    assert refused.status_code == 403


async def test_a_cookie_works_on_the_api_for_pages_of_this_site_only(client: Client) -> None:
    body = {"name": "Nova", "secret_name": "Ada"}
    assert (await client.post("/api/heroes/", json=body)).status_code == 201
    headers = {"Sec-Fetch-Site": "cross-site"}
    assert (await client.post("/api/heroes/", json=body, headers=headers)).status_code == 403


# Creating


@each(
    ("name", "sentence"),
    [
        (" ", "Enter a name, such as what it's for."),
        ("x" * 81, "Use at most 80 characters."),
        ("a\0b", "Use only visible characters."),
    ],
)
async def test_a_name_that_cannot_be_is_said_beside_it(
    client: Client, stored: Stored, name: str, sentence: str
) -> None:
    data = {"name": name, "role": "editor", "days": "365"}
    again = await client.post("/account/tokens", data=data)
    assert (again.status_code, again.error("Name")) == (422, sentence)
    assert (again.field("Role").value, again.field("Expires after").value) == (
        "editor",
        "365",
    )
    assert await stored.count(ApiToken) == 0


@each(
    ("given", "sentence"),
    [
        ({"role": "owner"}, "A token can't do more than its owner, who is an editor."),
        ({"role": "root"}, "Choose a role."),
        ({"role": ""}, "Choose a role."),
        ({"days": "366"}, "Choose when it expires."),
        ({"days": "-1"}, "Choose when it expires."),
        ({"days": "9" * 30}, "Choose when it expires."),
    ],
)
async def test_what_was_not_offered_is_refused(
    editor: Client, stored: Stored, given: dict[str, str], sentence: str
) -> None:
    data = {"name": "ci", "role": "viewer", "days": "7", **given}
    again = await editor.post("/account/tokens", data=data)
    assert again.status_code == 422
    assert sentence in again.visible_text
    assert await stored.count(ApiToken) == 0


async def test_only_roles_up_to_ones_own_are_offered(editor: Client, viewer: Client) -> None:
    offered = (await editor.get("/account/tokens/new")).field("Role").options
    assert list(offered.values()) == ["viewer", "editor"]
    offered = (await viewer.get("/account/tokens/new")).field("Role").options
    assert list(offered.values()) == ["viewer"]


async def test_there_is_an_end_to_the_number_of_tokens(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    for number in range(50):
        await token_changes.add_token(session, BY, 1, NewToken(f"token {number}", Role.VIEWER, 7))
    await session.commit()
    again = await client.post(
        "/account/tokens", data={"name": "one more", "role": "viewer", "days": "7"}
    )
    assert again.error("Name") == "You can have at most 50 tokens. Revoke one first."
    assert await stored.count(ApiToken) == 50


async def test_a_token_ends_when_it_was_said_to(client: Client, stored: Stored) -> None:
    await made(client, days="365")
    (row,) = await stored.all(ApiToken)
    assert row.expires_at - row.created_at == timedelta(days=365)


async def test_the_command_prints_a_token(
    settings: Settings, session: AsyncSession, program: Client
) -> None:
    await committed(session, a_user("Bob", Role.EDITOR))
    arguments = ("user", "token", "bob", "--name=ci", "--role=editor", "--days=90")
    url = settings.database_url
    printed = await asyncio.to_thread(run, *arguments, url=url)
    assert await status(program, printed.stdout.strip()) == 200
    arguments = ("user", "token", "bob", "--name=ci", "--role=owner", "--days=7")
    refused = await asyncio.to_thread(run, *arguments, url=url)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "A token can't do more than its owner" in refused.stderr


# Its last use


async def wait_for_use(stored: Stored) -> None:
    async def is_marked() -> bool:
        return (await stored.all(ApiToken))[0].last_used_at is not None

    await until(is_marked)


async def test_the_last_use_is_shown(client: Client, program: Client, stored: Stored) -> None:
    token = await made(client)
    assert "never used" in (await client.get("/account")).visible_text
    await asyncio.gather(*(status(program, token) for _ in range(5)))
    await wait_for_use(stored)
    assert "last used" in (await client.get("/account")).visible_text


async def test_the_last_use_is_marked_once_a_minute(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    await made(client)
    (row,) = await stored.all(ApiToken)
    start = datetime.now(UTC)
    for seconds, marked in ((0, 0), (59, 0), (60, 60), (61, 60), (120, 120)):
        await mark_used(session, row.digest, start + timedelta(seconds=seconds))
        await session.commit()
        (now,) = await stored.all(ApiToken)
        assert now.last_used_at == start + timedelta(seconds=marked)


async def test_a_request_with_a_token_costs_one_statement_more_and_writes_nothing(
    client: Client,
    program: Client,
    session: AsyncSession,
    statements: Statements,
) -> None:
    token = await made(client)
    await session.execute(update(ApiToken).values(last_used_at=datetime.now(UTC)))
    await session.commit()
    with statements() as executed:
        await status(program, token)
    assert len(executed) == 2
    assert all(each.startswith("SELECT") for each in executed)


async def test_the_document_and_its_page_say_how_a_program_is_let_in(client: Client) -> None:
    document = (await client.get("/api/openapi.json")).json()
    scheme = document["components"]["securitySchemes"]["token"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    assert document["security"] == [{"token": []}]
    for methods in document["paths"].values():
        for operation in methods.values():
            assert {"401", "403"} <= set(operation["responses"])
    page = await client.get("/api/docs")
    assert "Authorization: Bearer hero_…" in page.visible_text
    assert page.link("your account") == "/account"


async def test_a_token_is_gone_with_its_account(
    client: Client, editor: Client, session: AsyncSession, stored: Stored
) -> None:
    await made(editor)
    user = await session.get(User, 2)
    await session.delete(user)
    await session.commit()
    assert await stored.count(ApiToken) == 0
