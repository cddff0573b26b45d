"""An admin of ships and sailors."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.application import create_app
from hero_admin.person import Role
from hero_admin.settings import Settings
from hero_admin.testing import Client
from tests.sailors import Sea, sailors, ships
from tests.serving import serving


@pytest.fixture
async def harbor(settings: Settings, session: AsyncSession) -> AsyncIterator[Client]:
    """A client of it, signed in as an owner."""
    await (await session.connection()).run_sync(Sea.metadata.create_all)
    await session.commit()
    async with serving(create_app(settings, [ships, sailors]), role=Role.OWNER) as client:
        yield client
