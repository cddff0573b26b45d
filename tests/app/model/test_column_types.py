"""Column types that applications bring along: their lists open, and they are typed and shown."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel

from hero_admin import formats
from hero_admin.application import create_app
from hero_admin.database.engines import Database
from hero_admin.listing.search.connect import connect
from hero_admin.model.resource import Resource
from hero_admin.person import Role
from hero_admin.settings import Settings
from hero_admin.testing import Client
from tests.factories import committed
from tests.serving import serving
from tests.specimens import Contact, Duty, Film, Rating, Server, Thing
from tests.stored import Stored


@pytest.fixture
async def specimens(settings: Settings, session: AsyncSession) -> AsyncIterator[Client]:
    """A client of an admin of models of column types that are no plain ones."""
    resources = (
        Resource(Contact),
        Resource(Film),
        Resource(Thing, show={Thing.price: formats.money}),
    )
    connection = await session.connection()
    await connection.run_sync(
        lambda sync: SQLModel.metadata.create_all(sync, [each.table for each in resources])
    )
    await session.commit()
    async with serving(create_app(settings, resources), role=Role.OWNER) as client:
        yield client


def stored_in(record: SQLModel) -> dict[str, object]:
    """What the columns of a record hold, whatever its annotations say."""
    return {
        name: getattr(record, name)
        for name in type(record).model_fields
        if name != "id" and getattr(record, name) is not None
    }


TEXTS = [
    ("email", "ann@EXAMPLE.com", "ann@example.com"),
    ("site", "https://example.com", "https://example.com/"),
    ("link", "bob@example.com", "bob@example.com"),
    ("sender", "Ann <ann@example.com>", "Ann <ann@example.com>"),
    ("code", "abc", "ABC"),
    ("address", "192.0.2.1", "192.0.2.1"),
    ("home", "/srv/ann", "/srv/ann"),
    ("blob", "aGk=", "aGk="),
    ("password", "open sesame", "open sesame"),
]


async def test_every_type_of_text_is_typed_stored_and_typed_back(
    specimens: Client, stored: Stored
) -> None:
    page = await specimens.get("/contacts/new")
    typed = {name: text for name, text, _ in TEXTS}
    answer = await specimens.submit(page.form(press="Create contact"), typed)
    assert answer.status_code == 303, answer.errors
    (contact,) = await stored.all(Contact)
    typed_texts = {name: text for name, _, text in TEXTS}
    assert {name: getattr(contact, name) for name in typed_texts} == typed_texts
    edit = await specimens.get(f"/contacts/{contact.id}/edit")
    assert edit.field("Site").value == typed_texts["site"]
    saved = await specimens.submit(edit.form(press="Save changes"), home="/srv/bob")
    assert saved.status_code == 303, saved.errors
    (contact,) = await stored.all(Contact)
    assert {name: getattr(contact, name) for name in typed_texts} == {
        **typed_texts,
        "home": "/srv/bob",
    }


async def test_a_list_whose_first_column_is_a_text_of_any_type_opens_sorted_by_it(
    specimens: Client, session: AsyncSession
) -> None:
    for name in ("bob", "ann"):
        # The column takes the text itself.
        password: Any = "sesame"
        await committed(session, Contact(email=f"{name}@example.com", password=password))
    page = await specimens.get("/contacts")
    assert page.status_code == 200
    assert page.column("Email") == ["ann@example.com", "bob@example.com"]
    assert len((await specimens.get("/contacts?q=BOB")).rows) == 1
    shown = await specimens.get(page.link("ann@example.com"))
    assert "sesame" not in shown.text


async def test_the_api_takes_and_gives_every_type_of_text(specimens: Client) -> None:
    created = await specimens.post("/api/contacts/", json={name: text for name, text, _ in TEXTS})
    assert created.status_code == 201, created.text
    typed_texts = {name: text for name, _, text in TEXTS}
    assert created.json() == {"id": created.json()["id"], **typed_texts}
    again = await specimens.patch(f"/api/contacts/{created.json()['id']}", json=typed_texts)
    assert again.json() == created.json()
    assert (await specimens.get("/api/openapi.json")).status_code == 200
    assert (await specimens.get("/api/docs")).status_code == 200


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("email", "ann", "An email address must have an @-sign."),
        ("site", "example", "Enter a URL like https://example.com."),
        ("site", "ftp://example.com", "Begin the URL with 'http' or 'https'."),
        ("code", "a1", "This doesn't match the pattern ^[A-Za-z]{3}$."),
        ("address", "192.0.2", "Enter an address like 192.0.2.1."),
    ],
)
async def test_a_text_that_is_none_of_its_type_is_refused_with_a_sentence(
    specimens: Client, field: str, typed: str, sentence: str
) -> None:
    page = await specimens.post("/contacts", data={"email": "ann@example.com", field: typed})
    assert (page.status_code, page.error(field.capitalize())) == (422, sentence)


async def test_choices_read_as_they_are_called(specimens: Client) -> None:
    page = await specimens.get("/films/new")
    assert {
        label: list(page.field(label).options)
        for label in ("Rating", "Duty", "Priority", "Size", "Reels", "Medium", "Stock")
    } == {
        "Rating": ["G", "PG", "NC-17", "Unrated"],
        "Duty": ["On leave", "PG"],
        "Priority": ["1: Low", "9: Urgent"],
        "Size": ["s", "XL"],
        "Reels": ["None", "1", "2", "3"],
        "Medium": ["None", "35 mm", "dvd"],
        "Stock": ["None", "G", "PG", "NC-17", "Unrated"],
    }


async def test_choices_of_every_type_are_stored_shown_and_filtered_by(
    specimens: Client, stored: Stored
) -> None:
    page = await specimens.get("/films/new")
    typed = {
        "rating": "NC17", "duty": "PG", "priority": "URGENT", "size": "XL", "reels": "3",
        "medium": "35 mm", "stock": "PG", "sign": "3",
    }  # fmt: skip
    answer = await specimens.submit(page.form(press="Create film"), typed)
    assert answer.status_code == 303, answer.errors
    (film,) = await stored.all(Film)
    assert stored_in(film) == {
        "rating": Rating.NC17, "duty": Duty.PG, "priority": 9, "size": "XL", "reels": 3,
        "medium": "35 mm", "stock": "PG", "sign": 3,
    }  # fmt: skip
    facts = (await specimens.get(f"/films/{film.id}")).facts
    assert (facts["Rating"], facts["Priority"], facts["Stock"]) == ("NC-17", "9: Urgent", "PG")
    for name, given in typed.items():
        if name != "sign":
            assert len((await specimens.get(f"/films?{name}={given}")).rows) == 1, name
    read = (await specimens.get(f"/api/films/{film.id}")).json()
    assert read["rating"] == "NC-17"
    again = await specimens.patch(f"/api/films/{film.id}", json=read)
    assert (again.status_code, again.json()) == (200, read)
    refused = await specimens.patch(f"/api/films/{film.id}", json={"medium": "vhs"})
    assert refused.json()["detail"][0]["msg"] == "Choose one of the options."


async def test_a_form_that_nobody_touches_is_taken(specimens: Client, stored: Stored) -> None:
    for path, button in (("films", "Create film"), ("things", "Create thing")):
        page = await specimens.get(f"/{path}/new")
        answer = await specimens.submit(page.form(press=button))
        assert answer.status_code == 303, answer.errors
    (thing,) = await stored.all(Thing)
    assert stored_in(thing) == {
        "name": "thing", "price": 0, "share": Decimal("0.1235"), "bulk": 1000, "ratio": 1.5,
        "tags": ["a"],
    }  # fmt: skip
    created = await specimens.post("/api/things/", json={})
    assert created.status_code == 201, created.text


async def test_what_a_model_needs_is_needed_although_its_column_could_be_empty(
    specimens: Client, session: AsyncSession
) -> None:
    thing = await committed(session, Thing())
    edit = await specimens.get(f"/things/{thing.id}/edit")
    assert edit.field("Share").is_required
    page = await specimens.submit(edit.form(press="Save changes"), share="")
    assert (page.status_code, page.error("Share")) == (422, "Enter a share.")


async def test_a_number_comes_back_in_the_digits_that_were_typed_or_is_refused(
    specimens: Client, stored: Stored, settings: Settings
) -> None:
    for typed in ("123456789.123456", "0.1", "12", "-0.000000000001", "123456789012345"):
        made = await specimens.post("/api/things/", json={"free": typed})
        assert Decimal(made.json()["free"]) == Decimal(typed)
        assert len(made.json()["free"]) <= len(typed) + len(".0")
        form = (await specimens.get(f"/things/{made.json()['id']}/edit")).form()
        assert Decimal(form["free"]) == Decimal(typed)
    made = await specimens.post("/api/things/", json={"wide": "0.1"})
    assert made.json()["wide"] == "0.100000000000"

    # More than the 64 bits of SQLite hold.
    typed, count = "123456789012345678.123456789012", await stored.count(Thing)
    made = await specimens.post("/api/things/", json={"wide": typed})
    form = (await specimens.get("/things/new")).form(press="Create thing")
    sent = await specimens.submit(form, wide=typed)
    if settings.database_url.startswith("sqlite"):
        assert (made.status_code, sent.status_code) == (422, 422)
        assert sent.error("Wide") == "Use at most 15 digits."
        assert await stored.count(Thing) == count
    else:
        assert made.json()["wide"] == typed
        assert await stored.count(Thing) == count + 2


async def test_amounts_of_money_are_shown_with_two_places_and_separators(
    specimens: Client, session: AsyncSession
) -> None:
    for price in ("43.9000", "123456.5", "0.1234", "-7"):
        await committed(session, Thing(price=Decimal(price)))
    page = await specimens.get("/things?sort=id")
    assert page.column("Price") == ["43.90", "123,456.50", "0.1234", "-7.00"]
    edit = await specimens.get("/things/2/edit")
    assert Decimal(str(edit.field("Price").value)) == Decimal("123456.5")


# Field, what is typed, what PostgreSQL makes of it, and what it does not read, with a sentence.
SERVER = [
    ("numbers", "[1, 2, 3]", "{1,2,3}", '["many"]', "Enter a whole number."),
    ("prices", "[1.10, 20]", "{1.10,20.00}", '["many"]', "Enter a number."),
    ("weights", "[1.5, -2]", "{1.5,-2}", '["many"]', "Enter a number."),
    ("days", '["2026-11-23"]', "{2026-11-23}", "x", "Enter valid JSON: error at line 1, column 1."),
    ("network", "192.0.2.1/24", "192.0.2.1/24", "here", "Enter an address like 192.0.2.1/24."),
    ("block", "192.0.2.0/24", "192.0.2.0/24", "192.0.2.1/24",
     "Enter a network like 192.0.2.0/24."),
    ("card", "08:00:2B:01:02:03", "08:00:2b:01:02:03", "08",
     "Enter a MAC address like 08:00:2b:01:02:03."),
    ("span", "[1,4]", "[1,5)", "[5,1)", "Enter a range like [1,5)."),
    ("spans", "{[1,5), [8,9)}", "{[1,5),[8,9)}", "[1,5)", "Enter ranges like {[1,5), [8,9)}."),
    ("period", "[2026-11-23 00:00+00,)", '["2026-11-23 00:00:00+00",)', "(a,b)",
     "Enter a range like [1,5)."),
    ("words", "'fat':2 'rat':3", "'fat':2 'rat':3", "'a:", "Enter words like 'fat':2 'rat':3."),
    ("pairs", '{"a": "1", "b": null}', '"a"=>"1", "b"=>NULL', "[1]", ""),
    ("bits", "00000101", "00000101", "012", "Enter as many bits as there are, like 101."),
    ("amount", "12.5", "$12.50", "much", "Enter an amount like 12.34."),
    ("lasts", "3 days 04:30:00", "3 days 04:30:00", "long",
     "Enter a duration like 3 days 04:30:00."),
    ("facts", '{"b": 1, "a": [2]}', '{"a": [2], "b": 1}', "{",
     "Enter valid JSON: error at line 1, column 2."),
    ("name", "Nova", "Nova", "", ""),
    ("mail", "ann@example.com", "ann@example.com", "ann",
     "The database doesn't accept this mail."),
    ("floor", "7", "7", "-1", "The database doesn't accept this floor."),
    ("mood", "sad", "sad", "great", "Choose one of the options."),
]  # fmt: skip
STORED_TEXTS = {name: typed_texts for name, _, typed_texts, _, _ in SERVER}


@pytest.fixture
async def servers(postgres_url: str) -> AsyncIterator[tuple[Client, Database]]:
    """A client of an admin of the types that only PostgreSQL has, and its database."""
    settings = Settings(database_url=postgres_url, request_timeout_seconds=60)
    database = connect(settings)
    async with database.writing.begin() as connection:
        for extension in ("hstore", "citext"):
            await connection.execute(text(f"CREATE EXTENSION IF NOT EXISTS {extension}"))
        await connection.run_sync(Server.metadata.create_all)
    async with serving(create_app(settings, (Resource(Server),)), role=Role.OWNER) as client:
        yield client, database
    await database.close()


async def texts_in(database: Database) -> list[dict[str, str]]:
    """What PostgreSQL itself writes for each column."""
    columns = ", ".join(f"{name}::text AS {name}" for name in STORED_TEXTS)
    async with database.reading.connect() as connection:
        rows = await connection.execute(text(f"SELECT {columns} FROM server ORDER BY id"))
        return [dict(row) for row in rows.mappings()]


async def test_types_that_only_postgresql_has_are_typed_as_it_writes_them(
    servers: tuple[Client, Database],
) -> None:
    client, database = servers
    answer = await client.post("/servers", data={name: typed for name, typed, *_ in SERVER})
    assert answer.status_code == 303, answer.errors
    assert await texts_in(database) == [STORED_TEXTS]
    shown = (await client.get("/servers/1")).facts
    assert (shown["Network"], shown["Span"], shown["Words"], shown["Floor"]) == (
        "192.0.2.1/24", "[1,5)", "'fat':2 'rat':3", "7",
    )  # fmt: skip
    edit = await client.get("/servers/1/edit")
    saved = await client.submit(edit.form(press="Save changes"), network="192.0.2.2")
    assert saved.status_code == 303, saved.errors
    assert await texts_in(database) == [{**STORED_TEXTS, "network": "192.0.2.2/32"}]
    undone = await client.submit((await client.follow(saved)).undo)
    assert undone.status_code == 303
    deleted = await client.post("/servers/1/delete", data={})
    await client.submit((await client.follow(deleted)).undo)
    assert await texts_in(database) == [STORED_TEXTS]
    read = (await client.get("/api/servers/1")).json()
    assert (read["pairs"], read["floor"]) == ({"a": "1", "b": None}, 7)
    same = await client.patch("/api/servers/1", json=read)
    assert (same.status_code, same.json()) == (200, read)
    assert (await client.get("/servers.json")).json() == [read]
    await client.post("/servers", data={})
    for name in (field.name for field in Resource(Server).fields if field.is_sortable):
        for sort in (name, f"-{name}"):
            first = await client.get(f"/servers?size=1&sort={sort}")
            assert len((await client.get(first.link("Next page"))).rows) == 1, sort


async def test_what_postgresql_does_not_read_is_said_beside_the_field(
    servers: tuple[Client, Database],
) -> None:
    client, database = servers
    await client.post("/servers", data={})
    for field, _, _, wrong, sentence in SERVER:
        if sentence:
            page = await client.post("/servers", data={field: wrong})
            assert (page.status_code, page.error(field.capitalize())) == (422, sentence)
            many = {"id": "1", f"form.set.{field}": "on", field: wrong}
            page = await client.post("/servers/change", data=many)
            assert (page.status_code, page.error(field.capitalize())) == (422, sentence)
        # There any text is JSON.
        if sentence and field != "facts":
            answer = await client.patch("/api/servers/1", json={field: wrong})
            assert answer.status_code == 422, (field, answer.text)
    assert [set(row.values()) for row in await texts_in(database)] == [{None}]
