"""Whatever SQLAlchemy can store is listed, opened, saved, undone and exported."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from hero_admin.cli.main import commands
from hero_admin.testing import AdminClient, check_no_script, check_round_trips, client_on
from tests.example.every_type import house_of_every_type
from tests.example.shops import Shop
from tests.postgres import PostgresServer

NAME = "every_type"


@pytest.fixture(params=["sqlite", "postgresql"])
async def house(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Shop]:
    """An application whose tables have a column of every type."""
    url = f"sqlite+aiosqlite:///{tmp_path}/{NAME}.db"
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        await server.drop_database(NAME)
        await server.create_database(NAME)
        url = server.url(NAME)
    house = await house_of_every_type(url)
    done = await asyncio.to_thread(CliRunner().invoke, commands, ["migrate"], obj=house.admin)
    assert done.exit_code == 0, done.output
    yield house
    await house.close()


@pytest.fixture
async def owner(house: Shop) -> AsyncIterator[AdminClient]:
    async with client_on(house.admin, house.url, app=house.app, start=house.start) as client:
        yield client


async def test_everything_that_pages_offer_is_there(owner: AdminClient) -> None:
    assert len((await check_no_script(owner)).addresses) > 100


async def test_nothing_changes_but_what_is_changed_and_undo_brings_it_back(
    owner: AdminClient,
) -> None:
    tried = await check_round_trips(owner)
    assert (tried.saved, tried.deleted) >= (6, 6)
    assert tried.changed >= 30
    assert tried.sent >= 6
