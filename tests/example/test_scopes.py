"""Whatever the schema, nothing is learned of records that are not within a person's rows."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hero_admin import Admin, Person, Resource, Rights, Role
from hero_admin.testing import AdminClient, check_scopes, client_on
from tests.example.every_type import migrated_house
from tests.example.shops import Shop
from tests.postgres import PostgresServer

EDITOR = Person("Edward Editor", Role.EDITOR)
# Of a bool, a choice and a link no value is a marker; for others a database may have no room.
UNMARKED = {"is_good", "is_bad", "shade", "level", "tags"} | {
    *("code", "small", "smallint", "number", "cents")
}
# Any: a model, whose attributes are known at run time only.
Rows = Callable[[Any], Any]


def limited(admin: Admin, rows: dict[str, Rows], visible: dict[str, set[str]]) -> Admin:
    """An Admin in which everybody but owners sees only some rows and fields of these resources."""
    resources = [
        _with_rights(_limited(each, rows.get(each.name)), visible.get(each.name))
        for each in admin.resources
    ]
    return Admin(resources, authenticate=_)


def _(_: object) -> None:
    """Nobody is asked who they are."""


def _limited(resource: Resource, rows: Rows | None) -> Resource:
    if rows is None:
        return resource
    own = rows(resource.model)
    return replace(resource, rows=lambda person: None if person.role is Role.OWNER else own)


def _with_rights(resource: Resource, visible: set[str] | None) -> Resource:
    if visible is None:
        return resource
    names = {*resource.by_name, *(link.name for link in resource.many_to_many)}
    hidden = [getattr(resource.model, name) for name in sorted(names - visible)]
    rights: dict[Any, Rights] = dict.fromkeys(hidden, Rights(read=Role.OWNER))
    return replace(resource, rights=rights)


@pytest.fixture
async def shop_staff(shop: Shop) -> AsyncIterator[AdminClient]:
    """Somebody at the shop, who sees not all customers and playlists, and little of them."""
    rows: dict[str, Rows] = {
        "customers": lambda customer: customer.id > 1,
        "playlists": lambda playlist: playlist.id > 1,
    }
    visible = {
        "customers": {"id", "first_name", "last_name", "country", "support_rep_id"},
        "playlists": {"id", "name"},
    }
    async with client_on(limited(shop.admin, rows, visible), shop.url) as client:
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
    names = {"id", "name"}
    visible = {each.name: names for each in house.admin.resources if each.name.endswith("samples")}
    async with client_on(limited(house.admin, rows, visible), house.url) as client:
        yield client
    await house.close()


async def test_the_shop_tells_nothing_of_other_customers(shop_staff: AdminClient) -> None:
    walk = await check_scopes(shop_staff, EDITOR)
    assert walk.records == ["playlist 1", "customer 1"]
    assert walk.references > 0
    assert {"email of customer 2", "phone of customer 2"} < {*walk.fields}


async def test_a_column_of_every_type_tells_nothing(owner_of_types: AdminClient) -> None:
    walk = await check_scopes(owner_of_types, EDITOR)
    assert walk.records == ["sample 1"]
    all_hidden = {attribute.key for attribute in owner_of_types.site.resources[0].rights}
    marked = {name.partition(" of sample 2")[0] for name in walk.fields}
    assert all_hidden - marked <= UNMARKED
