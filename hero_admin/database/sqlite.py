"""SQLite connections: aiosqlite with explicit transactions, and few trips to its thread.

A query takes one trip; a short read of `hero_admin.database.short_reads` usually none.
"""

import asyncio
import os
import re
import sqlite3
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import quote

import aiosqlite

from hero_admin.database.digests import bytes_digest
from hero_admin.database.folding import fold

# For another process that migrates a large database.
PATIENT_SECONDS = 600.0
INTERRUPT_SECONDS = 0.05
# A trip to the thread costs more than reading a few rows by an index, so that has a moment in the
# event loop.
QUICK_SECONDS = 0.002
STEPS_PER_LOOK = 5000
# What may be tried there; what writes may not: interrupted, it undoes the whole transaction.
AT_ONCE = ("SELECT", "SAVEPOINT", "RELEASE")
# What says nothing against the connection.
PASSING = (sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_BUSY)
# Rows that travel together with the query; the rest of a longer answer follows in further trips.
ROWS_PER_TRIP = 1000
# SQLAlchemy asks it of each new engine, and must not wait for another writer to do so.
FIRST_QUERY = "PRAGMA read_uncommitted"

# What Python's driver says of a text that is no UTF-8, as some programs write them.
UNDECODABLE = "Could not decode to UTF-8"

# What only our own queries call: the digest of bytes, which PostgreSQL has by itself.
DIGEST_FUNCTION = "digest_of_bytes"

Begin = Literal["BEGIN", "BEGIN IMMEDIATE"]
Endings = set[asyncio.Future[object]]
Finish = Callable[[sqlite3.Connection], None]


class BrokenText(bytes):
    """A text as SQLite has it whose bytes are no UTF-8."""


async def connect(
    path: Path,
    *,
    is_read_only: bool,
    endings: Endings,
    busy_seconds: float,
    finish: Finish | None = None,
) -> "Connection":
    """Open an existing database file. Raises sqlite3.OperationalError.

    It waits for locks for `busy_seconds`. Whoever closes the database waits for the `endings` of
    connections that nobody waited for. What was changed is handed to `finish` before it is
    committed, in the thread of the connection.
    """
    begin: Begin = "BEGIN" if is_read_only else "BEGIN IMMEDIATE"

    def open_file() -> sqlite3.Connection:
        return _open(path, is_read_only=is_read_only, busy_seconds=busy_seconds)

    connection = Connection(open_file, begin, endings, busy_seconds, finish)
    await connection
    return connection


