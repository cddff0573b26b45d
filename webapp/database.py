"""The database: its engines, the session of each request, and what counts as unavailable."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import event
from sqlalchemy.engine import URL, Dialect, make_url
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from webapp import sqlite
from webapp.settings import Settings

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

# Waiting for a connection, for a lock and for an answer each have an end of their own; the
# request's timeout is the end of all of them together.
POOL_SECONDS = 2.0
# SQLite has one writer, and a queue for it is no sign of trouble.
TURN_SECONDS = 4.0
CONNECT_SECONDS = 2.0
LATE_SECONDS = 0.1
POSTGRESQL_SETTINGS = {
    "application_name": "hero-admin",
    "statement_timeout": "4s",
    "lock_timeout": "2s",
    "idle_in_transaction_session_timeout": "60s",
    # Compiling costs an admin's short queries more than it gains them.
    "jit": "off",
}

# Primary result codes: https://www.sqlite.org/rescode.html
SQLITE_UNAVAILABLE = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_INTERRUPT,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_NOTADB,
}
# Classes and single states: https://www.postgresql.org/docs/current/errcodes-appendix.html
POSTGRESQL_UNAVAILABLE = (
    "08",  # connection lost
    "25006",  # read-only transaction: a standby
    "25P03",  # idle in transaction for too long
    "28",  # password or role refused
    "3D",  # no such database
    "40",  # deadlock, serialization failure: trying again helps
    "53",  # disk full, out of memory, too many connections
    "55P03",  # lock not available in time
    "57",  # query cancelled, server shutting down or starting up
    "58",  # system error
)


@dataclass(frozen=True)
class Database:
    """Two ways in: what reads never writes, and never waits for what writes."""

    reading: AsyncEngine
    writing: AsyncEngine
    endings: sqlite.Endings = field(default_factory=set)

    def session(self, *, is_read_only: bool) -> AsyncSession:
        """A session that connects at its first statement and cannot be used once closed."""
        return AsyncSession(
            self.reading if is_read_only else self.writing,
            expire_on_commit=False,
            autoflush=False,
            close_resets_only=False,
        )

    async def close(self) -> None:
        await self.reading.dispose()
        await self.writing.dispose()
        if self.endings:
            await asyncio.wait(self.endings, timeout=sqlite.BUSY_SECONDS)


def connect(settings: Settings) -> Database:
    """The engines for the settings; their first sessions open the connections."""
    url = make_url(settings.database_url)
    if settings.is_embedded:
        return _connect_sqlite(url, settings.pool_size)
    return _connect_postgresql(url, settings.pool_size)


def _connect_sqlite(url: URL, readers: int) -> Database:
    # Absolute, as the process may change its directory later.
    path = Path(url.database or "").absolute()
    # When this fails the first connection says so.
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()

    endings: sqlite.Endings = set()

    def engine(*, is_read_only: bool, pool_size: int) -> AsyncEngine:
        return _create_engine(
            url,
            pool_size,
            pool_timeout=POOL_SECONDS if is_read_only else TURN_SECONDS,
            async_creator=lambda: sqlite.connect(path, is_read_only=is_read_only, endings=endings),
        )

    return Database(
        reading=engine(is_read_only=True, pool_size=readers),
        writing=engine(is_read_only=False, pool_size=1),
        endings=endings,
    )


def _connect_postgresql(url: URL, pool_size: int) -> Database:
    engine = _create_engine(
        url,
        pool_size,
        pool_timeout=POOL_SECONDS,
        connect_args={"timeout": CONNECT_SECONDS, "server_settings": POSTGRESQL_SETTINGS},
    )
    event.listen(engine.sync_engine, "do_connect", _connect_to_server)
    # One snapshot for all statements of a request, as SQLite has it.
    reading = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return Database(reading=reading, writing=engine)


# Any: each driver has its own arguments.
def _create_engine(url: URL, pool_size: int, **arguments: Any) -> AsyncEngine:
    engine = create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        # A traceback in the log tells nobody what was stored.
        hide_parameters=True,
        # The connection used last has the warmest caches.
        pool_use_lifo=True,
        **arguments,
    )
    event.listen(engine.sync_engine, "before_cursor_execute", _count_statement)
    event.listen(engine.sync_engine, "checkout", _check_out)
    event.listen(engine.sync_engine, "checkin", _check_in)
    return engine


# Any: connection and arguments are the driver's, passed on unread.
def _connect_to_server(
    dialect: Dialect, _: ConnectionPoolEntry, arguments: list[Any], options: dict[str, Any]
) -> Any:
    try:
        return dialect.connect(*arguments, **options)
    except OSError as error:
        # A name that does not resolve or a host out of reach is no plain file's OSError.
        raise ConnectionError(str(error)) from error


def is_unavailable(error: BaseException) -> bool:
    """Whether the database is busy, out of reach, full or read-only, so that later may be better.

    False for mistakes of ours and for what constraints refuse.
    """
    if isinstance(error, TimeoutError | ConnectionError | PoolTimeoutError):
        return True
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or (
            error.orig is not None and is_unavailable(error.orig)
        )
    if isinstance(error, sqlite3.Error):
        # The low byte is the primary code of an extended one; Python's own errors have none.
        return getattr(error, "sqlite_errorcode", -1) & 0xFF in SQLITE_UNAVAILABLE
    state: str | None = getattr(error, "sqlstate", None)
    return state is not None and state.startswith(POSTGRESQL_UNAVAILABLE)


@dataclass(slots=True)
class StatementCount:
    """How many SQL statements were executed."""

    value: int = 0


statements: ContextVar[StatementCount | None] = ContextVar("statements", default=None)


@contextmanager
def count_statements() -> Iterator[StatementCount]:
    """Count the statements executed inside; an outer count includes them."""
    count, outer = StatementCount(), statements.get()
    token = statements.set(count)
    try:
        yield count
    finally:
        statements.reset(token)
        if outer is not None:
            outer.value += count.value


def _count_statement(*_: object) -> None:
    count = statements.get()
    if count is not None:
        count.value += 1


class DriverConnection(Protocol):
    """What both drivers' connections can do."""

    def is_closed(self) -> bool: ...
    def terminate(self) -> None: ...


