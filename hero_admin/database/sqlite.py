"""SQLite connections: aiosqlite with explicit transactions, and few trips to its thread.

A query takes one trip; a short read of `hero_admin.database.short_reads` usually none.
"""

import sqlite3
from pathlib import Path
from typing import Any

from hero_admin.database.sqlite_cursor import Cursor
from hero_admin.database.sqlite_files import open_file
from hero_admin.database.sqlite_thread import Endings
from hero_admin.database.sqlite_transactions import Begin, Finish, TransactionConnection


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