def _open(path: Path, *, is_read_only: bool, busy_seconds: float) -> sqlite3.Connection:
    # mode=rw: a file that vanished is an error, not a fresh database without tables.
    mode = "mode=ro&immutable=1" if is_unchangeable(path) else "mode=rw"
    opened = sqlite3.connect(
        f"file:{quote(str(path))}?{mode}",
        uri=True,
        timeout=busy_seconds,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        opened.execute("PRAGMA foreign_keys = ON")
        if is_read_only:
            opened.execute("PRAGMA query_only = ON")
            _be_patient(opened, 0)
        else:
            # Of readers there are many, and the system keeps what they read as well.
            opened.execute("PRAGMA cache_size = -8000")
            opened.execute("PRAGMA journal_mode = WAL")
            # A commit that was acknowledged outlives a power failure.
            opened.execute("PRAGMA synchronous = FULL")
            # What is written is not done twice, as it is where reading finds a broken text.
            opened.text_factory = _decoded
        opened.create_function("fold", 1, _fold, deterministic=True)
        opened.create_function(DIGEST_FUNCTION, 2, _digest, deterministic=True)
    except BaseException:
        opened.close()
        raise
    return opened


def is_unchangeable(path: Path) -> bool:
    """Whether a file can only be read, and nothing be put beside it that reading it would need.

    It then holds all that there is, unless a log stands beside it.
    """
    is_fixed = not os.access(path.parent, os.W_OK) and path.exists()
    log = path.with_name(f"{path.name}-wal")
    return is_fixed and not (log.exists() and log.stat().st_size)


class LoopReader:
    """The event loop's own connection: for reads that take no longer than a trip to a thread.

    Outside of any transaction; what takes its time is for the connections of sessions.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._latest = 0.0
        self._is_closed = False

    # Any: values of any column.
    def fetch(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]] | None:
        """Fetch rows; None where that takes too long, meets a lock, or fails."""
        if self._is_closed:
            return None
        connection = self._connection
        try:
            connection = connection or self._connect()
            self._latest = time.perf_counter() + QUICK_SECONDS
            return connection.execute(*bindable(sql, parameters)).fetchall()
        except sqlite3.Error as error:
            if connection is not None and str(error).startswith(UNDECODABLE):
                connection.text_factory = _decoded
            elif getattr(error, "sqlite_errorcode", 0) & 0xFF not in PASSING:
                self._disconnect()
            return None
        # What a value cannot be is said by the session.
        except (OverflowError, ValueError):
            return None

    def close(self) -> None:
        self._is_closed = True
        self._disconnect()

    def _connect(self) -> sqlite3.Connection:
        self._connection = _open(self._path, is_read_only=True, busy_seconds=0)
        self._connection.set_progress_handler(self._is_late, STEPS_PER_LOOK)
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _is_late(self) -> bool:
        return time.perf_counter() > self._latest


class Connection(aiosqlite.Connection):
    """A connection that begins its transactions itself and can be given up in mid-query."""

    def __init__(
        self,
        connector: Callable[[], sqlite3.Connection],
        begin: Begin,
        endings: Endings,
        busy_seconds: float,
        finish: Finish | None = None,
    ) -> None:
        super().__init__(connector, iter_chunk_size=ROWS_PER_TRIP)
        # A thread stuck on a slow disk must not keep the process from ending.
        self._thread.daemon = True
        self._begin = begin
        self._is_read_only = begin == "BEGIN"
        self._endings = endings
        self._busy_seconds = busy_seconds
        self._finish = finish
        self._trips_begun = self._trips_ended = 0
        self._is_running = False
        self._is_in_transaction = False
        self._is_terminated = False
        self._latest = float("inf")

    # Any: aiosqlite wraps its own cursor in a type that SQLAlchemy never looks at.
    def cursor(self) -> Any:
        return Cursor(self, self._conn.cursor())

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
        if not is_free or self._trips_begun != self._trips_ended or not sql.startswith(AT_ONCE):
            return False
        latest = min(time.perf_counter() + QUICK_SECONDS, self._latest)
        self._conn.set_progress_handler(lambda: time.perf_counter() > latest, STEPS_PER_LOOK)
        try:
            self.run(query, sql, parameters)
        except sqlite3.OperationalError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in PASSING and not self._is_terminated:
                return False
            raise
        finally:
            self._conn.set_progress_handler(self._is_late, STEPS_PER_LOOK)
        return True

    # Any: the same.
    def run_patiently(self, query: Callable[[str, Any], object], sql: str, parameters: Any) -> None:
        """Run a query, and wait for locks; in the connection's thread."""
        if not self._is_read_only:
            self.run(query, sql, parameters)
            return
        _be_patient(self._conn, self._busy_seconds)
        try:
            self.run(query, sql, parameters)
        finally:
            _be_patient(self._conn, 0)

    def run_on(self, fetch: Callable[[int], None], size: int) -> None:
        """Fetch more of what a query found, which may take as long; in the connection's thread."""
        self._is_running = True
        try:
            self._check_use()
            fetch(size)
        finally:
            self._is_running = False

    @contextmanager
    def ending_after(self, seconds: float) -> Iterator[None]:
        """Interrupt a query inside that goes on for longer: OperationalError, SQLITE_INTERRUPT."""
        self._latest = time.perf_counter() + seconds
        self._conn.set_progress_handler(self._is_late, STEPS_PER_LOOK)
        try:
            yield
        finally:
            self._latest = float("inf")

    def _is_late(self) -> bool:
        return time.perf_counter() > self._latest

    async def in_thread(self, function: Callable[..., object], *arguments: object) -> None:
        """Make one trip: call the function in the connection's thread."""

        def travel() -> None:
            try:
                function(*arguments)
            finally:
                self._trips_ended += 1

        self._trips_begun += 1
        await self._execute(travel)  # type: ignore[no-untyped-call]

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

    async def _configure(self, **pragmas: int) -> None:
        for name, value in pragmas.items():
            await self.in_thread(self._conn.execute, f"PRAGMA {name} = {value}")

    async def commit(self) -> None:
        if self._is_in_transaction:
            await self.in_thread(self._commit)

    async def rollback(self) -> None:
        if not self._is_in_transaction:
            return
        # Where nothing is written there is nothing to undo, which takes no time.
        if self._is_read_only and self._trips_begun == self._trips_ended:
            self._rollback()
        else:
            await self.in_thread(self._rollback)

    async def close(self) -> None:
        # Whoever waited for a query that is still under way was cancelled.
        if self._is_running:
            self.terminate()
        if not self._is_terminated:
            await super().close()
            return
        # The thread does both when its query has ended, which no request waits for. Closing alone
        # would keep the locks for as long as the traceback of some error keeps a cursor.
        self._tx.put_nowait((None, self._rollback))
        self.stop()

    def stop(self) -> asyncio.Future[object] | None:
        ending = super().stop()
        if ending is not None:
            self._endings.add(ending)
            ending.add_done_callback(self._endings.discard)
        return ending

    def is_closed(self) -> bool:
        """Whether it can no longer be used. As in asyncpg."""
        return self._is_terminated or not self._running

    def terminate(self) -> None:
        """Interrupt the query under way and refuse everything afterwards. As in asyncpg."""
        self._is_terminated = True
        self._interrupt()

    def _interrupt(self) -> None:
        if self._is_running:
            self._conn.interrupt()
            # An interruption between two steps of the query is lost.
            asyncio.get_running_loop().call_later(INTERRUPT_SECONDS, self._interrupt)

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

    def _rollback(self) -> None:
        self._conn.rollback()
        self._is_in_transaction = False

    def _check_transaction(self) -> None:
        # SQLite ends a transaction by itself when, say, the disk is full; what came after would
        # otherwise be committed without what came before.
        if not self._conn.in_transaction:
            raise _error("the transaction was rolled back", sqlite3.SQLITE_INTERRUPT)

    def _check_use(self) -> None:
        if self._is_terminated:
            raise _error("interrupted", sqlite3.SQLITE_INTERRUPT)


class Cursor(aiosqlite.Cursor):
    """A cursor whose first rows come back with the query, on the same trip."""

    _conn: Connection

    def __init__(self, connection: Connection, cursor: sqlite3.Cursor) -> None:
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
            await self._conn.in_thread(self._conn.run_on, self._fetch, missing)
        return [self._rows.popleft() for _ in range(min(wanted, len(self._rows)))]

    async def fetchall(self) -> deque[sqlite3.Row]:
        if not self._is_exhausted:
            await self._conn.in_thread(self._conn.run_on, self._fetch, -1)
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
            if not str(error).startswith(UNDECODABLE):
                raise
            # From now on this connection takes the time to decode each text by itself.
            self._conn.text_factory = _decoded
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


# Any: values of any column.
def bindable(sql: str, parameters: Sequence[Any]) -> tuple[str, Sequence[Any]]:
    """Return a statement that gives back broken texts as texts, where it is given any."""
    places = [place for place, value in enumerate(parameters) if type(value) is BrokenText]
    if not places:
        return sql, parameters
    # Names and texts in quotes stay as they are.
    parts = re.split(r"""("[^"]*"|'[^']*'|\?)""", sql)
    marks = [number for number, part in enumerate(parts) if part == "?"]
    for place in places:
        parts[marks[place]] = "CAST(? AS TEXT)"
    return "".join(parts), [
        bytes(value) if type(value) is BrokenText else value for value in parameters
    ]


def _decoded(raw: bytes) -> str | BrokenText:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return BrokenText(raw)


def _be_patient(connection: sqlite3.Connection, seconds: float) -> None:
    connection.execute(f"PRAGMA busy_timeout = {round(seconds * 1000)}")


def _digest(data: bytes | None, kind: str) -> str | None:
    if data is None:
        return None
    # A text in a column of bytes is to come back as a text.
    return bytes_digest(data if kind == "blob" else f"{kind}:".encode() + data)


def _fold(value: bytes | str | None) -> str | None:
    """Fold a text, or the bytes of one, which need not be in UTF-8."""
    if isinstance(value, bytes):
        return fold(value.decode("utf-8", "replace"))
    return None if value is None else fold(value)


def _error(message: str, code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError(message)
    error.sqlite_errorcode = code
    return error
