"""The engine of a PostgreSQL server: its settings, time limits, and what a pooler forbids."""

from contextlib import suppress
from typing import Any

import asyncpg
from sqlalchemy import event
from sqlalchemy.engine import URL, Dialect
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import ConnectionPoolEntry

from hero_admin.database import short_reads
from hero_admin.database.pooled_engine import create_pooled_engine, wait_seconds
from hero_admin.settings import Settings

# A statement's own limit ends before the request's timeout.
STATEMENT_SHARE = 8 / 9
POSTGRESQL_SETTINGS = {
    "application_name": "hero-admin",
    "idle_in_transaction_session_timeout": "60s",
    # Compiling costs an admin's short queries more than it gains them.
    "jit": "off",
    # How values are read that arrive as texts.
    "datestyle": "ISO",
    "intervalstyle": "postgres",
}
# A pooler keeps these for each of its clients.
POOLED_SETTINGS = ("application_name", "datestyle")

# Not a setting to connect with: a server that does not know it would refuse.
WATCH = "SET client_connection_check_interval = '1s'"
WATCH_TIMEOUT_SECONDS = 2.0


def create_server_engine(url: URL, settings: Settings, *, is_replica: bool = False) -> AsyncEngine:
    """Return the engine of a server; its first session opens a connection."""
    limits = {
        "statement_timeout": _milliseconds(settings.request_timeout_seconds * STATEMENT_SHARE),
        "lock_timeout": _milliseconds(wait_seconds(settings)),
    }
    # Any: what asyncpg takes.
    options: dict[str, Any] = {
        "timeout": wait_seconds(settings),
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
    engine = create_pooled_engine(url, settings, settings.pool_size, connect_args=options)
    event.listen(engine.sync_engine, "do_connect", _connect_to_server)
    if not has_pooler:
        event.listen(engine.sync_engine, "connect", lambda made, _: made.run_async(_watch_client))
    return engine


def read_only(engine: AsyncEngine, settings: Settings) -> AsyncEngine:
    """Return an engine with the same connections, whose transactions only read."""
    # A pooler may carry out two halves of a statement at two connections. What writes reads in its
    # transaction, which begins with the recheck of identity and rights.
    way = None if settings.database_pooler == "transaction" else "pool"
    # One snapshot for all statements of a request but short reads, as SQLite has it.
    return engine.execution_options(
        isolation_level="REPEATABLE READ", postgresql_readonly=True, **{short_reads.WAY: way}
    )


def _milliseconds(seconds: float) -> str:
    # To PostgreSQL, 0 is no limit.
    return f"{max(1, round(seconds * 1000))}ms"


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


async def _watch_client(driver: asyncpg.Connection) -> None:
    """Let the server end a statement whose client has disconnected."""
    # A server on Windows cannot, nor can those before PostgreSQL 14.
    with suppress(asyncpg.DataError, asyncpg.SyntaxOrAccessError):
        await driver.execute(WATCH, timeout=WATCH_TIMEOUT_SECONDS)
