"""Short reads of SQLite need no trip to the thread, and longer ones come to an end."""

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Select, func, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.database import sqlite_interruption
from hero_admin.database.broken_texts import BrokenText
from hero_admin.database.engines import Database
from hero_admin.database.short_reads import fetch_few
from hero_admin.database.sqlite import Connection
from hero_admin.database.sqlite_interruption import quick_limit
from hero_admin.listing.search.connect import connect
from hero_admin.settings import Settings
from tests.server import PROJECT

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


def names_in(directory: Path) -> list[str]:
    return [file.name for file in directory.iterdir()]


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


async def test_nothing_is_left_open_by_one_that_comes_too_late(
    database: Database, tmp_path: Path
) -> None:
    assert database.loop_reader is not None
    assert database.loop_reader.fetch("SELECT 1", ()) == [(1,)]
    await database.close()
    assert database.loop_reader.fetch("SELECT 1", ()) is None
    assert names_in(tmp_path) == ["numbers.db"]


async def test_after_an_error_that_is_no_lock_the_file_is_opened_again(
    database: Database, tmp_path: Path
) -> None:
    reader = database.loop_reader
    assert reader is not None
    assert reader.fetch("SELECT nothing FROM nowhere", ()) is None
    assert reader.fetch("SELECT 1", ()) == [(1,)]


async def test_one_that_turns_out_slow_lets_others_go_on(database: Database) -> None:
    async with database.session(is_read_only=True) as session:
        found, turns = await turns_during(session, counting(1_000_000))
        assert found == [(1_000_000,)]
        assert turns > 0


@pytest.mark.parametrize(
    ("worked", "passed", "is_late"),
    [(0.001, 0.001, False), (0.001, 0.015, False), (0.003, 0.003, True), (0.001, 0.03, True)],
)
def test_time_that_another_program_takes_does_not_count_soon(
    monkeypatch: pytest.MonkeyPatch, worked: float, passed: float, is_late: bool
) -> None:
    clocks = {"thread_time": 5.0, "perf_counter": 7.0}
    monkeypatch.setattr(
        sqlite_interruption,
        "time",
        SimpleNamespace(
            thread_time=lambda: clocks["thread_time"], perf_counter=lambda: clocks["perf_counter"]
        ),
    )
    has_had_its_time = quick_limit()
    clocks["thread_time"] += worked
    clocks["perf_counter"] += passed
    assert has_had_its_time() == is_late


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


# In a process of its own, as a thread and the event loop that wait for each other never end.
CANCEL = """
import asyncio, sys
from sqlalchemy import text
from hero_admin.database.engines import connect
from hero_admin.settings import Settings

FOLDING = text(
    "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 9000000)"
    " SELECT count(fold('N' || n)) FROM numbers"
)

async def read(database, begun):
    async with database.session(is_read_only=True) as session:
        raw = await (await session.connection()).get_raw_connection()
        begun.set_result(raw.driver_connection)
        with raw.driver_connection.ending_after(60):
            await session.execute(FOLDING)

async def main():
    database = connect(Settings(database_url=sys.argv[1]))
    for _ in range(15):
        begun = asyncio.get_running_loop().create_future()
        reading = asyncio.create_task(read(database, begun))
        driver = await begun
        while not driver._is_running:
            await asyncio.sleep(0.001)
        reading.cancel()
        await asyncio.wait([reading])
        assert reading.cancelled()
    async with database.session(is_read_only=True) as session:
        print((await session.execute(text("SELECT 7"))).scalar_one())
    await database.close()

asyncio.run(main())
"""


def test_one_that_nobody_waits_for_any_more_holds_nobody_up(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'numbers.db'}"
    command = [sys.executable, "-c", CANCEL, url]
    done = subprocess.run(command, check=False, cwd=PROJECT, capture_output=True, timeout=60)
    assert done.stdout == b"7\n", done.stderr.decode()


async def test_one_that_takes_longer_than_it_may_is_interrupted(database: Database) -> None:
    async with database.session(is_read_only=True) as session:
        raw = await (await session.connection()).get_raw_connection()
        driver = raw.driver_connection
        assert isinstance(driver, Connection)
        with pytest.raises(OperationalError, match="interrupted"), driver.ending_after(0.05):
            await session.execute(counting(90_000_000))
        # The transaction goes on, and without a limit.
        assert (await session.execute(counting(1_000_000))).scalar_one() == 1_000_000


async def test_a_text_that_is_no_utf_8_is_read_found_and_written_as_it_is(
    database: Database, tmp_path: Path
) -> None:
    broken = BrokenText(b"\xff?'")
    with closing(sqlite3.connect(tmp_path / "numbers.db")) as connection:
        connection.execute('CREATE TABLE name ("of?" TEXT, n INTEGER)')
        rows = [("fine", n) for n in range(1500)]
        connection.executemany("INSERT INTO name VALUES (?, ?)", rows)
        connection.execute("INSERT INTO name VALUES (CAST(x'ff3f27' AS TEXT), 1500)")
        connection.commit()
    reading = text("SELECT \"of?\", n, '?' FROM name ORDER BY n")
    async with database.session(is_read_only=True) as session:
        found = (await session.execute(reading)).all()
        assert [row[1] for row in found] == list(range(1501))
        assert found[-1][0] == broken
        assert type(found[-1][0]) is BrokenText
        streamed = await session.stream(reading, execution_options={"yield_per": 500})
        assert [row[1] async for row in streamed] == list(range(1501))
    wanted = text("SELECT n FROM name WHERE '?' = '?' AND \"of?\" = :name")
    async with database.session(is_read_only=False) as session:
        assert (await session.execute(wanted, {"name": broken})).scalar_one() == 1500
        await session.execute(text("INSERT INTO name VALUES (:name, 7000)"), {"name": broken})
        kind = text('SELECT typeof("of?"), hex("of?") FROM name WHERE n = 7000')
        assert tuple((await session.execute(kind)).one()) == ("text", "FF3F27")
    assert database.loop_reader is not None
    sql = 'SELECT n FROM name WHERE "of?" = ?'
    assert database.loop_reader.fetch(sql, (broken,)) == [(1500,)]
