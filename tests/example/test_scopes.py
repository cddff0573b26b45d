"""Whatever the schema, nothing is learned of records that are not within a person's rows."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hero_admin import Admin, Person, Resource, Role
from hero_admin.testing import AdminClient, check_scopes, client_on
from tests.example.every_type import migrated_house
from tests.example.shops import Shop
from tests.postgres import PostgresServer

EDITOR = Person("Edward Editor", Role.EDITOR)
# Any: a model, whose attributes are known at run time only.
Rows = Callable[[Any], Any]


def limited(admin: Admin, rows: dict[str, Rows]) -> Admin:
    """An Admin in which everybody but owners sees only some rows of these resources."""
    return Admin([_limited(each, rows.get(each.name)) for each in admin.resources], authenticate=_)


def _(_: object) -> None:
    """Nobody is asked who they are."""


def _limited(resource: Resource, rows: Rows | None) -> Resource:
    if rows is None:
        return resource
    own = rows(resource.model)
    return replace(resource, rows=lambda person: None if person.role is Role.OWNER else own)


@pytest.fixture
async def shop_staff(shop: Shop) -> AsyncIterator[AdminClient]:
    """Somebody at the shop, who sees the customers in Norway and some playlists."""
    rows: dict[str, Rows] = {
        "customers": lambda customer: customer.country == "Norway",
        "playlists": lambda playlist: playlist.id > 1,
    }
    async with client_on(limited(shop.admin, rows), shop.url) as client:
        yield client
    await shop.close()


@pytest.fixture(params=["sqlite", "postgresql"])
async def owner_of_types(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[AdminClient]:
    """Somebody at an Admin of a column of every type, who sees all samples but the first."""
    server: PostgresServer | None = None
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres")
    house = await migrated_house(tmp_path, server)
    rows: dict[str, Rows] = {"samples": lambda sample: sample.id > 1}
    async with client_on(limited(house.admin, rows), house.url) as client:
        yield client
    await house.close()


async def test_the_shop_tells_nothing_of_other_customers(shop_staff: AdminClient) -> None:
    walk = await check_scopes(shop_staff, EDITOR)
    assert walk.records == ["playlist 1", "customer 1"]
    assert walk.references > 0


async def test_a_column_of_every_type_tells_nothing(owner_of_types: AdminClient) -> None:
    walk = await check_scopes(owner_of_types, EDITOR)
    assert walk.records == ["sample 1"]
