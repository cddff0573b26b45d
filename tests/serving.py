"""Serves an application to a client in the same process, as a server would."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette

from hero_admin.accounts.auth import limits_for
from hero_admin.person import Role
from hero_admin.testing import Client, client_of
from hero_admin.testing.people import sign_in_by

__all__ = ["client_of", "serving"]


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
