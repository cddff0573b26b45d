"""SQLite connections: aiosqlite with explicit transactions, and few trips to its thread.

A query takes one trip, on which its first rows come back; a short read of
`hero_admin.database.short_reads` usually none.
"""

import sqlite3
from collections import deque
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Self

import aiosqlite

from hero_admin.database.broken_texts import BrokenText, bindable, decoded, is_undecodable
from hero_admin.database.sqlite_files import open_file
from hero_admin.database.sqlite_thread import Endings
from hero_admin.database.sqlite_transactions import (
    ROWS_PER_TRIP,
    Begin,
    Finish,
    TransactionConnection,
)


class Connection(TransactionConnection):
    """What SQLAlchemy is given as a connection."""

    # Any: aiosqlite wraps its own cursor in a type that SQLAlchemy never looks at.
    def cursor(self) -> Any:
        return Cursor(self, self._conn.cursor())


async def connect(
    path: Path,
    *,
    is_read_only: bool,
    endings: Endings,
    busy_seconds: float,
    finish: Finish | None = None,
) -> Connection:
    """Open an existing database file. Raises sqlite3.OperationalError.

    It waits for locks for `busy_seconds`. Whoever closes the database waits for the `endings` of
    connections that nobody waited for. What was changed is handed to `finish` before it is
    committed, in the thread of the connection.
    """
    begin: Begin = "BEGIN" if is_read_only else "BEGIN IMMEDIATE"

    def connector() -> sqlite3.Connection:
        return open_file(path, is_read_only=is_read_only, busy_seconds=busy_seconds)

    connection = Connection(connector, begin, endings, busy_seconds, finish)
    await connection
    return connection


class Cursor(aiosqlite.Cursor):
    """A cursor whose first rows come back with the query, on the same trip."""

    _conn: TransactionConnection

    def __init__(self, connection: TransactionConnection, cursor: sqlite3.Cursor) -> None:
        super().__init__(connection, cursor)
        self._rows: deque[sqlite3.Row] = deque()
        self._is_exhausted = True
        # Any: the same.
        self._query: tuple[str, Sequence[Any]] = ("", ())
        self._fetched_count = 0

    async def execute(self, sql: str, parameters: Iterable[Any] | None = None) -> Self:
        query, given = self._execute_and_fetch, tuple(parameters or ())
        if self._conn.run_at_once(query, sql, given):
            return self
        await self._conn.in_thread(self._conn.run_patiently, query, sql, given)
        return self

    async def executemany(self, sql: str, parameters: Iterable[Iterable[Any]]) -> Self:
        each = list(map(tuple, parameters))
        if any(type(value) is BrokenText for given in each for value in given):
            for given in each:
                await self.execute(sql, given)
            return self
        await self._conn.in_thread(self._conn.run, self._cursor.executemany, sql, each)
        return self

    async def fetchone(self) -> sqlite3.Row | None:
        rows = await self.fetchmany(1)
        return rows[0] if rows else None

    async def fetchmany(self, size: int | None = None) -> list[sqlite3.Row]:
        wanted = size or self.arraysize
        missing = wanted - len(self._rows)
        if missing > 0 and not self._is_exhausted:
            await self._conn.in_thread(self._conn.fetch_more, self._fetch, missing)
        return [self._rows.popleft() for _ in range(min(wanted, len(self._rows)))]

    async def fetchall(self) -> deque[sqlite3.Row]:
        if not self._is_exhausted:
            await self._conn.in_thread(self._conn.fetch_more, self._fetch, -1)
        rows, self._rows = self._rows, deque()
        return rows

    async def close(self) -> None:
        self._rows.clear()
        # An exhausted statement holds nothing that would be worth a trip.
        if not self._is_exhausted:
            await super().close()

    def _execute_and_fetch(self, sql: str, parameters: tuple[Any, ...]) -> None:
        self._query, self._fetched_count = bindable(sql, parameters), 0
        self._cursor.execute(*self._query)
        if self._cursor.description:
            self._fetch(ROWS_PER_TRIP)

    def _fetch(self, size: int) -> None:
        try:
            rows = self._fetch_rows(size)
        except sqlite3.OperationalError as error:
            if not is_undecodable(error):
                raise
            # From now on this connection takes the time to decode each text by itself.
            self._conn.text_factory = decoded
            self._cursor.execute(*self._query)
            # A transaction sees the same rows in the same order.
            for _ in range(self._fetched_count):
                self._cursor.fetchone()
            rows = self._fetch_rows(size)
        self._rows.extend(rows)
        self._fetched_count += len(rows)
        self._is_exhausted = size < 0 or len(rows) < size

    def _fetch_rows(self, size: int) -> list[sqlite3.Row]:
        return self._cursor.fetchall() if size < 0 else self._cursor.fetchmany(size)
