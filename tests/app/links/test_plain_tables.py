"""Associations that are plain tables, as sqlacodegen writes them, without a class of their own."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import Column, ForeignKey, Integer, MetaData, String, Table, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, Relationship, SQLModel

from hero_admin.application import create_app
from hero_admin.database.engines import Database
from hero_admin.model.arguments import ResourceError
from hero_admin.model.links import Link
from hero_admin.model.resource import Resource
from hero_admin.model.site import Site
from hero_admin.person import Role
from hero_admin.settings import Settings
from hero_admin.testing import Client
from tests.serving import serving


class Shelves(SQLModel):
    metadata = MetaData()


# A bare one, whose type follows from what it refers to.
t_book_author = Table(
    "book_author",
    Shelves.metadata,
    Column("book_id", ForeignKey("book.id"), primary_key=True),
    Column("author_code", ForeignKey("author.code"), primary_key=True),
)
# One with a key of its own and nothing unique, and with columns of any name.
t_book_shop = Table(
    "Book in-shop",
    Shelves.metadata,
    Column("id", Integer, primary_key=True),
    Column("book", ForeignKey("book.id"), nullable=False),
    Column("shop", ForeignKey("shop.id"), nullable=False),
    Column("model_config", Integer),
    Column("what for?", String(20), nullable=False, server_default="sale"),
)
t_keyless = Table(
    "keyless",
    Shelves.metadata,
    Column("book_id", ForeignKey("book.id")),
    Column("shop_id", ForeignKey("shop.id")),
)


class Author(Shelves, table=True):
    code: str = Field(primary_key=True, max_length=20)
    books: list["Book"] = Relationship(
        back_populates="authors",
        sa_relationship_kwargs={"secondary": "book_author", "lazy": "raise"},
    )


class Shop(Shelves, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=40)


class Book(Shelves, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=40)
    authors: list[Author] = Relationship(
        back_populates="books",
        sa_relationship_kwargs={"secondary": "book_author", "lazy": "raise"},
    )
    shops: list[Shop] = Relationship(
        sa_relationship_kwargs={"secondary": t_book_shop, "lazy": "raise"}
    )
    stores: list[Shop] = Relationship(
        sa_relationship_kwargs={"secondary": t_keyless, "lazy": "raise", "viewonly": True}
    )


# How a link is named, the other side, and its table.
KINDS = {
    "bare": ("authors", "ann", t_book_author),
    "of its own": ("shops", "1", t_book_shop),
}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> tuple[str, str, Table]:
    return KINDS[request.param]


@pytest.fixture
async def reader(settings: Settings, session: AsyncSession) -> AsyncIterator[Client]:
    """A client of an admin of books 1 and 2, the author “ann” and shop 1."""
    await (await session.connection()).run_sync(Shelves.metadata.create_all)
    session.add_all([Author(code="ann"), Shop(name="ann")])
    for name in ("Emma", "Evelina"):
        session.add(Book(name=name))
        await session.flush()
    await session.commit()
    named = Resource(Book, links=(Link(Book.authors), Link(Book.shops)))
    resources = [named, Resource(Author), Resource(Shop)]
    async with serving(create_app(settings, resources), role=Role.OWNER) as client:
        yield client


# Any: values of any column.
async def rows_of(database: Database, table: Table) -> list[tuple[Any, ...]]:
    async with database.reading.connect() as connection:
        return [tuple(row) for row in await connection.execute(select(table))]


async def test_a_form_links_and_unlinks_and_both_are_undone(
    reader: Client, database: Database, kind: tuple[str, str, Table]
) -> None:
    name, other, table = kind
    page = await reader.get("/books/1/edit")
    answer = await reader.submit(page.form(press="Save changes"), {f"link.{name}.add": [other]})
    saved = await reader.follow(answer)
    before = await rows_of(database, table)
    assert len(before) == 1
    assert len((await reader.get(f"/books/1/{name}")).rows) == 1
    (entry,) = (await reader.get("/books/1/history")).entries
    assert entry.values == {name.capitalize(): "added ann"}
    await reader.submit(saved.undo)
    assert await rows_of(database, table) == []
    await reader.post("/books/1", data={f"link.{name}.add": other})
    (again,) = await rows_of(database, table)
    linked = await reader.get(f"/books/1/{name}")
    removed = await reader.follow(await reader.submit(linked.form(press="Remove ann")))
    assert removed.flash == "Removed ann"
    assert await rows_of(database, table) == []
    await reader.submit(removed.undo)
    assert await rows_of(database, table) == [again]


async def test_lists_filters_and_exports_have_it(
    reader: Client, kind: tuple[str, str, Table]
) -> None:
    name, other, _ = kind
    await reader.post("/books/1", data={f"link.{name}.add": other})
    shown = {row["Name"]: row[name.capitalize()] for row in (await reader.get("/books")).rows}
    assert shown == {"Emma": "ann", "Evelina": "—"}
    assert (await reader.get(f"/books?{name}={other}")).column("Name") == ["Emma"]
    exported = (await reader.get("/books.csv")).text
    assert exported.splitlines()[0].count(name) == 1
    assert exported.splitlines()[1].count("ann") == 1


async def test_the_api_and_bulk_edits_change_it(
    reader: Client, database: Database, kind: tuple[str, str, Table]
) -> None:
    name, other, table = kind
    value = int(other) if other.isdigit() else other
    changed = await reader.patch("/api/books/1", json={name: {"add": [value]}})
    assert changed.status_code == 200
    assert len((await reader.get(f"/api/books/1/with-{name}")).json()[name]) == 1
    many = {"form.id": ["1", "2"], f"link.{name}.add": other}
    done = await reader.follow(await reader.post("/books/change", data=many))
    assert done.flash == "Changed 1 book"
    assert len(await rows_of(database, table)) == 2
    await reader.patch("/api/books/1", json={name: {"remove": [value]}})
    assert len(await rows_of(database, table)) == 1
    made = await reader.post("/api/books/", json={"name": "Cecilia", name: {"add": [value]}})
    assert made.status_code == 201
    assert len(await rows_of(database, table)) == 2


async def test_a_deleted_record_comes_back_with_its_rows(
    reader: Client, database: Database
) -> None:
    await reader.post("/books/1", data={"link.authors.add": "ann"})
    before = await rows_of(database, t_book_author)
    deleted = await reader.follow(await reader.post("/books/1/delete", data={}))
    assert await rows_of(database, t_book_author) == []
    await reader.submit(deleted.undo)
    assert await rows_of(database, t_book_author) == before


async def test_columns_of_any_name_are_shown_and_changed(
    reader: Client, database: Database
) -> None:
    await reader.post("/books/1", data={"link.shops.add": "1"})
    page = await reader.get("/books/1/shops")
    assert page.rows[0]["what for?"] == "sale"
    assert page.rows[0]["model_config"] == "—"
    form = (await reader.get("/book-in-shops/1/edit")).form(press="Save changes")
    await reader.submit(form, {"column_3": "7", "column_4": "loan"})
    assert await rows_of(database, t_book_shop) == [(1, 1, 1, 7, "loan")]


def test_a_table_without_a_key_is_a_mistake_where_it_is_named() -> None:
    with pytest.raises(ResourceError, match=r"can't follow stores, as its association keyless"):
        Site([Resource(Book, links=(Link(Book.stores),)), Resource(Shop)])
    names = [link.name for link in Resource(Book).many_to_many]
    assert names == ["authors", "shops"]
