"""Waiting for a state by polling."""

import asyncio
from collections.abc import Awaitable, Callable

WAIT_SECONDS = 60.0


async def until(condition: Callable[[], bool | Awaitable[bool]]) -> None:
    """Ask until a condition holds; one that never does fails the test."""
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            holds = condition()
            if holds if isinstance(holds, bool) else await holds:
                return
            await asyncio.sleep(0.01)
