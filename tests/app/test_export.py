"""Exports: every row of a list as a file, as the list filters and sorts them."""

import csv
import io

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from tests.factories import a_hero, a_team, some_heroes
from tests.statements import Statements
from webapp.admin.export import ROWS_PER_BATCH


def lines_of(response: httpx.Response) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(response.text)))


async def test_a_csv_file_holds_every_row_of_the_list_and_the_titles_of_relations(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    team = await a_team(session, "Preventers")
    await a_hero(session, "Zoë, “Nova”\nŁukasz", age=7, team=team)
    await a_hero(session, "Deadpond")

    response = await client.get("/heroes.csv?sort=-name")

    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert response.headers["content-disposition"] == 'attachment; filename="heroes.csv"'
    first, second = lines_of(response)
    assert (first["name"], first["age"], first["team"]) == (
        "Zoë, “Nova”\nŁukasz",
        "7",
        "Preventers",
    )
    assert (second["name"], second["age"], second["team"]) == ("Deadpond", "", "")


async def test_a_json_file_holds_what_the_api_shows_of_each_record(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    hero = await a_hero(session, "Deadpond", age=7)

    exported = (await client.get("/heroes.json")).json()

    shown = (await client.get(f"/api/heroes/{hero.id}")).json()
    # A file goes further than the one who may see what is masked.
    assert exported == [{**shown, "secret_name": None}]


@pytest.mark.parametrize("extension", ["csv", "json"])
async def test_an_export_leaves_out_what_the_list_leaves_out(
    client: httpx.AsyncClient, session: AsyncSession, extension: str
) -> None:
    team = await a_team(session, "Preventers")
    await some_heroes(session, 5, team)
    await some_heroes(session, 5)

    path = f"/heroes.{extension}?team={team.id}&age_min=2&q=hero+00&sort=-age&size=1"
    response = await client.get(path)

    rows = response.json() if extension == "json" else lines_of(response)
    assert [int(row["age"]) for row in rows] == [5, 4, 3, 2]


async def test_an_export_of_several_batches_is_one_statement_and_complete(
    client: httpx.AsyncClient, session: AsyncSession, statements: Statements
) -> None:
    count = 2 * ROWS_PER_BATCH + 1
    await some_heroes(session, count)

    with statements() as executed:
        response = await client.get("/heroes.json?sort=age")

    assert [hero["age"] for hero in response.json()] == list(range(1, count + 1))
    # Besides the one that asks who is asking.
    assert len(executed) == 2


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r="])
async def test_no_cell_of_a_csv_file_is_a_formula(
    client: httpx.AsyncClient, session: AsyncSession, start: str
) -> None:
    await a_hero(session, f"{start}cmd|x", "x")

    (row,) = lines_of(await client.get("/heroes.csv"))

    assert row["name"].startswith("'")


@pytest.mark.parametrize("extension", ["csv", "json"])
async def test_an_empty_list_is_an_empty_file(client: httpx.AsyncClient, extension: str) -> None:
    response = await client.get(f"/heroes.{extension}")

    assert response.status_code == 200
    assert (response.json() if extension == "json" else lines_of(response)) == []


async def test_a_filter_that_cannot_be_read_is_a_sentence_and_no_file(
    client: httpx.AsyncClient,
) -> None:
    response = await client.get("/heroes.csv?age_min=old")

    assert response.status_code == 400
    assert "Age: Enter a whole number." in response.text


async def test_the_heroes_of_a_team_are_exported_from_its_page(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    team = await a_team(session)
    await a_hero(session, "In", team=team)
    await a_hero(session, "Out")
    assert f'href="/heroes.csv?team={team.id}"' in (await client.get(f"/teams/{team.id}")).text

    rows = lines_of(await client.get(f"/heroes.csv?team={team.id}"))

    assert [row["name"] for row in rows] == ["In"]
