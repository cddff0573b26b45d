"""Turns: reads start one after the other, and slower while somebody writes.

A page is rendered without a pause, while a save makes several round trips to the database's thread.
If all readers started at once, each of these trips would wait for all of their pages, and all other
writers would wait for the lock that the save holds.
"""

import asyncio
from collections import deque
from collections.abc import Iterator, Sized
from contextlib import contextmanager

# How long a writer has the event loop after each page: about a trip to its thread.
PAUSE_SECONDS = 0.002


class Turns:
    """Readers that wait to begin, first come, first served, and the connections of writers."""

    def __init__(self) -> None:
        self.held_by_writers: list[Sized] = []
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._is_calling = False

    @contextmanager
    def writing(self, held: Sized) -> Iterator[None]:
        """Slow readers down for as long as a writer holds connections."""
        self.held_by_writers.append(held)
        try:
            yield
        finally:
            # By identity: all that hold nothing are equal.
            self.held_by_writers[:] = [each for each in self.held_by_writers if each is not held]

    async def take(self) -> None:
        """Wait for a round of the event loop in which no other reader begins."""
        loop = asyncio.get_running_loop()
        ticket = loop.create_future()
        self._waiting.append(ticket)
        if not self._is_calling:
            self._is_calling = True
            loop.call_soon(self._call, loop)
        await ticket

    def _call(self, loop: asyncio.AbstractEventLoop) -> None:
        while self._waiting:
            ticket = self._waiting.popleft()
            # A cancelled reader does not start.
            if not ticket.done():
                ticket.set_result(None)
                loop.call_soon(self._go_on, loop)
                return
        self._is_calling = False

    def _go_on(self, loop: asyncio.AbstractEventLoop) -> None:
        if any(self.held_by_writers):
            loop.call_later(PAUSE_SECONDS, self._call, loop)
        else:
            self._call(loop)
