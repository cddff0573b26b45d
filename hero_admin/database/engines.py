"""The database: its engines, and the sessions they give."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import event
from sqlalchemy.engine import URL, Dialect, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from hero_admin.database import short_reads, sqlite
from hero_admin.database.held_connections import track_connections
from hero_admin.database.pool import FairPool
from hero_admin.database.replica import Replica
from hero_admin.database.statement_count import note_statement
from hero_admin.settings import Settings

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

# Waiting for a connection, for a lock and for an answer each have an end of their own, before the
# request's timeout ends all of them together.
WAIT_SHARE = 5 / 6
STATEMENT_SHARE = 8 / 9
# How long closing waits for statements that nobody waits for any more.
ENDING_SECONDS = 2.0
POSTGRESQL_SETTINGS = {
    "application_name": "hero-admin",
    "idle_in_transaction_session_timeout": "60s",
    # Compiling costs an admin's short queries more than it gains them.
    "jit": "off",
    # As values are read that are told as texts.
    "datestyle": "ISO",
    "intervalstyle": "postgres",
}
# A pooler keeps these for each of its clients.
POOLED_SETTINGS = ("application_name", "datestyle")

# Nobody else on this machine reads what is masked, or the digests of passwords.
PRIVATE = 0o600

# Not a setting to connect with: a server that does not know it would refuse.
WATCH = "SET client_connection_check_interval = '1s'"
WATCH_SECONDS = 2.0


@dataclass(frozen=True)
class Database:
    """Two ways in: what reads never writes, and never waits for what writes."""

    reading: AsyncEngine
    writing: AsyncEngine
    replica: Replica | None = None
    endings: sqlite.Endings = field(default_factory=set)
    loop_reader: sqlite.LoopReader | None = None
    # Whoever writes holds a lock that all others who do so wait for, and writes in a thread.
    has_one_writer: bool = False
    # Between two transactions nothing is left of a connection.
    has_pooler: bool = False
    # How it is searched. Any: a `SearchBackend`, of which this room does not know.
    search: Any = None

    def session(self, *, is_read_only: bool) -> AsyncSession:
        """A session that connects at its first statement and cannot be used once closed."""
        return AsyncSession(
            self.reading if is_read_only else self.writing,
            expire_on_commit=False,
            autoflush=False,
            close_resets_only=False,
            info={"search": self.search},
        )

    def at_replica(self, replica: Replica) -> "Database":
        """The same, reading from its replica."""
        return replace(self, reading=replica.engine)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Watch the replica for as long as this lasts, and close all connections in the end."""
        async with self.replica.watched() if self.replica else nullcontext():
            yield
        await self.close()

    async def close(self) -> None:
        if self.replica:
            await self.replica.engine.dispose()
        await self.reading.dispose()
        if self.loop_reader:
            self.loop_reader.close()
        await self.writing.dispose()
        if self.endings:
            await asyncio.wait(self.endings, timeout=ENDING_SECONDS)


def is_postgresql(session: AsyncSession) -> bool:
    """Whether a session talks to a server; the other database is SQLite."""
    return session.get_bind().dialect.name == "postgresql"


def connect(
    settings: Settings, search: object = None, finish: sqlite.Finish | None = None
) -> Database:
    """The engines for the settings; their first sessions open the connections.

    Sessions carry along how the database is searched. On SQLite `finish` gets the connection of
    each change before that is committed.
    """
    url = make_url(settings.database_url)
    if settings.is_embedded:
        return replace(_connect_sqlite(url, settings, finish), search=search)
    engine = _create_server_engine(url, settings)
    replica = None
    if settings.database_read_url:
        read_url = make_url(settings.database_read_url)
        copy = _create_server_engine(read_url, settings, is_replica=True)
        replica = Replica(_reading(copy), engine)
    return Database(
        reading=_reading(engine),
        writing=engine,
        replica=replica,
        has_pooler=settings.database_pooler == "transaction",
        search=search,
    )


