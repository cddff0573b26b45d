"""The transactions of an SQLite connection, and how queries run in them."""

import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Literal

from hero_admin.database.sqlite_files import set_busy_timeout
from hero_admin.database.sqlite_interruption import (
    interrupt_when,
    interrupted,
    is_transient,
    quick_limit,
)
from hero_admin.database.sqlite_thread import Endings, ThreadConnection

# For another process that migrates a large database.
PATIENT_SECONDS = 600.0
# What may run in the event loop; a write may not: interrupted, it undoes the whole transaction.
AT_ONCE = ("SELECT", "SAVEPOINT", "RELEASE")
# SQLAlchemy asks it of each new engine, and must not wait for another writer to do so.
FIRST_QUERY = "PRAGMA read_uncommitted"
# Rows that travel together with the query; the rest of a longer answer follows in further trips.
ROWS_PER_TRIP = 1000

Begin = Literal["BEGIN", "BEGIN IMMEDIATE"]
Finish = Callable[[sqlite3.Connection], None]


class TransactionConnection(ThreadConnection):
    """A connection that begins its transactions itself, as Python's driver does too late."""

    def __init__(
        self,
        connector: Callable[[], sqlite3.Connection],
        begin: Begin,
        endings: Endings,
        busy_seconds: float,
        finish: Finish | None = None,
    ) -> None:
        super().__init__(connector, endings, ROWS_PER_TRIP)
        self._begin = begin
        self._is_read_only = begin == "BEGIN"
        self._busy_seconds = busy_seconds
        self._finish = finish
        self._is_in_transaction = False
        self._deadline = float("inf")

    # Any: parameters are SQLAlchemy's, passed on unread.
    def run(self, query: Callable[[str, Any], object], sql: str, parameters: Any) -> None:
        """Run a query in the transaction, beginning one if needed; in the connection's thread."""
        self._is_running = True
        try:
            self._check_use()
            if self._is_in_transaction:
                self._check_transaction()
            elif sql != FIRST_QUERY:
                self._conn.execute(self._begin)
                self._is_in_transaction = True
            query(sql, parameters)
        finally:
            self._is_running = False

    # Any: the same.
    def run_at_once(self, query: Callable[[str, Any], object], sql: str, parameters: Any) -> bool:
        """Run a query in the event loop, if it takes no longer than a trip to the thread would.

        Return whether it did. It is given up when it takes longer, or meets a lock.
        """
        is_free = self._is_read_only or self._is_in_transaction
        if not is_free or not self.is_idle or not sql.startswith(AT_ONCE):
            return False
        is_late = quick_limit()
        interrupt_when(self._conn, lambda: is_late() or self._is_late())
        try:
            self.run(query, sql, parameters)
        except sqlite3.OperationalError as error:
            if is_transient(error) and not self._is_terminated:
                return False
            raise
        finally:
            interrupt_when(self._conn, self._is_late)
        return True

    # Any: the same.
    def run_patiently(self, query: Callable[[str, Any], object], sql: str, parameters: Any) -> None:
        """Run a query, and wait for locks; in the connection's thread."""
        if not self._is_read_only:
            self.run(query, sql, parameters)
            return
        set_busy_timeout(self._conn, self._busy_seconds)
        try:
            self.run(query, sql, parameters)
        finally:
            set_busy_timeout(self._conn, 0)

    def fetch_more(self, fetch: Callable[[int], None], size: int) -> None:
        """Fetch more rows of a query, which may take as long; in the connection's thread."""
        self._is_running = True
        try:
            self._check_use()
            fetch(size)
        finally:
            self._is_running = False

    @contextmanager
    def ending_after(self, seconds: float) -> Iterator[None]:
        """Interrupt a query inside that goes on for longer: OperationalError, SQLITE_INTERRUPT."""
        self._deadline = time.perf_counter() + seconds
        interrupt_when(self._conn, self._is_late)
        try:
            yield
        finally:
            self._deadline = float("inf")

    @asynccontextmanager
    async def rebuilding(self) -> AsyncIterator[None]:
        """Let the transaction inside make tables anew, and wait long for one that does so too.

        SQLite changes a table by dropping it, and a foreign key would clear what refers to it.
        """
        await self._configure(foreign_keys=0, busy_timeout=round(PATIENT_SECONDS * 1000))
        try:
            yield
        finally:
            patience = 0 if self._is_read_only else round(self._busy_seconds * 1000)
            await self._configure(foreign_keys=1, busy_timeout=patience)

    async def commit(self) -> None:
        if self._is_in_transaction:
            await self.in_thread(self._commit)

    async def rollback(self) -> None:
        if not self._is_in_transaction:
            return
        # Where nothing is written there is nothing to undo, which takes no time.
        if self._is_read_only and self.is_idle:
            self._roll_back()
        else:
            await self.in_thread(self._roll_back)

    def _commit(self) -> None:
        try:
            self._check_use()
            self._check_transaction()
            if self._finish is not None:
                self._finish(self._conn)
                self._check_use()
                self._check_transaction()
            self._conn.commit()
        except BaseException:
            # SQLAlchemy takes a failed commit for the end of the transaction; SQLite does not.
            self._conn.rollback()
            raise
        finally:
            self._is_in_transaction = False

    def _roll_back(self) -> None:
        super()._roll_back()
        self._is_in_transaction = False

    def _check_transaction(self) -> None:
        # SQLite ends a transaction by itself when, say, the disk is full; what came after would
        # otherwise be committed without what came before.
        if not self._conn.in_transaction:
            raise interrupted("the transaction was rolled back")

    def _is_late(self) -> bool:
        return time.perf_counter() > self._deadline

    async def _configure(self, **pragmas: int) -> None:
        for name, value in pragmas.items():
            await self.in_thread(self._conn.execute, f"PRAGMA {name} = {value}")
