"""Titles: made by a function or the model itself, and told apart where they are the same."""

import csv
import io
from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel

from hero_admin.admin import create_app
from hero_admin.model.resource import Resource
from hero_admin.person import Role
from hero_admin.settings import Settings
from tests.factories import committed
from tests.html import (
    columns_of,
    facts_of,
    flash_of,
    follow,
    form_of,
    heading_of,
    link,
    parsed,
    row_of,
    rows_of,
    submit,
    text_of,
)
from tests.serving import serving
from tests.statements import Statements


class Employee(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    first_name: str = Field(max_length=40)
    last_name: str = Field(max_length=40)
    email: str | None = Field(default=None, max_length=80, unique=True)
    photo: bytes | None = None

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name.upper()}"


class Client(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=40)
    pin: str = Field(default="", max_length=4)
    support_rep_id: int | None = Field(default=None, foreign_key="employee.id")


def company(client: Client) -> str:
    if client.name == "nobody":
        return ""
    if client.name == "nul":
        return "a\0b \ud800"
    return f"{client.name}, {client.pin or 'Inc.'}"[: 1 // int(client.name != "broken") * 99]


EMPLOYEES = Resource(Employee)
CLIENTS = Resource(Client, title=company, masked=(Client.pin,), search=(Client.name,))


@pytest.fixture
async def shop(settings: Settings, session: AsyncSession) -> AsyncIterator[httpx.AsyncClient]:
    connection = await session.connection()
    tables = [EMPLOYEES.table, CLIENTS.table]
    await connection.run_sync(SQLModel.metadata.create_all, tables)
    await session.commit()
    async with serving(create_app(settings, (CLIENTS, EMPLOYEES)), role=Role.OWNER) as client:
        yield client


@pytest.fixture
async def janes(session: AsyncSession) -> list[Employee]:
    names = (
        ("Jane", "Peacock", "jane@shop"),
        ("Jane", "Peacock", "jp@shop"),
        ("Andrew", "Adams", None),
    )
    return [
        await committed(session, Employee(first_name=first, last_name=last, email=email))
        for first, last, email in names
    ]


async def test_a_models_own_text_is_its_title_everywhere(
    shop: httpx.AsyncClient, janes: list[Employee], session: AsyncSession
) -> None:
    title = "Andrew ADAMS"
    page = await shop.get("/employees")
    assert columns_of(page)[:2] == ["Employee", "Last name"]
    assert [row["Employee"] for row in rows_of(page)] == [title, "Jane PEACOCK", "Jane PEACOCK"]
    show = await shop.get(link(row_of(page, title), title))
    assert heading_of(show) == title
    await committed(session, Client(name="Acme", support_rep_id=janes[2].id))
    page = await shop.get("/clients?sort=-support_rep_id")
    assert [row["Support rep"] for row in rows_of(page)] == [title]
    assert facts_of(await shop.get("/clients/1"))["Support rep"] == title
    (line,) = csv.DictReader(io.StringIO((await shop.get("/clients.csv")).text))
    assert line["support_rep"] == title
    edit = await shop.get("/clients/1/edit")
    assert title in text_of(parsed(edit))
    page = await follow(shop, await submit(shop, form_of(edit), support_rep_id="1"))
    history = text_of(parsed(await shop.get("/clients/1/history")))
    assert "Andrew ADAMS" in history
    assert "Jane PEACOCK" in history
    question = await shop.get("/employees/2/delete")
    page = await follow(shop, await submit(shop, form_of(question)))
    assert "Jane PEACOCK" in flash_of(page)


async def test_a_function_makes_the_title_and_does_not_see_what_is_masked(
    shop: httpx.AsyncClient, session: AsyncSession
) -> None:
    await committed(session, Client(name="Acme", pin="1234"))
    page = await shop.get("/clients")
    assert [row["Client"] for row in rows_of(page)] == ["Acme, Inc."]
    form = form_of(await shop.get("/clients/1/edit", follow_redirects=True), press="Save changes")
    page = await follow(shop, await submit(shop, form, name="Apex"))
    assert "Saved Apex, Inc." in flash_of(page)


@pytest.mark.parametrize("name", ["broken", "nobody"])
async def test_a_record_that_its_title_cannot_be_made_of_is_known_by_its_key(
    shop: httpx.AsyncClient, session: AsyncSession, name: str
) -> None:
    made = await committed(session, Client(name=name))
    page = await shop.get("/clients")
    assert [row["Client"] for row in rows_of(page)] == [f"Client {made.id}"]
    assert heading_of(await shop.get(f"/clients/{made.id}")) == f"Client {made.id}"
    question = await shop.get(f"/clients/{made.id}/delete")
    page = await follow(shop, await submit(shop, form_of(question)))
    assert f"Deleted Client {made.id}" in flash_of(page)


async def test_a_title_that_no_database_could_keep_is_mended(shop: httpx.AsyncClient) -> None:
    page = await follow(shop, await shop.post("/clients", data={"name": "nul"}))
    assert "Created ab ?" in flash_of(page)


async def test_a_list_led_by_made_titles_is_paged_by_a_column(
    shop: httpx.AsyncClient, janes: list[Employee], session: AsyncSession
) -> None:
    for number, employee in enumerate(reversed(janes)):
        await committed(session, Client(name=f"C{number}", support_rep_id=employee.id))
    page = await shop.get("/clients?sort=support_rep_id&size=1")
    found = [row["Support rep"] for row in rows_of(page)]
    for _ in range(2):
        page = await shop.get(link(page, "Next page"))
        found += [row["Support rep"] for row in rows_of(page)]
    assert found == ["Andrew ADAMS", "Jane PEACOCK", "Jane PEACOCK"]


async def test_titles_of_relations_are_read_at_once(
    shop: httpx.AsyncClient, janes: list[Employee], session: AsyncSession, statements: Statements
) -> None:
    counts = []
    for number in range(8):
        await committed(session, Client(name=f"C{number}", support_rep_id=janes[number % 3].id))
        with statements() as executed:
            page = await shop.get(f"/clients?q=c&size={100 + number}")
        assert len(rows_of(page)) == number + 1
        counts.append(len(executed))
    # On a busy machine what a filter offers may have to be read again, but nothing for each row.
    assert max(counts[1:]) <= min(counts[1:]) + 1


def options(page: httpx.Response) -> list[str]:
    return [" ".join(text_of(each).split()) for each in parsed(page).find_all(role="option")]


async def test_people_of_the_same_title_are_told_apart_where_one_is_chosen(
    shop: httpx.AsyncClient, janes: list[Employee]
) -> None:
    picked = "/clients/options/support_rep_id"
    assert options(await shop.get(picked)) == [
        "Andrew ADAMS",
        "Jane PEACOCK · jane@shop",
        "Jane PEACOCK · jp@shop",
    ]
    assert options(await shop.get(f"{picked}?q=peacock+jane+jp")) == ["Jane PEACOCK · jp@shop"]
    assert options(await shop.get(f"{picked}?q=ADAMS+andrew")) == ["Andrew ADAMS"]
    assert options(await shop.get(f"{picked}?q=jane+adams")) == []
    # Without JavaScript, and as a filter.
    page = await shop.get("/clients/new")
    found = [text_of(each) for each in parsed(page).find_all("option")]
    assert "Jane PEACOCK · jp@shop" in found
    assert "Jane PEACOCK · jane@shop" in text_of(parsed(await shop.get("/clients")))


async def test_a_record_is_found_by_what_its_title_does_not_say(
    settings: Settings, shop: httpx.AsyncClient, janes: list[Employee], session: AsyncSession
) -> None:
    named = Resource(Employee, title=Employee.first_name)
    await committed(session, Employee(first_name="Jane", last_name="Peacock"))
    async with serving(create_app(settings, (CLIENTS, named)), role=Role.OWNER) as client:
        page = await client.get("/clients/options/support_rep_id?q=adams")
        assert [text_of(each) for each in parsed(page).find_all(role="option")] == [
            "Andrew · Adams"
        ]
        page = await client.get("/clients/options/support_rep_id?q=peacock")
        assert options(page) == [
            "Jane · jane@shop · Peacock",
            "Jane · jp@shop · Peacock",
            "Jane · Peacock",
        ]
