"""Fixtures for the tests of the application."""

from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel

from tests.gadgets import Gadget, Maker, Slot
from tests.serving import serving
from webapp.admin.resource import Resource
from webapp.app import create_app
from webapp.identity import Role
from webapp.settings import Settings


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
