"""The deadline of a request: it is cancelled when its response does not start in time."""

import asyncio
from types import TracebackType

from hero_admin.database.held_connections import HeldConnections, cut

LATE_SECONDS = 0.1


class Deadline:
    """Ends the block it surrounds with TimeoutError after some seconds, unless it is stopped.

    Connections that are then held are cut. While the client is waited for, time counts only if a
    connection is held; after that it starts anew.
    """

    def __init__(self, seconds: float, held: HeldConnections) -> None:
        self.is_over = False
        self.is_paused = False
        self._loop = asyncio.get_running_loop()
        self._seconds = seconds
        self._held = held
        self._timeout = asyncio.timeout(None)
        self._at = self._loop.time() + seconds
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()
        self._timer = self._loop.call_at(self._at, self._check)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
        await self._timeout.__aexit__(kind, error, traceback)

    def pause(self) -> None:
        self.is_paused = True

    def resume(self) -> None:
        self.is_paused = False
        self._restart()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def expire(self, grace_seconds: float) -> None:
        """End the block now, and cut its connections if it still holds any in `grace_seconds`."""
        self.is_over = True
        now = self._loop.time()
        self._timeout.reschedule(now)
        self.stop()
        self._at = now + grace_seconds
        self._timer = self._loop.call_at(self._at, self._check)

    def _restart(self) -> None:
        if not self._held:
            self._at = self._loop.time() + self._seconds

    def _check(self) -> None:
        now = self._loop.time()
        if self.is_paused:
            self._restart()
        if now < self._at:
            self._timer = self._loop.call_at(self._at, self._check)
            return
        # Closing politely would wait for the very answer that does not come.
        cut(self._held.values())
        if not self.is_over:
            self.is_over = True
            self._timeout.reschedule(now)
        # asyncio.wait_for of Python 3.11 swallows a cancellation that meets its result, so what
        # the request goes on to do is ended as well.
        self._timer = self._loop.call_later(LATE_SECONDS, self._check)
