"""Sessions: they end when they should, everywhere at once, and cost nobody anything."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col
from starlette.applications import Starlette

from tests.html import form_of, submit
from tests.serving import client_of, serving
from tests.signing_in import LIMITS
from tests.statements import Statements
from tests.stored import Stored
from tests.waiting import until
from webapp.accounts import changes
from webapp.accounts.sessions import UserSession, end_sessions, fetch_sessions
from webapp.accounts.users import User
from webapp.app import create_app
from webapp.history import Operation
from webapp.identity import COMMAND_LINE, Role
from webapp.settings import Settings

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
    app: Starlette, client: httpx.AsyncClient, stored: Stored
) -> None:
    async with client_of(app) as copy:
        copy.cookies.set("session", client.cookies["session"])
        assert (await copy.get("/heroes")).status_code == 200
        page = await client.get("/heroes")
        out = await submit(client, form_of(page, press="Sign out"))
        assert (out.status_code, out.headers["location"]) == (303, "/sign-in")
        assert "session" not in client.cookies
        assert (await copy.get("/heroes")).status_code == 303
    assert await stored.count(UserSession) == 0


async def test_signing_out_twice_is_no_error(anonymous: httpx.AsyncClient) -> None:
    assert (await anonymous.post("/sign-out")).status_code == 303


async def test_a_session_ends_when_it_was_not_used_for_long(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    await move(session, seen_at=timedelta(hours=12))
    assert (await client.get("/heroes")).status_code == 303
    await move(session, seen_at=timedelta(hours=11, minutes=59))
    assert (await client.get("/heroes")).status_code == 200


async def test_a_session_ends_some_day_however_much_it_is_used(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    await move(session, ends_at=timedelta(seconds=1))
    assert (await client.get("/heroes")).status_code == 303


async def test_the_limits_are_those_of_the_settings(settings: Settings, stored: Stored) -> None:
    given = {"session_idle_hours": 1.0, "session_days": 2.0}
    app = create_app(settings.model_copy(update=given))
    limits = app.state.door.limits
    assert (limits.idle, limits.absolute) == (timedelta(hours=1), timedelta(days=2))


@pytest.mark.parametrize("token", ["", "x", "x" * 43, "x" * 5000, "ünïcode", "a b;c"])
async def test_a_token_that_nobody_handed_out_is_worth_nothing(
    anonymous: httpx.AsyncClient, token: str
) -> None:
    headers = {b"Cookie": f"session={token}".encode()}
    assert (await anonymous.get("/heroes", headers=headers)).status_code == 303


async def test_disabling_an_account_ends_its_sessions_at_once(
    client: httpx.AsyncClient, editor: httpx.AsyncClient, session: AsyncSession, stored: Stored
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


async def test_another_role_holds_from_the_next_request_on(
    editor: httpx.AsyncClient, session: AsyncSession, stored: Stored
) -> None:
    (user,) = [each for each in await stored.all(User) if each.role == Role.EDITOR]
    assert user.id is not None
    await changes.change_role(session, BY, user.id, Role.VIEWER)
    await session.commit()
    assert (await editor.get("/heroes/new")).status_code == 403


async def test_a_new_password_ends_all_sessions_but_the_one_it_is_set_in(
    client: httpx.AsyncClient, session: AsyncSession, stored: Stored
) -> None:
    (own,) = await stored.all(UserSession)
    session.add(UserSession(**{**own.model_dump(), "digest": "0" * 64}))
    await session.commit()
    assert len(await fetch_sessions(session, own.user_id, LIMITS)) == 2
    await changes.set_password(session, BY, own.user_id, "hash", but=own.digest)
    await session.commit()
    assert [each.digest for each in await stored.all(UserSession)] == [own.digest]
    await end_sessions(session, own.user_id)
    await session.commit()
    assert (await client.get("/heroes")).status_code == 303


# When it was last seen


async def test_a_session_in_use_is_marked_once_a_minute_and_after_the_answer(
    app: Starlette, client: httpx.AsyncClient, session: AsyncSession, stored: Stored
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


async def test_a_locked_or_read_only_database_keeps_nobody_from_reading(
    sqlite_url: str,
) -> None:
    app = create_app(Settings(database_url=sqlite_url, request_timeout_seconds=1200))
    async with serving(app, role=Role.OWNER) as client:
        async with app.state.database.session(is_read_only=False) as session:
            await move(session, seen_at=timedelta(hours=1))
        async with locked(sqlite_url), asyncio.timeout(60):
            assert (await client.get("/heroes")).status_code == 200
        async with app.state.database.session(is_read_only=False) as session:
            await session.execute(text("PRAGMA query_only = ON"))
        assert (await client.get("/heroes")).status_code == 200


async def test_a_page_costs_one_statement_more_and_writes_nothing(
    client: httpx.AsyncClient, statements: Statements
) -> None:
    with statements() as executed:
        await client.get("/heroes/new")
    assert [each for each in executed if "user_session" in each] == executed[:1]
    assert all(each.startswith("SELECT") for each in executed)


async def test_sessions_long_over_are_removed_when_somebody_signs_in(
    client: httpx.AsyncClient, viewer: httpx.AsyncClient, session: AsyncSession, stored: Stored
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
