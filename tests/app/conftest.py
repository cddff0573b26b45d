"""Fixtures for the tests of the application."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel

from hero_admin.application import create_app
from hero_admin.model.resource import Resource
from hero_admin.person import Role
from hero_admin.settings import Settings
from hero_admin.testing import Client
from tests.gadgets import Gadget, Maker, Slot
from tests.postgres import PostgresServer
from tests.serving import serving

GADGETS = (Resource(Gadget), Resource(Maker), Resource(Slot))


@pytest.fixture
async def gadgets(settings: Settings, session: AsyncSession) -> AsyncIterator[Client]:
    """A client of an admin of the models that have every type of column and every relation."""
    connection = await session.connection()
    await connection.run_sync(
        lambda sync: SQLModel.metadata.create_all(sync, [each.table for each in GADGETS])
    )
    await session.commit()
    async with serving(create_app(settings, GADGETS), role=Role.OWNER) as client:
        yield client


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest) -> str:
    """The address of a database without any table; the SQLite file does not even exist."""
    fixture = "empty_sqlite_url" if request.param == "sqlite" else "empty_postgres_url"
    url: str = request.getfixturevalue(fixture)
    return url


@pytest.fixture
def empty_sqlite_url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path}/not/there/yet.db"


@pytest.fixture
def empty_postgres_url(postgres: PostgresServer) -> Iterator[str]:
    asyncio.run(postgres.create_database("hero_admin_empty"))
    yield postgres.url("hero_admin_empty")
    asyncio.run(postgres.drop_database("hero_admin_empty"))
