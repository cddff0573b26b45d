"""Whatever SQLAlchemy can store is listed, opened, saved, undone and exported."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from hero_admin.cli.main import commands
from tests.example.crawl import crawl
from tests.example.every_type import house_of_every_type
from tests.example.round_trips import change_and_undo, delete_and_undo, save_unchanged, send_back
from tests.example.shops import Shop
from tests.page import Client
from tests.postgres import PostgresServer
from tests.serving import client_of

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
async def owner(house: Shop) -> AsyncIterator[Client]:
    async with client_of(house.app) as client:
        yield client


async def test_everything_that_pages_offer_is_there(owner: Client, house: Shop) -> None:
    got = await crawl(owner, house.start)
    assert len(got) > 100


async def test_saving_a_form_unchanged_changes_nothing(owner: Client, house: Shop) -> None:
    assert await save_unchanged(owner, house) >= 6


async def test_each_changed_field_comes_back_with_undo(owner: Client, house: Shop) -> None:
    assert await change_and_undo(owner, house) >= 30


async def test_what_is_deleted_comes_back_with_undo(owner: Client, house: Shop) -> None:
    assert await delete_and_undo(owner, house) >= 6


async def test_the_api_takes_what_it_gave(owner: Client, house: Shop) -> None:
    await send_back(owner, house)
