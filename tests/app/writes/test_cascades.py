"""Cascades: what goes along with something else is told, comes back with it, and alone."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel

from hero_admin.application import create_app
from hero_admin.audit_log.changes import Change
from hero_admin.model.resource import Resource
from hero_admin.person import Role
from hero_admin.settings import Settings
from hero_admin.testing import Client
from tests.app.history.test_restore import reason_of, restore
from tests.replay import replayed, tables
from tests.serving import serving
from tests.stored import Stored


class Realm(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str


class Town(SQLModel, table=True):
    """It goes along with its realm; its twin may be any town and does without it."""

    id: int | None = Field(default=None, primary_key=True)
    name: str
    realm_id: int = Field(foreign_key="realm.id", ondelete="CASCADE")
    twin_id: int | None = Field(default=None, foreign_key="town.id", ondelete="SET NULL")


class House(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str
    town_id: int = Field(foreign_key="town.id", ondelete="CASCADE")


class Part(SQLModel, table=True):
    """A tree: what is part of something goes along with it."""

    id: int | None = Field(default=None, primary_key=True)
    name: str
    whole_id: int | None = Field(default=None, foreign_key="part.id", ondelete="CASCADE")


RESOURCES = tuple(Resource(model) for model in (Realm, Town, House, Part))


@pytest.fixture
async def client(
    settings: Settings, session: AsyncSession, stored: Stored
) -> AsyncIterator[Client]:
    """A client of two realms, whose towns have houses and twins in and outside of their realm."""
    connection = await session.connection()
    await connection.run_sync(
        lambda sync: SQLModel.metadata.create_all(sync, [each.table for each in RESOURCES])
    )
    await session.commit()
    async with serving(create_app(settings, RESOURCES), role=Role.OWNER) as client:
        for realm in ("North", "South"):
            await create(client, "realms", name=realm)
        for number in range(4):
            await create(client, "towns", name=f"Town {number}", realm_id=str(number // 2 + 1))
        for number in range(8):
            await create(client, "houses", name=f"House {number}", town_id=str(number // 2 + 1))
        for town, twin in ((1, 2), (2, 3), (3, 1), (4, 1)):
            await client.post(f"/towns/{town}", data={"twin_id": str(twin)})
        yield client


async def create(client: Client, noun: str, **data: str) -> None:
    assert (await client.post(f"/{noun}", data=data)).status_code == 303


async def latest_of(stored: Stored, title: str) -> Change:
    return [change for change in await stored.all(Change) if change.title == title][-1]


async def test_cascading_deletions_are_listed_at_every_level(
    client: Client, stored: Stored
) -> None:
    question = await client.get("/realms/1/delete")
    assert "2 towns will be deleted too." in question.by_id("confirm").visible_text
    await client.submit(question.form())
    told = {
        entry.sentence.removeprefix("Olive Owner ")
        for entry in (await client.get("/history")).entries
    }
    assert told >= {
        "deleted realm North",
        "deleted town Town 0 as a consequence",
        "deleted town Town 1 as a consequence",
        "deleted 4 houses as a consequence",
        "changed town Town 2 as a consequence",
        "changed town Town 3 as a consequence",
    }
    counts = [await stored.count(model) for model in (Realm, Town, House)]
    assert counts == [1, 2, 4]
    assert await replayed(stored, *RESOURCES) == await tables(stored, *RESOURCES)


async def test_all_that_went_along_comes_back_and_goes_again(
    client: Client, stored: Stored
) -> None:
    before = await tables(stored, *RESOURCES)
    page = await client.follow(await client.post("/realms/1/delete"))
    after = await tables(stored, *RESOURCES)
    for wanted in (before, after, before):
        page = await client.follow(await client.submit(page.undo))
        assert await tables(stored, *RESOURCES) == wanted
    assert await replayed(stored, *RESOURCES) == before


async def test_a_realm_is_restored_with_its_towns_and_their_houses(
    client: Client, stored: Stored
) -> None:
    before = await tables(stored, *RESOURCES)
    await client.post("/realms/1/delete")
    assert (await restore(client, await latest_of(stored, "North"))).status_code == 303
    assert await tables(stored, *RESOURCES) == before


async def test_a_town_is_restored_alone_with_its_houses_where_there_is_a_realm_for_it(
    client: Client, stored: Stored
) -> None:
    before = await tables(stored, *RESOURCES)
    await client.post("/towns/1/delete")
    assert await stored.count(House) == 6
    assert (await restore(client, await latest_of(stored, "Town 0"))).status_code == 303
    assert await tables(stored, *RESOURCES) == before
    await client.post("/realms/1/delete")
    refused = await restore(client, await latest_of(stored, "House 0"))
    assert refused.status_code == 409
    assert reason_of(refused) == "The town that “House 0” had no longer exists."
    assert await stored.count(House) == 4


async def test_both_realms_at_once_go_and_come_back(client: Client, stored: Stored) -> None:
    before = await tables(stored, *RESOURCES)
    page = await client.follow(await client.post("/realms/delete", data={"id": ["1", "2"]}))
    assert await tables(stored, *RESOURCES) == {}
    assert await replayed(stored, *RESOURCES) == {}
    await client.submit(page.undo)
    assert await tables(stored, *RESOURCES) == before


async def test_a_tree_goes_whole_and_comes_back(client: Client, stored: Stored) -> None:
    for number in range(7):
        whole = {"whole_id": str((number + 1) // 2)} if number else {}
        await create(client, "parts", name=f"Part {number}", **whole)
    before = await tables(stored, *RESOURCES)
    page = await client.follow(await client.post("/parts/1/delete"))
    assert await stored.count(Part) == 0
    assert await replayed(stored, *RESOURCES) == await tables(stored, *RESOURCES)
    await client.submit(page.undo)
    assert await tables(stored, *RESOURCES) == before
    page = await client.follow(await client.post("/parts/delete", data={"id": ["1", "2", "5"]}))
    assert await stored.count(Part) == 0
    assert await replayed(stored, *RESOURCES) == await tables(stored, *RESOURCES)
    await client.submit(page.undo)
    assert await tables(stored, *RESOURCES) == before


async def test_a_cycle_is_deleted_whole_and_listed(client: Client, stored: Stored) -> None:
    for number in range(3):
        await create(client, "parts", name=f"Part {number}")
    for part, whole in ((1, 3), (2, 1), (3, 2)):
        await client.post(f"/parts/{part}", data={"whole_id": str(whole)})
    answer = await client.post("/parts/1/delete")
    assert answer.status_code == 303
    assert await stored.count(Part) == 0
    assert await replayed(stored, *RESOURCES) == await tables(stored, *RESOURCES)


async def test_a_deep_chain_goes_whole_or_not_at_all(client: Client, stored: Stored) -> None:
    for number in range(30):
        whole = {"whole_id": str(number)} if number else {}
        await create(client, "parts", name=f"Part {number}", **whole)
    before = await tables(stored, *RESOURCES)
    page = await client.follow(await client.post("/parts/1/delete"))
    assert await stored.count(Part) == 0
    assert await replayed(stored, *RESOURCES) == await tables(stored, *RESOURCES)
    await client.submit(page.undo)
    assert await tables(stored, *RESOURCES) == before
