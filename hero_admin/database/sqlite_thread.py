"""The thread of an SQLite connection: trips to it, and connections given up in mid-query."""

import asyncio
import sqlite3
from collections.abc import Callable

import aiosqlite

from hero_admin.database.sqlite_interruption import interrupted

INTERRUPT_SECONDS = 0.05

Endings = set[asyncio.Future[object]]


class ThreadConnection(aiosqlite.Connection):
    """A connection whose query can be interrupted, and whose end no request waits for.

    endings: where it enters its end, for whoever closes the database to wait for.
    """

    def __init__(
        self, connector: Callable[[], sqlite3.Connection], endings: Endings, rows_per_trip: int
    ) -> None:
        super().__init__(connector, iter_chunk_size=rows_per_trip)
        # A thread stuck on a slow disk must not keep the process from ending.
        self._thread.daemon = True
        self._endings = endings
        self._trips_begun = self._trips_ended = 0
        self._is_running = False
        self._is_terminated = False

    async def in_thread(self, function: Callable[..., object], *arguments: object) -> None:
        """Make one trip: call the function in the connection's thread."""

        def travel() -> None:
            try:
                function(*arguments)
            finally:
                self._trips_ended += 1

        self._trips_begun += 1
        await self._execute(travel)  # type: ignore[no-untyped-call]

    @property
    def is_idle(self) -> bool:
        return self._trips_begun == self._trips_ended

    def is_closed(self) -> bool:
        """Whether it can no longer be used. As in asyncpg."""
        return self._is_terminated or not self._running

    def terminate(self) -> None:
        """Interrupt the query under way and refuse everything afterwards. As in asyncpg."""
        self._is_terminated = True
        self._interrupt()

    async def close(self) -> None:
        # Whoever waited for a query that is still under way was cancelled.
        if self._is_running:
            self.terminate()
        if not self._is_terminated:
            await super().close()
            return
        # The thread does both when its query has ended, which no request waits for. Closing alone
        # would keep the locks for as long as the traceback of some error keeps a cursor.
        self._tx.put_nowait((None, self._roll_back))
        self.stop()

    def stop(self) -> asyncio.Future[object] | None:
        ending = super().stop()
        if ending is not None:
            self._endings.add(ending)
            ending.add_done_callback(self._endings.discard)
        return ending

    def _roll_back(self) -> None:
        self._conn.rollback()

    def _interrupt(self) -> None:
        if self._is_running:
            self._conn.interrupt()
            # An interruption between two steps of the query is lost.
            asyncio.get_running_loop().call_later(INTERRUPT_SECONDS, self._interrupt)

    def _check_use(self) -> None:
        if self._is_terminated:
            raise interrupted("interrupted")
