"""The API, made when the server has a moment: FastAPI takes a quarter of a start."""

import asyncio
import logging
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from hero_admin.gc_tuning import keep_more
from hero_admin.model.site import Site
from hero_admin.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

# By then whoever waits for a page has it.
PREPARE_SECONDS = 1.0

logger = logging.getLogger("hero_admin.api")


class LaterApi:
    """An ASGI application that is made in a thread, for its first request at the latest."""

    def __init__(self, site: Site, settings: Settings) -> None:
        self._site = site
        self._settings = settings
        self._making: asyncio.Task[FastAPI] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        api = await self.made()
        await api(scope, receive, send)

    @cached_property
    def application(self) -> "FastAPI":
        from hero_admin.api.application import create_api  # noqa: PLC0415 - it is what takes so long

        api = create_api(self._site)
        api.state.settings = self._settings
        return api

    @property
    def routes(self) -> Sequence[BaseRoute]:
        return self.application.routes

    async def made(self) -> "FastAPI":
        """Return the API; whoever asks meanwhile waits, and holds nobody up."""
        if self._making is None:
            self._making = asyncio.create_task(asyncio.to_thread(lambda: self.application))
        return await asyncio.shield(self._making)

    async def prepare(self) -> None:
        """Make the API once the server has started."""
        await asyncio.sleep(PREPARE_SECONDS)
        try:
            await self.made()
        except Exception:
            logger.exception("The API cannot be made")
        keep_more()
