"""An admin of playlists and their tracks."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.applications import Starlette

from hero_admin.accounts.auth import limits_for
from hero_admin.application import create_app
from hero_admin.database.engines import Database
from hero_admin.model.resource import Resource
from hero_admin.person import Role
from hero_admin.settings import Settings
from hero_admin.testing import Client
from tests.playlists import Artist, Music, Playlist, Track
from tests.serving import client_of, serving
from tests.signing_in import sign_in_by

RESOURCES = (Resource(Playlist), Resource(Track), Resource(Artist))


@pytest.fixture
async def music(settings: Settings, session: AsyncSession) -> Starlette:
    """The application, whose tables exist."""
    await (await session.connection()).run_sync(Music.metadata.create_all)
    await session.commit()
    return create_app(settings, RESOURCES)


@pytest.fixture
async def player(music: Starlette) -> AsyncIterator[Client]:
    """A client of it, signed in as an owner."""
    async with serving(music, role=Role.OWNER) as client:
        yield client


@pytest.fixture
async def listener(
    music: Starlette, player: Client, settings: Settings, database: Database
) -> AsyncIterator[Client]:
    """Another client of it, signed in as a viewer."""
    async with client_of(music) as other:
        await sign_in_by(database, other, Role.VIEWER, limits_for(settings))
        yield other
