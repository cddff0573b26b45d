"""The event loop's own connection to SQLite, for reads shorter than a trip to a thread."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hero_admin.database.broken_texts import bindable, decoded, is_undecodable
from hero_admin.database.sqlite_files import open_file
from hero_admin.database.sqlite_interruption import interrupt_when, is_transient, quick_limit


class LoopReader:
    """Reads outside of any transaction, in the event loop; longer reads are for sessions."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._is_closed = False

    # Any: values of any column.
    def fetch(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]] | None:
        """Fetch rows; None where that takes longer than `quick_limit`, meets a lock, or fails."""
        if self._is_closed:
            return None
        connection = self._connection
        try:
            connection = connection or self._connect()
            interrupt_when(connection, quick_limit())
            return connection.execute(*bindable(sql, parameters)).fetchall()
        except sqlite3.Error as error:
            if connection is not None and is_undecodable(error):
                connection.text_factory = decoded
            elif not is_transient(error):
                self._disconnect()
            return None
        # The session reports why a value cannot be bound.
        except (OverflowError, ValueError):
            return None

    def close(self) -> None:
        self._is_closed = True
        self._disconnect()

    def _connect(self) -> sqlite3.Connection:
        self._connection = open_file(self._path, is_read_only=True, busy_seconds=0)
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
