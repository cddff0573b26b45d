"""A mounted Admin: the application on an event loop, which answers once its tables are there."""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from hero_admin.database.errors import is_unavailable
from hero_admin.migrations import SchemaError
from hero_admin.settings import SettingsError
from hero_admin.web.errors import UNANSWERED

# Between two attempts to reach the database.
PAUSE_SECONDS = 1.0

# Any: what coroutines yield and are sent.
Make = Callable[[], Coroutine[Any, Any, Starlette]]


class Mounted:
    """The application on one event loop, which the first request starts.

    make: returns it; until it does, requests are answered with the reason and 503.
    """

    def __init__(self, make: Make) -> None:
        self._make = make
        self.app: Starlette | None = None
        # The attempt to start that all requests share, and when the next one may begin.
        self.attempt: asyncio.Task[Starlette] | None = None
        self.repeated_at = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self.app
        if app is None:
            try:
                app = await self._started()
            except Exception as error:
                sentence = _sentence(error)
                if not sentence:
                    raise
                # The process is up, whatever its database does.
                is_up = scope["path"].endswith("/healthz")
                answer = PlainTextResponse("ok\n" if is_up else sentence, 200 if is_up else 503)
                await answer(scope, receive, send)
                return
        await app(scope, receive, send)

    async def close(self) -> None:
        if self.app is not None:
            if self.app.state.worker is not None:
                await self.app.state.worker.stop()
            await self.app.state.auth.close()
            await self.app.state.database.close()

    async def _started(self) -> Starlette:
        now = asyncio.get_running_loop().time()
        if self.attempt is None or (self.attempt.done() and now >= self.repeated_at):
            self.attempt = asyncio.create_task(self._start(), context=Context())
            self.attempt.add_done_callback(self._pause)
        # A client that disconnects ends nobody else's attempt.
        return await asyncio.shield(self.attempt)

    async def _start(self) -> Starlette:
        self.app = await self._make()
        if self.app.state.worker is not None:
            self.app.state.worker.start()
        return self.app

    def _pause(self, attempt: asyncio.Task[Starlette]) -> None:
        error = None if attempt.cancelled() else attempt.exception()
        if error is not None and is_unavailable(error):
            self.repeated_at = attempt.get_loop().time() + PAUSE_SECONDS


def _sentence(error: Exception) -> str:
    """Return why the application cannot start, "" for an unexpected error."""
    if isinstance(error, SchemaError | SettingsError):
        return str(error)
    return UNANSWERED if is_unavailable(error) else ""
