"""Engines with a fair pool, whose connections and statements are known to requests."""

from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from hero_admin.database.held_connections import track_connections
from hero_admin.database.pool import FairPool
from hero_admin.database.statement_count import note_statement
from hero_admin.settings import Settings

# Waiting for a connection or for a lock ends before the request's timeout ends all of it.
WAIT_SHARE = 5 / 6


def wait_seconds(settings: Settings) -> float:
    """Return how long to wait for a connection, or for a lock."""
    return settings.request_timeout_seconds * WAIT_SHARE


# Any: each driver has its own arguments.
def create_pooled_engine(
    url: URL, settings: Settings, pool_size: int, **arguments: Any
) -> AsyncEngine:
    engine = create_async_engine(
        url,
        poolclass=FairPool,
        pool_size=pool_size,
        pool_timeout=wait_seconds(settings),
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


def _note_statement(_: object, __: object, text: str, parameters: object, *___: object) -> None:
    note_statement(text, parameters)
