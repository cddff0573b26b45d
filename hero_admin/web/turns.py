"""Turns: of the readers that wait, one begins in each round of the event loop.

A page is made in one go, a save goes to the database's thread and back several times. If all
readers began in the same round, each of those times would wait for all of their pages.
"""

import asyncio
from collections import deque


class Turns:
    """Those who wait to begin, first come, first served."""

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._is_calling = False

    async def take(self) -> None:
        """Wait for a round in which nobody else begins."""
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
            # Whoever was cancelled does not begin.
            if not ticket.done():
                ticket.set_result(None)
                loop.call_soon(self._call, loop)
                return
        self._is_calling = False
