"""The shop itself: its pages, its sign-in, its data and its migrations."""

import asyncio
from pathlib import Path

from alembic import command

from hero_admin.testing import Client
from hero_admin.testing.checks.raw_rows import raw_rows
from tests.example.shops import ALEMBIC, PASSWORD, Shop, shop_on, upgrade


async def test_visitors_see_albums_and_search_them(visitor: Client) -> None:
    page = await visitor.get("/")
    albums = [link for link in page.links if link.href.startswith("/albums/")]
    assert len(albums) == 24
    album = await visitor.get(albums[0].href)
    assert album.heading in albums[0].text
    assert len(album.find_all("tr")) > 5
    cover = await visitor.get(f"{albums[0].href}/cover")
    assert cover.headers["content-type"] == "image/png"
    assert (await visitor.get("/?q=no+such+album")).links[-1].text == "Staff"
    assert (await visitor.get("/albums/4711")).status_code == 404


async def test_staff_sign_in_and_come_back_to_where_they_were(visitor: Client) -> None:
    page = await visitor.get("/login?next=/albums/3")
    wrong = await visitor.submit(page.form(press="Sign in"), email="ada@shop.example", password="x")
    assert (wrong.status_code, wrong.alert) == (422, "Invalid email or password.")
    given = {"email": "Ada@shop.example ", "password": PASSWORD}
    signed_in = await visitor.submit(wrong.form(press="Sign in"), given)
    assert (signed_in.status_code, signed_in.headers["location"]) == (303, "/albums/3")
    elsewhere = await visitor.get("/login?next=//example.com/")
    signed_in = await visitor.submit(elsewhere.form(press="Sign in"), given)
    assert signed_in.headers["location"] == "/"


async def test_the_data_is_the_same_each_time(shop: Shop, tmp_path: Path) -> None:
    filled = await raw_rows(shop.engine, shop.metadata.sorted_tables)
    await shop.fill()
    assert await raw_rows(shop.engine, shop.metadata.sorted_tables) == filled
    assert sum(map(len, filled.values())) > 5_000
    with shop_on(f"sqlite+aiosqlite:///{tmp_path}/again.db") as other:
        await asyncio.to_thread(upgrade)
        await other.fill()
        again = await raw_rows(other.engine, other.metadata.sorted_tables)
        await other.close()
    # Hashes have salts, and the databases have types of their own for the rest.
    assert {name: len(rows) for name, rows in again.items()} == {
        name: len(rows) for name, rows in filled.items()
    }
    await shop.close()


async def test_its_models_and_its_migrations_agree(shop: Shop) -> None:
    await asyncio.to_thread(command.check, ALEMBIC)
    await asyncio.to_thread(command.downgrade, ALEMBIC, "base")
    await asyncio.to_thread(upgrade)
    assert not any((await raw_rows(shop.engine, shop.metadata.sorted_tables)).values())
    await shop.close()
