"""The connection pool: first come, first served, and no page can exhaust it."""

import asyncio
from collections import Counter, deque
from contextvars import ContextVar
from typing import Any

from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry
from sqlalchemy.util import await_

# Requests with one name share a part of the pool; without a name, all of it may be taken.
share_name: ContextVar[str] = ContextVar("share_name", default="")


class FairPool(AsyncAdaptedQueuePool):
    """SQLAlchemy's pool behind a gate.

    SQLAlchemy lets newcomers overtake those who wait, and does not wake them when a connection
    could not be made.
    """

    # Any: the arguments are SQLAlchemy's, passed on unread.
    def __init__(self, creator: Any, pool_size: int = 5, **arguments: Any) -> None:
        super().__init__(creator, pool_size=pool_size, **arguments)
        self._gate = _Gate(pool_size)
        self._names: dict[ConnectionPoolEntry, str] = {}

    def _do_get(self) -> ConnectionPoolEntry:
        name = share_name.get()
        if not self._gate.enter(name):
            await_(self._gate.wait(name, self._timeout))
        try:
            record = super()._do_get()
        except BaseException:
            self._gate.leave(name)
            raise
        self._names[record] = name
        return record

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        super()._do_return_conn(record)
        self._gate.leave(self._names.pop(record))


class _Gate:
    """Lets in `size` at a time, of them two fifths under one name."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._share = max(1, size * 2 // 5)
        self._count = 0
        self._inside: Counter[str] = Counter()
        self._waiting: deque[tuple[str, asyncio.Future[None]]] = deque()

    def enter(self, name: str) -> bool:
        """Enter if there is room."""
        if self._count == self._size or (name and self._inside[name] >= self._share):
            return False
        self._count += 1
        self._inside[name] += 1
        return True

    async def wait(self, name: str, timeout_seconds: float) -> None:
        """Wait for room. Raises sqlalchemy.exc.TimeoutError."""
        ticket: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((name, ticket))
        try:
            async with asyncio.timeout(timeout_seconds):
                await ticket
        except (TimeoutError, asyncio.CancelledError) as error:
            if ticket.cancelled():
                self._waiting.remove((name, ticket))
            else:
                self.leave(name)
            if isinstance(error, TimeoutError):
                raise PoolTimeoutError("all connections are in use") from None
            raise

    def leave(self, name: str) -> None:
        self._count -= 1
        self._inside[name] -= 1
        if not self._inside[name]:
            del self._inside[name]
        for waiting in list(self._waiting):
            if self._count == self._size:
                break
            other, ticket = waiting
            # A cancelled one removes itself.
            if not ticket.done() and self.enter(other):
                self._waiting.remove(waiting)
                ticket.set_result(None)