# The connections that the current request holds.
_held: ContextVar[dict[ConnectionPoolEntry, DriverConnection] | None] = ContextVar(
    "held", default=None
)


def _check_out(_: object, record: ConnectionPoolEntry, __: object) -> None:
    driver: DriverConnection | None = record.driver_connection
    # A server that stopped has told the socket so; asking it costs no round trip.
    if driver is None or driver.is_closed():
        raise DisconnectionError
    held = _held.get()
    if held is not None:
        held[record] = driver
        record.info["held"] = held


def _check_in(_: object, record: ConnectionPoolEntry) -> None:
    held = record.info.pop("held", None)
    if held is not None:
        held.pop(record, None)


class SessionMiddleware:
    """Gives each request `scope["state"]["session"]`: one lazy session, and so one transaction.

    It is committed just before the response starts, if the method is unsafe and the status below
    400, and rolled back otherwise. What makes a commit fail leaves the middleware with nothing
    sent. So does TimeoutError when a response takes longer than `timeout_seconds` to start, not
    counting the time a client takes to send the body as long as no connection is held: a handler
    reads the body first. `scope["state"]["database"]` is for streams, which outlive the session.
    """

    def __init__(self, app: ASGIApp, database: Database, timeout_seconds: float) -> None:
        self.app = app
        self.database = database
        self.timeout_seconds = timeout_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        is_read_only = scope["method"] in SAFE_METHODS
        session = self.database.session(is_read_only=is_read_only)
        state = scope.setdefault("state", {})
        state["session"] = session
        state["database"] = self.database
        unit = _Unit(session, is_read_only, self.timeout_seconds, receive, send)
        await unit.run(self.app, scope)


class _Unit:
    """One request: its session, and the clock that ticks until its response starts."""

    def __init__(
        self,
        session: AsyncSession,
        is_read_only: bool,
        timeout_seconds: float,
        receive: Receive,
        send: Send,
    ) -> None:
        self.session = session
        self.is_read_only = is_read_only
        self.timeout_seconds = timeout_seconds
        self._receive = receive
        self._send = send
        self.held: dict[ConnectionPoolEntry, DriverConnection] = {}
        self.failure: Exception | None = None
        self.is_closed = False
        self.is_receiving = False
        self.is_late = False
        self.loop = asyncio.get_running_loop()
        self.timeout = asyncio.timeout(None)
        self.deadline = self.loop.time() + timeout_seconds
        self.clock: asyncio.TimerHandle | None = None

    async def run(self, app: ASGIApp, scope: Scope) -> None:
        token = _held.set(self.held)
        try:
            async with self.timeout:
                self.clock = self.loop.call_at(self.deadline, self._tick)
                try:
                    await app(scope, self.receive, self.send)
                except Exception:
                    # Starlette replaces an error that it meets while it sends.
                    if self.failure is None:
                        raise
                finally:
                    if not self.is_closed:
                        await asyncio.shield(self._close())
        finally:
            self._stop_clock()
            _held.reset(token)
        if self.failure is not None:
            raise self.failure

    async def receive(self) -> Message:
        self.is_receiving = True
        try:
            return await self._receive()
        finally:
            self.is_receiving = False
            if not self.held:
                self.deadline = self.loop.time() + self.timeout_seconds

    async def send(self, message: Message) -> None:
        if self.failure is not None:
            # The response was to tell of a success that is none; the failure gets its own.
            return
        if not self.is_closed and message["type"] == "http.response.start":
            try:
                if not self.is_read_only and message["status"] < 400:
                    await self.session.commit()
                await self._close()
            except Exception as error:
                self.failure = error
                raise
            self._stop_clock()
        await self._send(message)

    async def _close(self) -> None:
        try:
            if self.session.in_transaction():
                await self.session.close()
            else:
                self.session.sync_session.close()
        # A rollback that fails has lost its connection, and the transaction with it.
        except Exception:  # noqa: BLE001
            with suppress(Exception):
                await self.session.invalidate()
        self.is_closed = True

    def _tick(self) -> None:
        now = self.loop.time()
        if self.is_receiving and not self.held:
            self.deadline = now + self.timeout_seconds
        if now < self.deadline:
            self.clock = self.loop.call_at(self.deadline, self._tick)
            return
        # Closing politely would wait for the very answer that does not come.
        for driver in list(self.held.values()):
            if not driver.is_closed():
                driver.terminate()
        if not self.is_late:
            self.is_late = True
            self.timeout.reschedule(now)
        # asyncio.wait_for of Python 3.11 swallows a cancellation that meets its result, so what
        # the request goes on to do is ended as well.
        self.clock = self.loop.call_later(LATE_SECONDS, self._tick)

    def _stop_clock(self) -> None:
        if self.clock is not None:
            self.clock.cancel()
