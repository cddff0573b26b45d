"""An application that answers a client in the same process, as it would behind a server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from starlette.applications import Starlette

from tests.html import BASE_URL


@asynccontextmanager
async def serving(app: Starlette, *, raises: bool = True) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the app, which is started up before and shut down after.

    An error that the app does not answer itself is raised in the test; with `raises=False` the
    client gets what the server would send.
    """
    transport = httpx.ASGITransport(app, raise_app_exceptions=raises, client=("127.0.0.1", 50000))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url=BASE_URL) as client,
    ):
        yield client
