"""Whatever SQLAlchemy can store is listed, opened, saved, undone and exported."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hero_admin.testing import AdminClient, check_no_script, check_round_trips, client_on
from tests.example.every_type import migrated_house
from tests.example.shops import Shop
from tests.postgres import PostgresServer


@pytest.fixture(params=["sqlite", "postgresql"])
async def house(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Shop]:
    """An application whose tables have a column of every type."""
    server: PostgresServer | None = None
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres")
    house = await migrated_house(tmp_path, server)
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
