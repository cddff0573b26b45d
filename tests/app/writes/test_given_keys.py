"""Keys that people give: asked for, kept, refused when they are taken, and never changed."""

from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import CHAR, Column, Numeric, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel

from hero_admin.application import create_app
from hero_admin.database.engines import is_postgresql
from hero_admin.model.resource import Resource
from hero_admin.person import Role
from hero_admin.settings import Settings
from hero_admin.testing import Client
from tests.serving import serving
from tests.stored import Stored


class Album(SQLModel, table=True):
    __tablename__ = "numbered_album"

    number: int = Field(primary_key=True)
    title: str


class Listener(SQLModel, table=True):
    name: str = Field(primary_key=True)


class Liking(SQLModel, table=True):
    """Who likes what, and nothing else."""

    listener_name: str = Field(primary_key=True, foreign_key="listener.name")
    album_number: int = Field(primary_key=True, foreign_key="numbered_album.number")


class Cover(SQLModel, table=True):
    """One to one: its key is that of its album."""

    album_number: int | None = Field(
        default=None, primary_key=True, foreign_key="numbered_album.number"
    )
    artist: str = ""


class Release(SQLModel, table=True):
    day: date = Field(primary_key=True)
    place: int = Field(primary_key=True)
    note: str = Field(default="", max_length=100)


class Rate(SQLModel, table=True):
    """Its texts are padded by PostgreSQL, and its numbers with zeros."""

    code: str = Field(sa_column=Column(CHAR(5), primary_key=True))
    factor: Decimal = Field(sa_column=Column(Numeric(10, 3), primary_key=True))
    name: str = Field(sa_column=Column(CHAR(20), nullable=False))


class Tariff(SQLModel, table=True):
    """Some databases count with decimals."""

    number: Decimal = Field(sa_column=Column(Numeric(12, 0), primary_key=True))
    name: str = Field(default="", max_length=40)


class Sale(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    tariff_number: Decimal | None = Field(
        default=None, foreign_key="tariff.number", ondelete="CASCADE", max_digits=12
    )


RESOURCES = tuple(
    Resource(model) for model in (Album, Listener, Liking, Cover, Release, Rate, Tariff, Sale)
)

RELEASES, RATES = RESOURCES[4:6]


@pytest.fixture
async def albums(settings: Settings, session: AsyncSession) -> AsyncIterator[Client]:
    """A client of an admin that has the album 7, “Seven”, liked by Ann."""
    connection = await session.connection()
    tables = [resource.table for resource in RESOURCES]
    await connection.run_sync(lambda sync: SQLModel.metadata.create_all(sync, tables))
    session.add_all([Album(number=7, title="Seven"), Listener(name="Ann")])
    await session.flush()
    session.add(Liking(listener_name="Ann", album_number=7))
    await session.commit()
    async with serving(create_app(settings, RESOURCES), role=Role.OWNER) as client:
        yield client


async def test_a_number_that_people_give_is_asked_for_and_kept(
    albums: Client, stored: Stored
) -> None:
    form = (await albums.get("/albums/new")).form()
    missing = await albums.submit(form, title="Nine")
    assert missing.error("Number") == "Enter a number."
    created = await albums.submit(missing.form(), number="9")
    assert created.status_code == 303
    answer = await albums.post("/api/albums/", json={"number": 5, "title": "Five"})
    assert (answer.status_code, answer.json()) == (201, {"number": 5, "title": "Five"})
    assert (await albums.post("/api/albums/", json={"title": "None"})).status_code == 422
    assert [album.number for album in await stored.all(Album)] == [5, 7, 9]


async def test_a_number_that_is_taken_is_refused_beside_its_field(albums: Client) -> None:
    page = await albums.post("/albums", data={"number": "7", "title": "Again"})
    assert page.status_code == 422
    assert page.error("Number") == "Another album has this number."
    answer = await albums.post("/api/albums/", json={"number": 7, "title": "Again"})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "number"]


async def test_a_given_key_is_shown_while_its_record_is_edited_and_stays(
    albums: Client, stored: Stored
) -> None:
    page = await albums.get("/albums/7/edit")
    assert (
        "Number 7 This identifies the album and can't be changed."
        in page.by_id("form").visible_text
    )
    await albums.post("/albums/7", data={"number": "8", "title": "New"})
    await albums.patch("/api/albums/7", json={"number": 8})
    assert [(album.number, album.title) for album in await stored.all(Album)] == [(7, "New")]


async def test_a_deleted_record_comes_back_under_the_key_it_was_given(
    albums: Client, stored: Stored
) -> None:
    await albums.delete("/api/likings/Ann,7")
    question = await albums.get("/albums/7/delete")
    page = await albums.follow(await albums.submit(question.form()))
    await albums.submit(page.form(press="Undo"))
    assert [album.number for album in await stored.all(Album)] == [7]


async def test_what_is_one_to_one_chooses_the_record_that_it_belongs_to(
    albums: Client, stored: Stored
) -> None:
    form = (await albums.get("/covers/new")).form()
    page = await albums.submit(form, artist="Cy")
    assert page.error("Album number") == "Choose an album number."
    assert (await albums.submit(page.form(), album_number="7")).status_code == 303
    taken = await albums.post("/api/covers/", json={"album_number": 7})
    assert taken.json()["detail"][0]["loc"] == ["body", "album_number"]
    await albums.patch("/api/covers/7", json={"artist": "Di"})
    assert [cover.model_dump() for cover in await stored.all(Cover)] == [
        {"album_number": 7, "artist": "Di"}
    ]
    assert (await albums.get("/covers/7")).facts["Album number"] == "Seven"


