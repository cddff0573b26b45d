"""Associations with columns of their own: shown, edited, and given where a link needs them."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import MetaData
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, Relationship, SQLModel

from hero_admin.application import create_app
from hero_admin.model.resource import Resource
from hero_admin.person import Role
from hero_admin.settings import Settings
from hero_admin.testing import Client
from tests.playlists import Artist, Credit, Music, Track, a_track, an_artist
from tests.serving import serving
from tests.stored import Stored


class Goods(SQLModel):
    metadata = MetaData()


class OrderLine(Goods, table=True):
    """It says how many, which nobody can guess; and no ON DELETE."""

    __tablename__ = "order_line"

    order_id: int = Field(foreign_key="order.id", primary_key=True)
    product_id: int = Field(foreign_key="product.id", primary_key=True)
    count: int = Field(ge=1)
    packer_id: int | None = Field(default=None, foreign_key="packer.id")


class Packer(Goods, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str


class Product(Goods, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str


class Order(Goods, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str
    products: list[Product] = Relationship(link_model=OrderLine)


@pytest.fixture
async def shop(settings: Settings, session: AsyncSession) -> AsyncIterator[Client]:
    await (await session.connection()).run_sync(Goods.metadata.create_all)
    session.add_all(
        [Order(id=1, name="First"), Product(id=1, name="Pen"), Packer(id=1, name="Ann")]
    )
    session.add(Product(id=2, name="Ink"))
    await session.flush()
    session.add(OrderLine(order_id=1, product_id=1, count=3, packer_id=1))
    await session.commit()
    resources = [Resource(Order), Resource(Product), Resource(Packer)]
    async with serving(create_app(settings, resources), role=Role.OWNER) as client:
        yield client


async def line(stored: Stored, product_id: int) -> OrderLine | None:
    return await stored.get(OrderLine, (1, product_id))


async def test_the_list_shows_what_the_association_says(shop: Client) -> None:
    page = await shop.get("/orders/1/products")
    assert page.rows == [{"Name": "Pen", "Count": "3", "Packer": "Ann"}]


async def test_it_is_edited_from_there_and_undone(shop: Client, stored: Stored) -> None:
    page = await shop.get("/orders/1/products")
    form = await shop.get(page.link("Edit Pen"))
    saved = await shop.submit(form.form(press="Save changes"), count="5")
    after = await shop.follow(saved)
    assert after.url.path == "/orders/1/products"
    assert after.rows[0]["Count"] == "5"
    await shop.submit(after.undo)
    found = await line(stored, 1)
    assert found is not None
    assert found.count == 3


async def test_a_link_that_needs_more_has_a_form_of_its_own(shop: Client, stored: Stored) -> None:
    edit = await shop.get("/orders/1/edit")
    new = await shop.get(edit.link("Add a product"))
    refused = await shop.submit(new.form(press="Create order line"), product_id="2")
    assert refused.error("Count") == "Enter a count."
    saved = await shop.submit(refused.form(press="Create order line"), count="2")
    assert saved.status_code == 303
    found = await line(stored, 2)
    assert found is not None
    assert found.count == 2
    page = await shop.get("/orders/1/products")
    assert page.column("Count") == ["2", "3"]
    from_there = await shop.get(page.link("Add products"))
    assert from_there.field("Order").value == "1"
    assert "Add products after creating this order." in (await shop.get("/orders/new")).text


async def test_a_program_is_told_what_is_missing(shop: Client, stored: Stored) -> None:
    answer = await shop.patch("/api/orders/1", json={"products": {"add": [2]}})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "products"]
    assert await line(stored, 2) is None
    answer = await shop.patch("/api/orders/1", json={"products": {"remove": [1]}})
    assert answer.status_code == 200
    assert await line(stored, 1) is None


async def test_lines_are_no_mere_links_and_hold_their_product(shop: Client, stored: Stored) -> None:
    page = await shop.get("/products/1/delete")
    assert "order line" in page.text
    refused = await shop.post("/products/1/delete", data={})
    assert refused.status_code == 409
    assert await line(stored, 1) is not None


async def test_an_association_with_columns_has_a_page_and_is_in_no_menu(
    player: Client, session: AsyncSession, stored: Stored
) -> None:
    track = await a_track(session, "Blue")
    await an_artist(session, "joni", track)
    page = await player.get(f"/tracks/{track.id}/artists")
    assert page.rows == [{"Name": "Joni", "Code": "joni", "Role": "singer"}]
    assert "Credits" not in page.link_names
    form = await player.get(page.link("Edit Joni"))
    await player.submit(form.form(press="Save changes"), {"field.role": "writer"})
    assert [credit.role for credit in await stored.all(Credit)] == ["writer"]
    history = await player.get("/credits/1/history")
    assert history.entries[0].values == {"Role": "singer became writer"}
    assert (await player.get("/playlist-tracks")).status_code == 404


@pytest.mark.parametrize("is_read_only", [True, False])
async def test_an_association_of_read_only_records_is_read_only(
    settings: Settings, session: AsyncSession, stored: Stored, *, is_read_only: bool
) -> None:
    await (await session.connection()).run_sync(Music.metadata.create_all)
    await session.commit()
    blue = await a_track(session, "Blue")
    await an_artist(session, "joni", blue)
    await an_artist(session, "neil")
    resources = [Resource(Track, read_only=True), Resource(Artist, read_only=is_read_only)]
    async with serving(create_app(settings, resources), role=Role.OWNER) as client:
        assert (await client.get("/credits")).status_code == 200
        assert (await client.get("/credits/1")).status_code == 200
        sent = {"track_id": str(blue.id), "artist_code": "neil", "role": "drummer"}
        created = await client.post("/credits", data=sent)
        assert created.status_code == (405 if is_read_only else 303)
        page = await client.get(f"/tracks/{blue.id}/artists")
        assert page.status_code == 200
        assert "Remove" not in page.text
        deleted = await client.post("/credits/1/delete", data={})
        assert deleted.status_code == (405 if is_read_only else 303)
    names = ["joni"] if is_read_only else ["neil"]
    assert [each.artist_code for each in await stored.all(Credit)] == names
