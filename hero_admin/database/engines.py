"""The database: its engines, and the sessions they give."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sqlalchemy import Table
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.orm import Session

from hero_admin.database import short_reads, sqlite
from hero_admin.database.loop_reader import LoopReader
from hero_admin.database.pooled_engine import create_pooled_engine, wait_seconds
from hero_admin.database.postgresql_engine import create_server_engine, read_only
from hero_admin.database.recent_cache import RecentCache
from hero_admin.database.replica import Replica
from hero_admin.database.row_scopes import ScopedSession
from hero_admin.database.sqlite_thread import Endings
from hero_admin.database.sqlite_transactions import Finish
from hero_admin.settings import Settings

# How long closing waits for statements whose requests were cancelled.
ENDING_SECONDS = 2.0
# Nobody else on this machine may read masked values, or the digests of passwords.
PRIVATE_MODE = 0o600


@dataclass(frozen=True)
class Database:
    """Two engines: reads go through one that cannot write, and never wait for writes."""

    reading: AsyncEngine
    writing: AsyncEngine
    replica: Replica | None = None
    endings: Endings = field(default_factory=set)
    loop_reader: LoopReader | None = None
    # A writer holds a lock that all other writers wait for, and writes in a thread.
    has_one_writer: bool = False
    # A pooler of transactions: a connection has no state between two of them.
    has_pooler: bool = False
    # Any: the `SearchBackend` of the database, of which this room does not know.
    search: Any = None
    recent: RecentCache = field(default_factory=RecentCache)
    # The tables of whose rows not everybody may see all.
    scoped_tables: frozenset[Table] = frozenset()

    def session(self, *, is_read_only: bool) -> AsyncSession:
        """A session that connects at its first statement and cannot be used once closed.

        It reads the `scoped_tables` only once it has row scopes.
        """
        return AsyncSession(
            self.reading if is_read_only else self.writing,
            sync_session_class=ScopedSession if self.scoped_tables else Session,
            expire_on_commit=False,
            autoflush=False,
            close_resets_only=False,
            info={
                "search": self.search,
                "recent": self.recent,
                "scoped_tables": self.scoped_tables,
            },
        )

    def at_replica(self, replica: Replica) -> "Database":
        """This database, but reading from its replica."""
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


def connect(settings: Settings, search: object = None, finish: Finish | None = None) -> Database:
    """Return the engines for the settings; their first sessions open the connections.

    Sessions carry `search`, the backend of searches. On SQLite `finish` gets the connection of
    each change before that is committed.
    """
    url = make_url(settings.database_url)
    if settings.is_embedded:
        return replace(_connect_sqlite(url, settings, finish), search=search)
    engine = create_server_engine(url, settings)
    replica = None
    if settings.database_read_url:
        read_url = make_url(settings.database_read_url)
        copy = create_server_engine(read_url, settings, is_replica=True)
        replica = Replica(read_only(copy, settings), engine)
    return Database(
        reading=read_only(engine, settings),
        writing=engine,
        replica=replica,
        has_pooler=settings.database_pooler == "transaction",
        search=search,
    )


def _connect_sqlite(url: URL, settings: Settings, finish: Finish | None) -> Database:
    # Absolute, as the process may change its directory later.
    path = Path(url.database or "").absolute()
    # When this fails the first connection says so.
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        # What SQLite puts beside it gets the same mode.
        path.touch(PRIVATE_MODE)

    endings: Endings = set()
    loop_reader = LoopReader(path)

    def engine(*, is_read_only: bool, pool_size: int) -> AsyncEngine:
        return create_pooled_engine(
            url,
            settings,
            pool_size,
            async_creator=lambda: sqlite.connect(
                path,
                is_read_only=is_read_only,
                endings=endings,
                busy_seconds=wait_seconds(settings),
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
