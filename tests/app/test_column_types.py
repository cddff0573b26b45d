"""Column types that applications bring along: their lists open, and they are typed and shown."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel

from tests.factories import committed
from tests.html import error_beside, errors_of, facts_of, field_of, form_of, link, rows_of, submit
from tests.serving import serving
from tests.specimens import Contact, Duty, Film, Rating, Thing
from tests.stored import Stored
from webapp.admin.resource import Resource
from webapp.app import create_app
from webapp.identity import Role
from webapp.settings import Settings


@pytest.fixture
async def specimens(settings: Settings, session: AsyncSession) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an admin of models of column types that are no plain ones."""
    resources = (Resource(Contact), Resource(Film), Resource(Thing, money=(Thing.price,)))
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
    specimens: httpx.AsyncClient, stored: Stored
) -> None:
    page = await specimens.get("/contacts/new")
    typed = {name: text for name, text, _ in TEXTS}
    answer = await submit(specimens, form_of(page, press="Create contact"), typed)
    assert answer.status_code == 303, errors_of(answer) or answer.text
    (contact,) = await stored.all(Contact)
    kept = {name: text for name, _, text in TEXTS}
    assert {name: getattr(contact, name) for name in kept} == kept
    edit = await specimens.get(f"/contacts/{contact.id}/edit")
    assert field_of(edit, "Site").value == kept["site"]
    saved = await submit(specimens, form_of(edit, press="Save changes"), home="/srv/bob")
    assert saved.status_code == 303, errors_of(saved)
    (contact,) = await stored.all(Contact)
    assert {name: getattr(contact, name) for name in kept} == {**kept, "home": "/srv/bob"}


async def test_a_list_whose_first_column_is_a_text_of_any_type_opens_sorted_by_it(
    specimens: httpx.AsyncClient, session: AsyncSession
) -> None:
    for name in ("bob", "ann"):
        # The column takes the text itself.
        password: Any = "sesame"
        await committed(session, Contact(email=f"{name}@example.com", password=password))
    page = await specimens.get("/contacts")
    assert page.status_code == 200
    assert [row["Email"] for row in rows_of(page)] == ["ann@example.com", "bob@example.com"]
    assert len(rows_of(await specimens.get("/contacts?q=BOB"))) == 1
    shown = await specimens.get(link(page, "ann@example.com"))
    assert "sesame" not in shown.text


async def test_the_api_takes_and_gives_every_type_of_text(specimens: httpx.AsyncClient) -> None:
    created = await specimens.post("/api/contacts/", json={name: text for name, text, _ in TEXTS})
    assert created.status_code == 201, created.text
    kept = {name: text for name, _, text in TEXTS}
    assert created.json() == {"id": created.json()["id"], **kept}
    again = await specimens.patch(f"/api/contacts/{created.json()['id']}", json=kept)
    assert again.json() == created.json()
    assert (await specimens.get("/api/openapi.json")).status_code == 200
    assert (await specimens.get("/api/docs")).status_code == 200


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("email", "ann", "An email address must have an @-sign."),
        ("site", "example", "Enter a URL like https://example.com."),
        ("site", "ftp://example.com", "Begin the URL with 'http' or 'https'."),
        ("code", "a1", "This does not have the form ^[A-Za-z]{3}$."),
        ("address", "192.0.2", "Enter an address like 192.0.2.1."),
    ],
)
async def test_a_text_that_is_none_of_its_type_is_refused_with_a_sentence(
    specimens: httpx.AsyncClient, field: str, typed: str, sentence: str
) -> None:
    page = await specimens.post("/contacts", data={"email": "ann@example.com", field: typed})
    assert (page.status_code, error_beside(page, field.capitalize())) == (422, sentence)


async def test_choices_read_as_they_are_called(specimens: httpx.AsyncClient) -> None:
    page = await specimens.get("/films/new")
    assert {
        label: list(field_of(page, label).options)
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
    specimens: httpx.AsyncClient, stored: Stored
) -> None:
    page = await specimens.get("/films/new")
    typed = {
        "rating": "NC17", "duty": "PG", "priority": "URGENT", "size": "XL", "reels": "3",
        "medium": "35 mm", "stock": "PG", "sign": "3",
    }  # fmt: skip
    answer = await submit(specimens, form_of(page, press="Create film"), typed)
    assert answer.status_code == 303, errors_of(answer) or answer.text
    (film,) = await stored.all(Film)
    assert stored_in(film) == {
        "rating": Rating.NC17, "duty": Duty.PG, "priority": 9, "size": "XL", "reels": 3,
        "medium": "35 mm", "stock": "PG", "sign": 3,
    }  # fmt: skip
    facts = facts_of(await specimens.get(f"/films/{film.id}"))
    assert (facts["Rating"], facts["Priority"], facts["Stock"]) == ("NC-17", "9: Urgent", "PG")
    for name, text in typed.items():
        if name != "sign":
            assert len(rows_of(await specimens.get(f"/films?{name}={text}"))) == 1, name
    read = (await specimens.get(f"/api/films/{film.id}")).json()
    assert read["rating"] == "NC-17"
    again = await specimens.patch(f"/api/films/{film.id}", json=read)
    assert (again.status_code, again.json()) == (200, read)
    refused = await specimens.patch(f"/api/films/{film.id}", json={"medium": "vhs"})
    assert refused.json()["detail"][0]["msg"] == "Choose one of the options."


async def test_a_form_that_nobody_touches_is_taken(
    specimens: httpx.AsyncClient, stored: Stored
) -> None:
    for path, button in (("films", "Create film"), ("things", "Create thing")):
        page = await specimens.get(f"/{path}/new")
        answer = await submit(specimens, form_of(page, press=button))
        assert answer.status_code == 303, errors_of(answer) or answer.text
    (thing,) = await stored.all(Thing)
    assert stored_in(thing) == {
        "name": "thing", "price": 0, "share": Decimal("0.1235"), "bulk": 1000, "ratio": 1.5,
        "tags": ["a"],
    }  # fmt: skip
    created = await specimens.post("/api/things/", json={})
    assert created.status_code == 201, created.text


async def test_what_a_model_needs_is_needed_although_its_column_could_be_empty(
    specimens: httpx.AsyncClient, session: AsyncSession
) -> None:
    thing = await committed(session, Thing())
    edit = await specimens.get(f"/things/{thing.id}/edit")
    assert field_of(edit, "Share").is_required
    page = await submit(specimens, form_of(edit, press="Save changes"), share="")
    assert (page.status_code, error_beside(page, "Share")) == (422, "Enter a share.")


async def test_amounts_of_money_are_shown_with_two_places_and_separators(
    specimens: httpx.AsyncClient, session: AsyncSession
) -> None:
    for price in ("43.9000", "123456.5", "0.1234", "-7"):
        await committed(session, Thing(price=Decimal(price)))
    page = await specimens.get("/things?sort=id")
    assert [row["Price"] for row in rows_of(page)] == ["43.90", "123,456.50", "0.1234", "-7.00"]
    edit = await specimens.get("/things/2/edit")
    assert Decimal(str(field_of(edit, "Price").value)) == Decimal("123456.5")