def _connect_sqlite(url: URL, settings: Settings, finish: sqlite.Finish | None) -> Database:
    # Absolute, as the process may change its directory later.
    path = Path(url.database or "").absolute()
    # When this fails the first connection says so.
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        # What SQLite puts beside it gets the same mode.
        path.touch(PRIVATE)

    endings: sqlite.Endings = set()
    loop_reader = sqlite.LoopReader(path)
    wait_seconds = settings.request_timeout_seconds * WAIT_SHARE

    def engine(*, is_read_only: bool, pool_size: int) -> AsyncEngine:
        return _create_engine(
            url,
            pool_size,
            pool_timeout=wait_seconds,
            async_creator=lambda: sqlite.connect(
                path,
                is_read_only=is_read_only,
                endings=endings,
                busy_seconds=wait_seconds,
                finish=None if is_read_only else finish,
            ),
            execution_options={short_reads.WAY: loop_reader if is_read_only else None},
        )

    return Database(
        reading=engine(is_read_only=True, pool_size=settings.pool_size),
        writing=engine(is_read_only=False, pool_size=1),
        endings=endings,
        loop_reader=loop_reader,
        has_one_writer=True,
    )


def _create_server_engine(url: URL, settings: Settings, *, is_replica: bool = False) -> AsyncEngine:
    # Any: what asyncpg takes.
    wait_seconds = settings.request_timeout_seconds * WAIT_SHARE
    limits = {
        "statement_timeout": _milliseconds(settings.request_timeout_seconds * STATEMENT_SHARE),
        "lock_timeout": _milliseconds(wait_seconds),
    }
    options: dict[str, Any] = {
        "timeout": wait_seconds,
        "server_settings": POSTGRESQL_SETTINGS | limits,
    }
    has_pooler = settings.database_pooler == "transaction"
    if has_pooler:
        # Nothing may outlive a transaction: neither settings nor prepared statements.
        given = {name: POSTGRESQL_SETTINGS[name] for name in POOLED_SETTINGS}
        options |= {"server_settings": given, "statement_cache_size": 0}
        url = url.update_query_dict({"prepared_statement_cache_size": "0"})
    if not is_replica and not isinstance(url.query.get("host", ""), str):
        # Of several servers the one that may be written to, whichever it is by now.
        options["target_session_attrs"] = "read-write"
    engine = _create_engine(
        url,
        settings.pool_size,
        pool_timeout=wait_seconds,
        connect_args=options,
        # A pooler may carry out two halves of a statement at two connections.
        execution_options={short_reads.WAY: None if has_pooler else "pool"},
    )
    event.listen(engine.sync_engine, "do_connect", _connect_to_server)
    if not has_pooler:
        event.listen(engine.sync_engine, "connect", _be_watched)
    return engine


def _milliseconds(seconds: float) -> str:
    # To PostgreSQL, none at all would be no limit.
    return f"{max(1, round(seconds * 1000))}ms"


def _reading(engine: AsyncEngine) -> AsyncEngine:
    # One snapshot for all statements of a request but short reads, as SQLite has it.
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


# Any: each driver has its own arguments.
def _create_engine(url: URL, pool_size: int, **arguments: Any) -> AsyncEngine:
    engine = create_async_engine(
        url,
        poolclass=FairPool,
        pool_size=pool_size,
        max_overflow=0,
        # A traceback in the log tells nobody what was stored.
        hide_parameters=True,
        # The connection used last has the warmest caches.
        pool_use_lifo=True,
        **arguments,
    )
    event.listen(engine.sync_engine, "before_cursor_execute", _note_statement)
    track_connections(engine)
    return engine


# Any: connection and arguments are the driver's, passed on unread.
def _connect_to_server(
    dialect: Dialect, _: ConnectionPoolEntry, arguments: list[Any], options: dict[str, Any]
) -> Any:
    try:
        return dialect.connect(*arguments, **options)
    # A name that does not resolve or a host out of reach is no plain file's OSError; and of
    # several servers there may be none to write to.
    except (OSError, asyncpg.exceptions.TargetServerAttributeNotMatched) as error:
        raise ConnectionError(str(error)) from error


# Any: the connection is SQLAlchemy's, around that of the driver.
def _be_watched(connection: Any, _: ConnectionPoolEntry) -> None:
    connection.run_async(_watch_for_us)


async def _watch_for_us(driver: asyncpg.Connection) -> None:
    """Let the server end a statement that nobody waits for any more."""
    # A server on Windows cannot, nor can those before PostgreSQL 14.
    with suppress(asyncpg.DataError, asyncpg.SyntaxOrAccessError):
        await driver.execute(WATCH, timeout=WATCH_SECONDS)


def _note_statement(_: object, __: object, text: str, parameters: object, *___: object) -> None:
    note_statement(text, parameters)
