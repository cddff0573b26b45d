"""Short reads of SQLite: answered without a trip to the thread, unless they take too long."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Select, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from webapp.database import Database, connect
from webapp.reading import fetch_few
from webapp.settings import Settings

NUMBERS = """(
    WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count})
    SELECT n FROM numbers
)"""


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    file = tmp_path / "numbers.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE number (n INTEGER)")
    database = connect(Settings(database_url=f"sqlite+aiosqlite:///{file}"))
    # The connection is there beforehand.
    async with database.session(is_read_only=True) as session:
        await session.execute(text("SELECT 1"))
    yield database
    await database.close()


def counting(count: int) -> Select[int]:
    return select(func.count()).select_from(text(NUMBERS.format(count=count)))


async def turns_during(
    session: AsyncSession, statement: Select[int]
) -> tuple[Sequence[Sequence[Any]], int]:
    """What the statement finds, and how often others had their turn meanwhile."""
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    counter = asyncio.create_task(count())
    found = await fetch_few(session, statement, {})
    counter.cancel()
    return found, turns


async def test_a_short_read_is_answered_at_once(database: Database) -> None:
    async with database.session(is_read_only=True) as session:
        assert await turns_during(session, counting(10)) == ([(10,)], 0)
        assert not session.in_transaction()


async def test_one_that_turns_out_slow_lets_others_go_on(database: Database) -> None:
    async with database.session(is_read_only=True) as session:
        found, turns = await turns_during(session, counting(1_000_000))
        assert found == [(1_000_000,)]
        assert turns > 0


async def test_one_that_meets_a_lock_waits_for_it_beside_the_others(
    database: Database, tmp_path: Path
) -> None:
    reading = select(func.count()).select_from(text("number"))
    with closing(sqlite3.connect(tmp_path / "numbers.db", isolation_level=None)) as other:
        # Without the log that lets everybody read meanwhile.
        other.execute("PRAGMA journal_mode = DELETE")
        async with database.session(is_read_only=True) as session:
            other.execute("BEGIN EXCLUSIVE")
            other.execute("INSERT INTO number VALUES (1)")
            finding = asyncio.create_task(fetch_few(session, reading, {}))
            await asyncio.sleep(0)
            assert not finding.done()
            other.execute("COMMIT")
            assert await finding == [(1,)]
