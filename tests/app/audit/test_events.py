"""The audit log: reading in bulk, refusals and changes of accounts leave an event each."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect

from hero_admin.accounts.sessions import SEEN_EVERY
from hero_admin.accounts.tokens import ApiToken
from hero_admin.audit_log.events import StoredEvent
from hero_admin.database.engines import Database
from hero_admin.person import Role
from hero_admin.settings import Settings
from hero_admin.testing import Client, Page
from tests.app.accounts.test_token_scopes import made
from tests.cases import each, on_one_database
from tests.factories import a_hero, a_team, committed, some_heroes
from tests.serving import client_of
from tests.signing_in import a_user
from tests.statements import Statements
from tests.stored import Stored
from tests.waiting import until

PASSWORD = "correct horse battery"
ADDRESS = "127.0.0.1"


async def told(stored: Stored, *kinds: str) -> list[StoredEvent]:
    """The events of some kinds, or all, in their order."""
    return [each for each in await stored.all(StoredEvent) if not kinds or each.kind in kinds]


async def the_event(stored: Stored, kind: str) -> StoredEvent:
    (event,) = await told(stored, kind)
    return event


@pytest.fixture
async def program(app: Starlette, client: Client) -> AsyncIterator[Client]:
    """A client without a cookie."""
    async with client_of(app) as other:
        other.headers["User-Agent"] = "backup/1.0"
        yield other


# What costs nothing.


async def test_pages_of_lists_and_records_tell_nothing_and_cost_what_they_did(
    client: Client, session: AsyncSession, stored: Stored, statements: Statements
) -> None:
    await a_hero(session, team=await a_team(session))
    with statements() as executed:
        for path in ("/", "/heroes", "/heroes?q=dead", "/heroes/1", "/heroes/1/edit", "/teams/1"):
            assert (await client.get(path)).status_code == 200
        assert (await client.post("/heroes/1", data={"age": "7"})).status_code == 303
        assert (await client.get("/api/teams/")).status_code == 200
    assert "hero_admin_event" not in " ".join(executed)
    assert await told(stored) == []


# Reading in bulk.


@each("extension", ["csv", "json", "jsonl"])
async def test_an_export_tells_what_and_how_many(
    client: Client, session: AsyncSession, stored: Stored, extension: str
) -> None:
    count = len(await told(stored))
    if not count:
        await some_heroes(session, 3)
    client.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0"
    assert (await client.head(f"/heroes.{extension}")).status_code == 200
    answer = await client.get(f"/heroes.{extension}?q=hero+001&sort=-age")
    assert answer.status_code == 200
    event = (await told(stored, "exported"))[-1]
    assert len(await told(stored)) == count + 1
    assert (event.by_name, event.by_id, event.address) == ("Olive Owner", 1, ADDRESS)
    assert event.user_agent.endswith("Firefox/140.0")
    assert (event.resource, event.count) == ("heroes", 1)
    assert event.details | {"export": ""} == {
        "format": extension,
        "query": "q=hero+001",
        "masked": False,
        "export": "",
    }
    assert abs(event.moment - datetime.now(UTC)) < timedelta(hours=1)


async def test_a_long_export_is_told_when_it_begins_and_when_it_has_ended(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    await some_heroes(session, 1_203)
    assert (await client.get("/heroes.jsonl")).text.count("\n") == 1_203
    await until(lambda: has_ended(stored))
    began, ended = await told(stored)
    assert (began.kind, began.count) == ("exported", None)
    assert (ended.kind, ended.count) == ("export_ended", 1_203)
    assert ended.details == {**began.details, "is_complete": True}


async def has_ended(stored: Stored) -> bool:
    return bool(await told(stored, "export_ended"))


async def test_an_export_whose_client_has_gone_is_told_with_what_was_sent(
    app: Starlette, client: Client, session: AsyncSession, stored: Stored
) -> None:
    await some_heroes(session, 1_700)
    cookie = f"session={client.cookies['session']}".encode()
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/heroes.jsonl",
        "raw_path": b"/heroes.jsonl",
        "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"cookie", cookie)],
        "client": ("192.0.2.7", 50000),
        "server": ("localhost", 80),
        "scheme": "http",
        "root_path": "",
    }
    bodies = 0

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(3600)
        raise AssertionError

    async def send(message: Any) -> None:
        nonlocal bodies
        bodies += message["type"] == "http.response.body"
        if bodies == 2:
            raise ClientDisconnect

    await asyncio.gather(app(scope, receive, send), return_exceptions=True)
    await until(lambda: has_ended(stored))
    event = await the_event(stored, "export_ended")
    assert event.details["is_complete"] is False
    assert event.count is not None
    assert 500 <= event.count < 1_700
    assert event.address == "192.0.2.7"


@pytest.mark.parametrize("role", ["viewer", "editor"])
async def test_masked_values_from_the_api_are_told_and_no_cookie_gets_many(
    client: Client, program: Client, session: AsyncSession, stored: Stored, role: str
) -> None:
    team = await a_team(session)
    await some_heroes(session, 3, team)
    headers = await made(client, role)
    count = 3 if role == "editor" else 0
    for path, key in (("/api/heroes/?limit=5", ""), ("/api/teams/1/with-heroes", "heroes")):
        found = (await program.get(path, headers=headers)).json()
        heroes = found[key] if key else found
        assert sum(each["secret_name"] is not None for each in heroes) == count
        heroes = (await client.get(path)).json()
        heroes = heroes[key] if key else heroes
        assert [each["secret_name"] for each in heroes] == [None] * 3
        # Whoever sends both is who the token is.
        found = (await client.get(path, headers=headers)).json()
        heroes = found[key] if key else found
        assert sum(each["secret_name"] is not None for each in heroes) == count
    await program.head("/api/heroes/", headers=headers)
    events = await told(stored, "masked_read")
    assert [(each.count, each.token, each.resource) for each in events] == (
        [(3, "ci", "heroes")] * 4 if count else []
    )
    if events:
        assert events[0].details == {"fields": ["secret_name"], "query": "limit=5"}
        assert events[0].user_agent == "backup/1.0"


async def test_one_masked_value_is_told_whoever_reads_it(
    client: Client, editor: Client, viewer: Client, session: AsyncSession, stored: Stored
) -> None:
    await a_hero(session, "Nova")
    first = await editor.get("/api/heroes/1")
    assert first.json()["secret_name"] == "Dive Wilson"
    # One that is not sent again.
    again = await editor.get("/api/heroes/1", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    assert (await viewer.get("/api/heroes/1")).json()["secret_name"] is None
    await editor.patch("/api/heroes/1", json={"age": 7})
    await editor.patch("/api/heroes/1", json={"secret_name": "Own"})
    await editor.post("/api/heroes/", json={"name": "X", "secret_name": "Own"})
    read, changed = await told(stored)
    for event in (read, changed):
        assert (event.kind, event.key, event.title, event.count) == ("masked_read", "1", "Nova", 1)
    await editor.post("/heroes/1/reveal/secret_name")
    shown = await the_event(stored, "revealed")
    assert (shown.by_name, shown.key, shown.details) == (
        "Edward Editor",
        "1",
        {"fields": ["secret_name"]},
    )


# Refusals.


async def test_what_somebody_may_not_do_is_told_although_nothing_is_saved(
    viewer: Client, program: Client, client: Client, session: AsyncSession, stored: Stored
) -> None:
    await a_hero(session)
    headers = await made(client, scope="some", resource="heroes")
    await viewer.post("/heroes/1", data={"age": "7"})
    await viewer.get("/people?x=1")
    await viewer.delete("/api/heroes/1")
    await program.get("/api/teams/", headers=headers)
    await viewer.get(f"/heroes/{'x' * 9_000}/edit")
    *refused, long = await told(stored, "refused")
    assert len(long.details["path"]) == 1_000
    assert [
        (each.by_name, each.token, each.details["method"], each.details["path"]) for each in refused
    ] == [
        ("Vera Viewer", "", "POST", "/heroes/1"),
        ("Vera Viewer", "", "GET", "/people"),
        ("Vera Viewer", "", "DELETE", "/api/heroes/1"),
        ("Olive Owner", "ci", "GET", "/api/teams/"),
    ]


# Signing in, accounts and tokens.


async def test_signing_in_and_out_is_told(
    app: Starlette, session: AsyncSession, client: Client, stored: Stored
) -> None:
    hashed = app.state.auth.passwords
    await committed(session, a_user("Ann", Role.EDITOR, await hashed.hash(PASSWORD)))

    async def sign_in(name: str, password: str) -> Page:
        data = {"account.name": name, "account.password": password}
        return await other.post("/sign-in", data=data)

    async with client_of(app, address="192.0.2.7") as other:
        assert (await sign_in("ann", "wrong")).status_code == 422
        assert (await sign_in(PASSWORD, PASSWORD)).status_code == 422
        assert (await sign_in("ann", PASSWORD)).status_code == 303
        assert (await other.post("/sign-out")).status_code == 303
    assert [(each.kind, each.by_name, each.by_id, each.address) for each in await told(stored)] == [
        ("sign_in_failed", "Ann", None, "192.0.2.7"),
        # Nobody knows whose password was typed into the name field.
        ("sign_in_failed", "", None, "192.0.2.7"),
        ("signed_in", "Ann", 2, "192.0.2.7"),
        ("signed_out", "Ann", 2, "192.0.2.7"),
    ]


async def test_attempts_that_have_to_wait_write_nothing(
    client: Client, anonymous: Client, stored: Stored
) -> None:
    data = {"account.name": "Nobody", "account.password": "x"}
    statuses = [(await anonymous.post("/sign-in", data=data)).status_code for _ in range(9)]
    counted = 5
    assert statuses[-1] == 429
    assert len(await told(stored, "sign_in_failed")) == counted


async def test_changes_of_accounts_and_tokens_are_told_beside_the_history(
    client: Client, editor: Client, program: Client, session: AsyncSession, stored: Stored
) -> None:
    headers = await made(editor)
    await asyncio.gather(*(program.get("/api/teams/", headers=headers) for _ in range(5)))
    await until(lambda: is_used(stored))
    await client.post("/people/2/role", data={"role": "viewer"})
    await client.post("/people/2/tokens/1/revoke")
    await client.post("/people/2/disable")
    assert [(each.kind, each.by_name, each.title) for each in await told(stored)] == [
        ("token_added", "Edward Editor", "Edward Editor"),
        ("token_first_used", "Edward Editor", ""),
        ("role_changed", "Olive Owner", "Edward Editor"),
        ("token_revoked", "Olive Owner", "Edward Editor"),
        ("account_disabled", "Olive Owner", "Edward Editor"),
    ]
    added, first, changed, *_ = await told(stored)
    assert added.details["token"].startswith("ci (editor, until")
    assert (first.token, first.address) == ("ci", ADDRESS)
    assert changed.details == {"role": "viewer"}
    assert {each.resource for each in await told(stored, "role_changed")} == {"people"}
    # What is refused is no change.
    assert (await client.post("/people/1/role", data={"role": "viewer"})).status_code == 409
    assert len(await told(stored, "role_changed")) == 1


async def is_used(stored: Stored) -> bool:
    return bool(await told(stored, "token_first_used"))


async def test_an_expired_token_is_told_with_its_name_once_a_minute(
    app: Starlette, client: Client, program: Client, session: AsyncSession, stored: Stored
) -> None:
    headers = await made(client)
    await session.execute(update(ApiToken).values(expires_at=datetime.now(UTC)))
    await session.commit()
    for _ in range(3):
        assert (await program.get("/api/heroes/", headers=headers)).status_code == 401
    await program.get("/api/heroes/", headers={"Authorization": "Bearer hero_unknown"})
    event = await the_event(stored, "token_refused")
    assert (event.by_name, event.token) == ("Olive Owner", "ci")
    refused = app.state.auth.refused
    refused.update({digest: at - SEEN_EVERY for digest, at in refused.items()})
    await program.get("/api/heroes/", headers=headers)
    assert len(await told(stored, "token_refused")) == 2


# Where the database cannot be written.


@pytest.fixture
def settings(database_url: str) -> Settings:
    """The limits as operators have them."""
    return Settings(database_url=database_url)


@on_one_database
async def test_a_busy_database_gives_out_no_export_and_still_refuses(
    client: Client, viewer: Client, database: Database, stored: Stored
) -> None:
    async with database.session(is_read_only=False) as session:
        await session.execute(text("UPDATE hero SET age = age"))
        assert (await client.get("/heroes")).status_code == 200
        export, refusal = await asyncio.gather(client.get("/heroes.csv"), viewer.get("/people"))
        assert (export.status_code, refusal.status_code) == (503, 403)
        await session.rollback()
    assert (await client.get("/heroes.csv")).status_code == 200
    assert [each.kind for each in await told(stored)] == ["exported"]


@on_one_database
async def test_a_read_only_database_is_exported_and_told_in_the_log(
    client: Client,
    editor: Client,
    session: AsyncSession,
    stored: Stored,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await a_hero(session)

    async def refuse(*_: object) -> None:
        raise ReadOnly

    monkeypatch.setattr("hero_admin.audit_log.event_log.append", refuse)
    caplog.set_level("WARNING", "hero_admin.audit")
    assert (await client.get("/heroes.csv")).status_code == 200
    (line,) = [json.loads(each) for each in caplog.messages if each.startswith("{")]
    assert (line["kind"], line["by_name"], line["count"]) == ("exported", "Olive Owner", 1)
    assert line["details"]["format"] == "csv"
    # Nobody gets masked values.
    assert (await client.get("/api/heroes/1")).status_code == 503
    assert await told(stored) == []


class ReadOnly(Exception):
    """As PostgreSQL refuses to write."""

    sqlstate = "25006"
