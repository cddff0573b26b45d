"""Serves an application to a client in the same process, as a server would."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from starlette.applications import Starlette
from starlette.types import ASGIApp

from hero_admin.accounts.auth import limits_for
from hero_admin.person import Role
from tests.page import BASE_URL, Client
from tests.signing_in import sign_in_by


@asynccontextmanager
async def serving(
    app: Starlette, *, raises: bool = True, role: Role | None = None
) -> AsyncIterator[Client]:
    """A client of the app, which is started up before and shut down after.

    An error that the app does not answer itself is raised in the test; with `raises=False` the
    client gets what the server would send. With a role it is signed in as somebody who has it.
    """
    async with app.router.lifespan_context(app), client_of(app, raises=raises) as client:
        if role is not None:
            limits = limits_for(app.state.settings)
            await sign_in_by(app.state.database, client, role, limits)
        yield client


def client_of(app: ASGIApp, *, raises: bool = True, address: str = "127.0.0.1") -> Client:
    """Another client of an app that is started up: a browser on one of its own pages."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=raises, client=(address, 50000))
    headers = {"Sec-Fetch-Site": "same-origin"}
    return Client(httpx.AsyncClient(transport=transport, base_url=BASE_URL, headers=headers))