async def test_a_key_of_a_day_and_a_number_names_both_wherever_its_record_is_named(
    albums: Client,
) -> None:
    form = (await albums.get("/releases/new")).form()
    title = "Day 2026-11-28 · Place 2"
    page = await albums.follow(await albums.submit(form, day="2026-11-28", place="2"))
    assert page.flash == f"Created {title}"
    row = page.row("2026-11-28")
    assert row.link(f"Edit {title}") == "/releases/2026-11-28,2/edit"
    show = await albums.get(row.link("2026-11-28"))
    assert show.heading == title
    edit = await albums.get(show.link("Edit"))
    assert edit.heading == title
    page = await albums.follow(await albums.submit(edit.form(press="Save changes"), note="N"))
    assert page.flash == f"Saved {title}"
    assert (await albums.get(page.link("Delete…"))).heading == f"Delete {title}?"
    taken = await albums.post("/api/releases/", json={"day": "2026-11-28", "place": 2})
    assert taken.json()["detail"][0]["msg"] == "Another release has this day and place."


async def test_a_key_is_the_same_however_a_database_writes_it(
    albums: Client, session: AsyncSession, stored: Stored
) -> None:
    names = [f"Rate {number}" for number in range(100, 112)]
    session.add_all(Rate(code="EU", factor=Decimal(name[5:]) / 8, name=name) for name in names)
    await session.commit()
    before = await stored.records(RATES)
    last = await albums.get("/rates?sort=name&size=10&before=end")
    first = await albums.get(last.link("Previous page"))
    assert [row["Name"] for page in (first, last) for row in page.rows] == names
    question = await albums.get(last.link("Delete Rate 104"))
    page = await albums.follow(await albums.submit(question.form()))
    assert len(await stored.records(RATES)) == len(names) - 1
    undone = await albums.submit(page.form(press="Undo"))
    assert undone.status_code == 303
    assert await stored.records(RATES) == before


async def test_records_are_chosen_by_keys_of_any_number(
    albums: Client, session: AsyncSession, stored: Stored
) -> None:
    session.add_all([Tariff(number=Decimal(number), name=f"No. {number}") for number in (7, 8)])
    await session.commit()
    form = (await albums.get("/sales/new")).form()
    assert (await albums.submit(form)).status_code == 303
    assert (
        "created this sale" in (await albums.get("/sales/1/history")).by_id("timeline").visible_text
    )
    many = (await albums.get("/tariffs/change?id=7")).form()
    unchanged = await albums.submit(many, {"form.set.name": True, "name": "No. 7"})
    assert unchanged.status_code == 303
    edit = (await albums.get("/sales/1/edit")).form(press="Save changes")
    assert (await albums.submit(edit, tariff_number="7")).status_code == 303
    (row,) = (await albums.get("/sales?tariff_number=7")).rows
    assert row["Tariff number"] == "No. 7"
    edit = (await albums.get("/sales/1/edit")).form(press="Save changes")
    assert (await albums.submit(edit, tariff_number="8")).status_code == 303
    question = await albums.get("/tariffs/8/delete")
    assert "1 sale" in question.by_id("confirm").visible_text
    page = await albums.follow(await albums.submit(question.form()))
    assert await stored.count(Sale) == 0
    await albums.submit(page.form(press="Undo"))
    assert [sale.tariff_number for sale in await stored.all(Sale)] == [8]


async def test_a_record_whose_key_python_cannot_read_is_deleted_and_comes_back(
    albums: Client, session: AsyncSession, stored: Stored
) -> None:
    day = "0044-03-15 BC" if is_postgresql(session) else "0000-00-00"
    await session.execute(text(f"INSERT INTO release VALUES ('{day}', 1, 'Ides')"))
    await session.commit()
    before = await stored.records(RELEASES)
    question = await albums.get((await albums.get("/releases")).link(f"Delete Day {day} · Place 1"))
    page = await albums.follow(await albums.submit(question.form()))
    assert await stored.records(RELEASES) == []
    await albums.submit(page.form(press="Undo"))
    assert await stored.records(RELEASES) == before


async def test_what_is_nothing_but_its_key_has_pages_that_say_so(
    albums: Client, stored: Stored
) -> None:
    page = await albums.get("/likings")
    row = page.row("Ann")
    assert row.link("Edit Ann · Seven") == "/likings/Ann,7/edit"
    show = await albums.get(row.link("Ann"))
    assert show.heading == "Ann · Seven"
    edit = await albums.get(show.link("Edit"))
    form = edit.by_id("form").visible_text
    assert "Listener name Ann Album number Seven A liking has no other fields" in form
    assert edit.link("New liking") == "/likings/new"
    assert "Save changes" not in form
    for sent in (albums.post("/likings/Ann,7"), albums.patch("/api/likings/Ann,7", json={})):
        assert (await sent).status_code in (200, 303)
    many = await albums.get("/likings/change?id=Ann,7")
    assert "no fields to edit for several at once" in many.by_id("form").visible_text
    assert "Edit 1 liking" not in many.link_names
    await albums.post("/albums", data={"number": "8", "title": "Eight"})
    new = (await albums.get("/likings/new")).form()
    assert (await albums.submit(new, listener_name="Ann", album_number="8")).status_code == 303
    assert len((await albums.get("/likings?album_number=8")).rows) == 1
    assert await stored.count(Liking) == 2
