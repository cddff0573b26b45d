"""Fixtures for the tests of the application."""

from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel

from hero_admin.admin import create_app
from hero_admin.model.resource import Resource
from hero_admin.person import Role
from hero_admin.settings import Settings
from tests.gadgets import Gadget, Maker, Slot
from tests.serving import serving


@pytest.fixture
async def gadgets(settings: Settings, session: AsyncSession) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an admin of the models that have every type of column and every relation."""
    resources = (Resource(Gadget), Resource(Maker), Resource(Slot))
    connection = await session.connection()
    await connection.run_sync(
        lambda sync: SQLModel.metadata.create_all(sync, [each.table for each in resources])
    )
    await session.commit()
    async with serving(create_app(settings, resources), role=Role.OWNER) as client:
        yield client
