"""Shut out meanwhile: what somebody began who was shut out by its end is not done."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from urllib.parse import urlencode

import pytest
from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import Message

from hero_admin.accounts import changes, token_changes
from hero_admin.accounts.cookies import SESSION
from hero_admin.accounts.sessions import start_session
from hero_admin.accounts.users import User
from hero_admin.audit_log.changes import Change, Operation
from hero_admin.database.engines import Database
from hero_admin.listing.exports import ROWS_PER_BATCH
from hero_admin.person import COMMAND_LINE, Role
from hero_admin.settings import Settings
from hero_admin.testing import Client, Page
from hero_admin.web.requests import SAFE_METHODS
from tests.app.accounts.test_roles import flattened, role_of
from tests.app.accounts.test_tokens import bearing, made
from tests.factories import a_hero, a_team
from tests.serving import client_of, serving
from tests.signing_in import LIMITS, VISITOR, a_user
from tests.statements import Statements
from tests.stored import Stored
from webapp.app import admin
from webapp.heroes import Hero

BY = Operation(COMMAND_LINE, "command")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}
HERO = b'{"name": "Nova", "secret_name": "Sam"}'
# What actions take, by their names.
DEEDS = {
    "retire": b'{"ids": [1], "form": {"retired_on": "2026-11-30"}}',
    "transfer": b'{"ids": [1], "form": {"team_id": 1}}',
}
Meanwhile = Callable[[], Awaitable[object]]


class Eve:
    """Somebody who is in, until others end that behind her back."""

    def __init__(self, database: Database, client: Client) -> None:
        self.database = database
        self.client = client

    async def come_in(self, role: Role = Role.OWNER) -> None:
        async with self.database.session(is_read_only=False) as session:
            user = await session.scalar(select(User).where(col(User.name) == "Eve"))
            user = user or a_user("Eve", password_hash="x")
            user.role, user.is_disabled = role, False
            session.add(user)
            await session.flush()
            token = await start_session(session, user.id or 0, LIMITS, VISITOR)
            await session.commit()
        self.client.cookies.set(SESSION, token, domain="localhost.local")

    async def be_disabled(self) -> None:
        await self._suffer(lambda session, id: changes.disable(session, BY, id))

    async def be_enabled(self) -> None:
        await self._suffer(lambda session, id: changes.enable(session, BY, id))

    async def be_signed_out(self) -> None:
        await self._suffer(lambda session, id: changes.sign_out(session, BY, id))

    async def get_a_new_password(self) -> None:
        await self._suffer(lambda session, id: changes.set_password(session, BY, id, "y"))

    async def be_demoted(self) -> None:
        await self._suffer(lambda session, id: changes.change_role(session, BY, id, Role.VIEWER))

    async def lose_her_token(self) -> None:
        await self._suffer(lambda session, id: token_changes.revoke_token(session, BY, id, 1))

    async def _suffer(self, act: Callable[[AsyncSession, int], Awaitable[object]]) -> None:
        async with self.database.session(is_read_only=False) as session:
            user = (await session.scalars(select(User).where(col(User.name) == "Eve"))).one()
            await act(session, user.id or 0)
            await session.commit()

    async def slowly(
        self,
        method: str,
        path: str,
        body: bytes,
        meanwhile: Meanwhile,
        headers: dict[str, str] = FORM,
    ) -> Page:
        """Send a request whose first byte comes before something else happens."""

        async def content() -> AsyncIterator[bytes]:
            yield body[:1]
            await meanwhile()
            yield body[1:]

        return await self.client.request(method, path, content=content(), headers=headers)


@pytest.fixture
async def eve(
    app: Starlette, client: Client, database: Database, session: AsyncSession
) -> AsyncIterator[Eve]:
    # She shall not be the last owner.
    await session.execute(update(User).values(password_hash="x"))
    await session.commit()
    async with client_of(app) as other:
        eve = Eve(database, other)
        await eve.come_in()
        yield eve


def unsafe_paths(app: Starlette) -> list[tuple[str, str]]:
    """Every address, of pages and API, at which whoever is signed in changes something."""
    return [
        (method, path)
        for path, route in flattened(app.routes)
        if isinstance(route, Route) and role_of(route)
        for method in sorted(route.methods or ())
        # The body of a DELETE is waited for by nobody.
        if method not in SAFE_METHODS | {"DELETE"}
    ]


async def test_no_page_does_what_somebody_asks_who_was_shut_out_by_then(
    app: Starlette, client: Client, session: AsyncSession, stored: Stored, eve: Eve
) -> None:
    await a_hero(session, team=await a_team(session))
    await client.post("/heroes/1", data={"age": "17"})
    await made(client)
    before = await stored.all(Change)
    values = {
        "id": 1,
        "field": "secret_name",
        "token": 1,
        "passkey": 1,
        "operation": before[0].operation,
    }
    form = {"name": "Bob", "secret_name": "x", "age": "9", "form.set.age": "1", "id": "1"}
    own = {
        "role": "owner",
        "days": "30",
        "format": "csv",
        "change": "1",
        "session": "x",
        "new": "y" * 12,
    }
    body = urlencode({**form, **own}).encode()
    paths = [each for each in unsafe_paths(app) if not each[1].startswith("/api/")]
    assert len(paths) > 20
    for method, path in paths:
        await eve.come_in()
        answer = await eve.slowly(method, path.format_map(values), body, eve.be_disabled)
        # A password is looked at before anything is written, and it was wrong; a form that is
        # shown again, to choose from more, may hold nothing of the database.
        expected = {
            "/account/password": 422,
            "/account/confirm": 422,
            "/teams/new": 200,
            "/teams/{id}/reveal/{field}": 404,
        }.get(path, 401)
        assert answer.status_code == expected, f"{method} {path}"
    after = [each for each in await stored.all(Change) if each.by_name != COMMAND_LINE.name]
    assert after == before
    (hero,) = await stored.all(Hero)
    assert (hero.name, hero.age, await stored.count(User)) == ("Deadpond", 17, 2)


async def test_no_address_of_the_api_does_what_somebody_asks_who_was_shut_out_by_then(
    app: Starlette, session: AsyncSession, stored: Stored, eve: Eve
) -> None:
    await a_hero(session, team=await a_team(session))
    token = bearing(await made(eve.client, "editor"))
    before = await stored.all(Change)
    paths = [each for each in unsafe_paths(app) if each[1].startswith("/api/")]
    assert {method for method, _ in paths} == {"PATCH", "POST"}
    for method, path in paths:
        for headers in ({}, token):
            await eve.come_in()
            body = DEEDS.get(path.rpartition("/")[2], HERO)
            sent = method, path.format(id=1), body, eve.be_disabled, {**JSON, **headers}
            answer = await eve.slowly(*sent)
            # There is no such job, whoever asks.
            expected = 404 if "/jobs/" in path else 401
            assert (answer.status_code, list(answer.json())) == (expected, ["detail"]), path
    after = [each for each in await stored.all(Change) if each.by_name != COMMAND_LINE.name]
    assert after == before
    assert await stored.count(Hero) == 1


@pytest.mark.parametrize(
    ("act", "status"),
    [
        ("be_disabled", 401),
        ("be_signed_out", 401),
        ("get_a_new_password", 401),
        ("be_demoted", 403),
    ],
)
async def test_however_somebody_is_shut_out_pages_and_api_write_nothing_of_theirs(
    stored: Stored, eve: Eve, act: str, status: int
) -> None:
    meanwhile: Meanwhile = getattr(eve, act)
    body = b"name=Nova&secret_name=Sam"
    page = await eve.slowly("POST", "/heroes", body, meanwhile)
    await eve.come_in()
    answer = await eve.slowly("POST", "/api/heroes/", HERO, meanwhile, JSON)
    await eve.come_in()
    invitation = await eve.slowly("POST", "/people", b"name=Bob&role=owner", meanwhile)
    assert [each.status_code for each in (page, answer, invitation)] == [status] * 3
    assert list(answer.json()) == ["detail"]
    assert await stored.count(Hero) == 0
    assert await stored.count(User) == 2


@pytest.mark.parametrize(
    ("act", "status"),
    [("be_disabled", 401), ("lose_her_token", 401), ("be_demoted", 403)],
)
async def test_a_program_whose_token_was_revoked_by_then_writes_nothing(
    app: Starlette, session: AsyncSession, stored: Stored, eve: Eve, act: str, status: int
) -> None:
    headers = {**JSON, **bearing(await made(eve.client, "editor"))}
    meanwhile: Meanwhile = getattr(eve, act)
    answer = await eve.slowly("POST", "/api/heroes/", HERO, meanwhile, headers)
    assert answer.status_code == status
    if status == 401:
        assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert await stored.count(Hero) == 0


async def test_a_form_that_came_too_late_is_carried_by_the_sign_in_page(
    stored: Stored, eve: Eve
) -> None:
    page = await eve.slowly("POST", "/heroes", b"name=Nova&secret_name=Sam", eve.be_signed_out)
    assert (page.status_code, page.heading) == (401, "Sign in")
    assert "continue where you left off" in page.alert
    assert page.form()["name"] == "Nova"
    assert await stored.count(Hero) == 0


async def test_a_person_who_still_may_is_not_delayed(stored: Stored, eve: Eve) -> None:
    async def nothing() -> None:
        pass

    assert (
        await eve.slowly("POST", "/heroes", b"name=N&secret_name=S", nothing)
    ).response.is_redirect
    assert await stored.count(Hero) == 1


@pytest.mark.parametrize("path", ["disable", "role", "sessions/end"])
async def test_what_somebody_does_to_themselves_is_done(
    stored: Stored, eve: Eve, path: str
) -> None:
    answer = await eve.client.post(f"/people/2/{path}", data={"role": "viewer", "session": ""})
    assert answer.status_code == 303
    user = await stored.get(User, 2)
    assert user is not None
    assert (user.is_disabled, user.role) == (
        path == "disable",
        {"role": "viewer"}.get(path, "owner"),
    )


async def test_of_two_owners_who_disable_each_other_at_once_one_remains(
    client: Client, stored: Stored, eve: Eve
) -> None:
    answers = await asyncio.gather(
        client.post("/people/2/disable"), eve.client.post("/people/1/disable")
    )
    # The second one is out by then; asked for a little later it is sent to sign in.
    assert sorted(answer.status_code for answer in answers) == [303, 401]
    assert [user.is_disabled for user in await stored.all(User)].count(True) == 1


async def test_the_recheck_takes_one_statement_for_a_write_and_none_for_a_read(
    client: Client, session: AsyncSession, statements: Statements
) -> None:
    await a_hero(session)
    with statements() as executed:
        await client.get("/heroes/1/edit")
    assert len([each for each in executed if "hero_admin_session" in each]) == 1
    with statements() as executed:
        await client.patch("/api/heroes/1", json={"age": 3})
    assert len([each for each in executed if "hero_admin_session" in each]) == 2


# Reading


@pytest.mark.parametrize("act", ["be_disabled", "be_signed_out", "be_demoted"])
async def test_a_file_ends_when_its_reader_is_shut_out(
    app: Starlette, session: AsyncSession, eve: Eve, act: str
) -> None:
    # As where people of other roles see other records.
    app.state.seen_sites.has_grants = True
    rows = [{"name": f"Hero {n}", "secret_name": "x"} for n in range(5 * ROWS_PER_BATCH)]
    await session.execute(insert(Hero), rows)
    await session.commit()
    sent: list[Message] = []
    asked: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Message:
        if not asked:
            await asyncio.Event().wait()
        return asked.pop()

    async def send(message: Message) -> None:
        sent.append(message)
        if len(sent) == 2:
            await getattr(eve, act)()

    cookie = f"{SESSION}={eve.client.cookies[SESSION]}".encode()
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/heroes.jsonl",
        "raw_path": b"/heroes.jsonl",
        "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"cookie", cookie)],
        "client": ("127.0.0.1", 50000),
        "server": ("localhost", 80),
        "root_path": "",
    }
    await app(scope, receive, send)
    assert sent[0]["status"] == 200
    assert 0 < b"".join(each.get("body", b"") for each in sent).count(b"\n") < len(rows)
    # As when anything else goes wrong, its client sees that it is not complete.
    assert sent[-1]["more_body"]
    # Behind the response, how it ended is told.
    await app.state.auth.events.close()
    assert app.state.database.reading.pool.checkedout() == 0


# Sending


async def test_a_body_has_a_time_as_a_whole(settings: Settings, stored: Stored) -> None:
    app = admin.application(settings.model_copy(update={"body_timeout_seconds": 0.5}))
    async with serving(app, role=Role.OWNER) as client:

        async def drops() -> AsyncIterator[bytes]:
            # Each in time by itself.
            while True:
                yield b"a"
                await asyncio.sleep(0.05)

        for path in ("/heroes", "/api/heroes/", "/sign-in"):
            headers = JSON if path.startswith("/api") else FORM
            answer = await client.post(path, content=drops(), headers=headers)
            assert (answer.status_code, answer.headers["connection"]) == (408, "close")
    assert await stored.count(Hero) == 0


async def test_who_is_not_signed_in_sends_no_more_than_a_form(
    anonymous: Client, client: Client
) -> None:
    body = b"account.name=" + b"%41" * 30_000

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 10_000):
            yield body[start : start + 10_000]

    for path in ("/sign-in", "/theme", "/heroes"):
        for content in (body, chunks()):
            refused = await anonymous.post(path, content=content, headers=FORM)
            assert refused.status_code == 413
            assert "64 kB" in refused.text
    assert (await client.post("/heroes", content=body, headers=FORM)).status_code == 422
