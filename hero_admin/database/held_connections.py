"""Held connections: those that a request has taken from the pool, to be cut when it must end."""

from collections.abc import Iterable
from contextvars import ContextVar
from typing import Protocol

from sqlalchemy import event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import ConnectionPoolEntry


class DriverConnection(Protocol):
    """What the connections of both drivers can do."""

    def is_closed(self) -> bool: ...
    def terminate(self) -> None: ...


HeldConnections = dict[ConnectionPoolEntry, DriverConnection]

# Those of the current request; None outside of requests.
held_connections: ContextVar[HeldConnections | None] = ContextVar("held_connections", default=None)


def track_connections(engine: AsyncEngine) -> None:
    """Enter the connections that requests take from an engine in their `held_connections`."""
    event.listen(engine.sync_engine, "checkout", _check_out)
    event.listen(engine.sync_engine, "checkin", _check_in)


def cut(connections: Iterable[DriverConnection]) -> None:
    """Close connections without the farewell that waits for a running statement."""
    for driver in list(connections):
        if not driver.is_closed():
            driver.terminate()


def _check_out(_: object, record: ConnectionPoolEntry, __: object) -> None:
    driver: DriverConnection | None = record.driver_connection
    # A server that stopped has closed the socket; checking that costs no round trip.
    if driver is None or driver.is_closed():
        raise DisconnectionError
    held = held_connections.get()
    if held is not None:
        held[record] = driver
        record.info["held"] = held


def _check_in(_: object, record: ConnectionPoolEntry) -> None:
    held = record.info.pop("held", None)
    if held is not None:
        held.pop(record, None)
