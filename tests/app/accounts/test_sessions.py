"""Sessions: they end when they should, everywhere at once, and cost nobody anything."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col
from starlette.applications import Starlette
from starlette.exceptions import HTTPException

from hero_admin.accounts import changes
from hero_admin.accounts.sessions import (
    UserSession,
    fetch_sessions,
    key_check_of,
    start_session,
)
from hero_admin.accounts.stored_key import fetch_key
from hero_admin.accounts.users import User
from hero_admin.audit_log.changes import Operation
from hero_admin.database.engines import Database
from hero_admin.listing.search.connect import connect
from hero_admin.person import COMMAND_LINE, Role
from hero_admin.settings import Settings, with_key
from hero_admin.testing import Client
from tests.cases import on_one_database
from tests.postgres import PostgresServer
from tests.server import Server, running_server
from tests.serving import client_of, serving
from tests.signing_in import LIMITS, VISITOR
from tests.statements import Statements
from tests.stored import Stored
from tests.waiting import until
from webapp.app import admin

BY = Operation(COMMAND_LINE, "command")


async def move(session: AsyncSession, **ago: timedelta) -> None:
    """Let the moments of all sessions have been so long ago."""
    now = datetime.now(UTC)
    await session.execute(update(UserSession).values({name: now - by for name, by in ago.items()}))
    await session.commit()


async def seen(stored: Stored) -> datetime:
    (found,) = await stored.all(UserSession)
    return found.seen_at


async def test_signing_out_ends_the_session_wherever_its_cookie_was_copied_to(
    app: Starlette, client: Client, stored: Stored
) -> None:
    async with client_of(app) as copy:
        copy.cookies.set("session", client.cookies["session"])
        assert (await copy.get("/heroes")).status_code == 200
        page = await client.get("/heroes")
        out = await client.submit(page.form(press="Sign out"))
        assert (out.status_code, out.headers["location"]) == (303, "/sign-in")
        assert "session" not in client.cookies
        assert (await copy.get("/heroes")).status_code == 303
    assert await stored.count(UserSession) == 0


async def test_signing_out_twice_is_no_error(anonymous: Client) -> None:
    assert (await anonymous.post("/sign-out")).status_code == 303


async def test_a_session_ends_when_it_was_not_used_for_long(
    client: Client, session: AsyncSession
) -> None:
    await move(session, seen_at=timedelta(hours=12))
    assert (await client.get("/heroes")).status_code == 303
    await move(session, seen_at=timedelta(hours=11, minutes=59))
    assert (await client.get("/heroes")).status_code == 200


async def test_a_session_ends_some_day_however_much_it_is_used(
    client: Client, session: AsyncSession
) -> None:
    await move(session, ends_at=timedelta(seconds=1))
    assert (await client.get("/heroes")).status_code == 303


async def test_the_limits_are_those_of_the_settings(settings: Settings, stored: Stored) -> None:
    given = {"session_idle_hours": 1.0, "session_days": 2.0}
    app = admin.application(settings.model_copy(update=given))
    limits = app.state.auth.limits
    assert (limits.idle, limits.absolute) == (timedelta(hours=1), timedelta(days=2))


@on_one_database
@pytest.mark.parametrize("token", ["", "x", "x" * 43, "x" * 5000, "ünïcode", "a b;c"])
async def test_a_token_that_nobody_handed_out_is_worth_nothing(
    anonymous: Client, token: str
) -> None:
    headers = {b"Cookie": f"session={token}".encode()}
    assert (await anonymous.get("/heroes", headers=headers)).status_code == 303


async def test_disabling_an_account_ends_its_sessions_at_once(
    client: Client, editor: Client, session: AsyncSession, stored: Stored
) -> None:
    (user,) = [each for each in await stored.all(User) if each.role == Role.EDITOR]
    assert user.id is not None
    assert (await editor.get("/heroes")).status_code == 200
    await changes.disable(session, BY, user.id)
    await session.commit()
    assert (await editor.get("/heroes")).status_code == 303
    await changes.enable(session, BY, user.id)
    await session.commit()
    assert (await editor.get("/heroes")).status_code == 303
    assert (await client.get("/heroes")).status_code == 200


async def test_an_account_that_another_program_has_deleted_is_not_found(
    session: AsyncSession,
) -> None:
    with pytest.raises(HTTPException) as caught:
        await changes.change_role(session, BY, 999, Role.VIEWER)
    assert caught.value.status_code == 404


async def test_another_role_holds_from_the_next_request_on(
    editor: Client, session: AsyncSession, stored: Stored
) -> None:
    (user,) = [each for each in await stored.all(User) if each.role == Role.EDITOR]
    assert user.id is not None
    await changes.change_role(session, BY, user.id, Role.VIEWER)
    await session.commit()
    assert (await editor.get("/heroes/new")).status_code == 403


async def test_a_new_password_ends_all_sessions(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    (own,) = await stored.all(UserSession)
    session.add(UserSession(**{**own.model_dump(), "digest": "0" * 64}))
    await session.commit()
    assert len(await fetch_sessions(session, own.user_id, LIMITS)) == 2
    await changes.set_password(session, BY, own.user_id, "hash")
    await session.commit()
    assert await stored.all(UserSession) == []
    assert (await client.get("/heroes")).status_code == 303


# When it was last seen


async def test_a_session_in_use_is_marked_once_a_minute_and_after_the_answer(
    app: Starlette, client: Client, session: AsyncSession, stored: Stored
) -> None:
    before = await seen(stored)
    await client.get("/heroes")
    assert await seen(stored) == before
    await move(session, seen_at=timedelta(minutes=1))
    start = datetime.now(UTC)
    await asyncio.gather(*(client.get("/heroes") for _ in range(5)))

    async def is_marked() -> bool:
        return await seen(stored) >= start

    await until(is_marked)


@asynccontextmanager
async def locked(url: str) -> AsyncIterator[None]:
    other = sqlite3.connect(url.removeprefix("sqlite+aiosqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.close()


async def test_a_locked_or_read_only_database_keeps_nobody_from_reading(sqlite_url: str) -> None:
    app = admin.application(Settings(database_url=sqlite_url, request_timeout_seconds=1200))
    async with serving(app, role=Role.OWNER) as client:
        async with app.state.database.session(is_read_only=False) as session:
            await move(session, seen_at=timedelta(hours=1))
        async with locked(sqlite_url), asyncio.timeout(60):
            assert (await client.get("/heroes")).status_code == 200
        async with app.state.database.session(is_read_only=False) as session:
            await session.execute(text("PRAGMA query_only = ON"))
        assert (await client.get("/heroes")).status_code == 200


async def test_a_page_costs_one_statement_more_and_writes_nothing(
    client: Client, statements: Statements
) -> None:
    with statements() as executed:
        await client.get("/heroes/new")
    assert [each for each in executed if "hero_admin_session" in each] == executed[:1]
    assert all(each.startswith("SELECT") for each in executed)


async def test_sessions_long_over_are_removed_when_somebody_signs_in(
    client: Client, viewer: Client, session: AsyncSession, stored: Stored
) -> None:
    await session.execute(
        update(UserSession)
        .where(col(UserSession.user_id) == 1)
        .values(seen_at=datetime.now(UTC) - timedelta(days=1))
    )
    await session.commit()
    (user,) = [each for each in await stored.all(User) if each.role == Role.VIEWER]
    assert user.id is not None
    await changes.set_password(session, BY, user.id, "x")
    await session.commit()
    assert await stored.count(UserSession) == 1


# The secret key.

KEY, OTHER_KEY = SecretStr("k" * 32), SecretStr("o" * 32)


async def keyed(settings: Settings, key: SecretStr | None) -> Settings:
    """The settings of a server that is started with a key or without one."""
    if key is not None:
        return settings.model_copy(update={"secret_key": key})
    database = connect(settings)
    stored = with_key(settings, await fetch_key(database))
    await database.close()
    return stored


async def test_the_key_of_a_database_is_made_once_and_is_the_same_for_all(
    settings: Settings, database: Database
) -> None:
    keys = await asyncio.gather(*(fetch_key(database) for _ in range(5)))
    again = await keyed(settings, None)
    assert {f"stored:{key}" for key in keys} == {again.secret_key.get_secret_value()}
    assert len(keys[0]) >= 32


@asynccontextmanager
async def restarted(settings: Settings, key: SecretStr | None, token: str) -> AsyncIterator[Client]:
    """A browser with a session of before, at a server with a key, None for that of the database."""
    app = admin.application(await keyed(settings, key))
    async with serving(app) as client:
        client.cookies.set("session", token, domain="localhost.local")
        yield client


async def is_in(client: Client) -> bool:
    """Whether a session goes on, by page, by program and for what is sent."""
    page, listed = await client.get("/heroes"), await client.get("/api/heroes/")
    sent = await client.post("/api/teams/", json={})
    statuses = (page.status_code, listed.status_code, sent.status_code)
    assert statuses in {(200, 200, 422), (303, 401, 401)}
    return statuses[0] == 200


@on_one_database
@pytest.mark.parametrize(
    ("before", "after", "goes_on"),
    [
        (KEY, KEY, True),
        (KEY, OTHER_KEY, False),
        (KEY, None, False),
        (None, KEY, False),
        (None, None, True),
    ],
)
async def test_a_session_ends_with_the_secret_key(
    settings: Settings, before: SecretStr | None, after: SecretStr | None, *, goes_on: bool
) -> None:
    app = admin.application(await keyed(settings, before))
    async with serving(app, role=Role.OWNER) as client:
        assert await is_in(client)
        token = client.cookies["session"]
    async with restarted(settings, after, token) as client:
        assert await is_in(client) is goes_on
        sent = await client.post("/teams", data={})
        assert sent.status_code == (422 if goes_on else 401)


async def test_a_session_of_another_key_is_not_listed_as_open(
    client: Client, session: AsyncSession
) -> None:
    limits = replace(LIMITS, key_check=key_check_of("another"))
    assert len(await fetch_sessions(session, 1, LIMITS)) == 1
    await start_session(session, 1, limits, VISITOR)
    assert len(await fetch_sessions(session, 1, LIMITS)) == 1
    assert len(await fetch_sessions(session, 1, limits)) == 1


async def unbind(session: AsyncSession) -> None:
    """Leave sessions as the version before did, which knew of no key."""
    await session.execute(update(UserSession).values(key_check=None))
    await session.commit()


async def status_at(server: Server, token: str) -> int:
    async with Client(httpx.AsyncClient(base_url=server.url, cookies={"session": token})) as client:
        return (await client.get("/heroes")).status_code


async def test_a_session_of_the_version_before_goes_on_until_the_key_changes(
    settings: Settings, client: Client, session: AsyncSession, tmp_path: Path
) -> None:
    await unbind(session)
    token = client.cookies["session"]
    environment = {
        "WEBAPP_DATABASE_URL": settings.database_url,
        "WEBAPP_SECRET_KEY": KEY.get_secret_value(),
    }
    with running_server(tmp_path / "log", environment) as server:
        assert await status_at(server, token) == 200
    async with restarted(settings, KEY, token) as same:
        assert await is_in(same)
    async with restarted(settings, OTHER_KEY, token) as another:
        assert not await is_in(another)


async def test_it_gets_the_key_also_when_it_is_marked_as_seen(
    settings: Settings, client: Client, session: AsyncSession, stored: Stored
) -> None:
    await unbind(session)
    await move(session, seen_at=timedelta(minutes=1))
    token = client.cookies["session"]

    async def is_bound() -> bool:
        (found,) = await stored.all(UserSession)
        return found.key_check == key_check_of(KEY.get_secret_value())

    async with restarted(settings, KEY, token) as same:
        assert await is_in(same)
        await until(is_bound)
    async with restarted(settings, OTHER_KEY, token) as another:
        assert not await is_in(another)


async def test_a_standby_server_starts_with_sessions_of_the_version_before(
    postgres: PostgresServer, postgres_url: str, tmp_path: Path
) -> None:
    settings = Settings(database_url=postgres_url)
    async with serving(admin.application(settings), role=Role.OWNER) as client:
        token = client.cookies["session"]
    environment = {"WEBAPP_DATABASE_URL": postgres_url}
    async with postgres.connected("hero_admin") as other:
        await other.execute("UPDATE hero_admin_session SET key_check = NULL")
        await other.execute("ALTER DATABASE hero_admin SET default_transaction_read_only = on")
        try:
            with running_server(tmp_path / "log", environment) as server:
                assert await status_at(server, token) == 200
        finally:
            await other.execute("ALTER DATABASE hero_admin RESET default_transaction_read_only")
