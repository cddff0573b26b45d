"""Exports: every row of a list as a file, as the list filters and sorts them."""

import asyncio
import csv
import io
import json
import re

import pytest
from hypothesis import example, given
from hypothesis.strategies import text
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.applications import Starlette
from starlette.types import Message

from hero_admin.listing.csv_text import defused
from hero_admin.listing.exports import ROWS_PER_BATCH
from hero_admin.testing import Client, Page
from tests.cases import on_one_database
from tests.factories import a_hero, a_team, some_heroes
from tests.statements import Statements
from webapp.heroes import Hero


def lines_of(response: Page) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(response.text)))


async def test_a_csv_file_holds_every_row_of_the_list_and_the_titles_of_relations(
    client: Client, session: AsyncSession
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


async def test_every_column_of_a_csv_file_has_a_name_of_its_own_and_instants_have_their_zone(
    gadgets: Client,
) -> None:
    await gadgets.post("/api/makers/", json={"code": "M", "motto": "x"})
    values = {"maker_code": "M", "seen_at": "2024-01-31T10:00:00.5+02:00"}
    values |= {"title": "t", "checked_at": "2024-01-31T10:00:00"}
    assert (await gadgets.post("/api/gadgets/", json=values)).status_code == 201
    response = await gadgets.get("/gadgets.csv")
    names = next(csv.reader(io.StringIO(response.text)))
    assert len(set(names)) == len(names)
    (line,) = lines_of(response)
    assert (line["maker_code"], line["maker_code_title"]) == ("M", "M")
    assert line["seen_at"] == "2024-01-31T08:00:00.500000Z"
    assert line["checked_at"] == "2024-01-31T10:00:00"


async def test_a_csv_file_for_excel_has_a_byte_order_mark_and_the_separator_that_is_asked_for(
    client: Client, session: AsyncSession
) -> None:
    await a_hero(session, "Zoë; =1")
    page = await client.get("/heroes?q=zo")
    for name, separator in (("CSV for Excel", ","), ("CSV for Excel, semicolons", ";")):
        response = await client.get(page.link(name))
        assert response.content.startswith(b"\xef\xbb\xbfname")
        text = response.content.decode("utf-8-sig")
        (line,) = csv.DictReader(io.StringIO(text), delimiter=separator)
        # What is a formula behind one separator is none behind another either.
        assert line["name"] == "Zoë;' =1"
    plain = await client.get("/heroes.csv?separator=tab")
    assert plain.content.startswith(b"name\tage\t")
    refused = await client.get("/heroes.csv?separator=%7C")
    assert refused.status_code == 400
    assert "Choose a comma, a semicolon or a tab as the separator." in refused.text


async def test_a_csv_file_leaves_masked_columns_out(client: Client, session: AsyncSession) -> None:
    await a_hero(session, "Deadpond", "Dive Wilson", age=7, team=await a_team(session, "Z-Force"))
    (line,) = lines_of(await client.get("/heroes.csv"))
    own = ["name", "age", "team_id", "id", "retired_on", "retirement_note"]
    assert list(line) == [*own, "team"]
    assert (line["name"], line["age"], line["team"]) == ("Deadpond", "7", "Z-Force")


async def test_a_json_file_holds_what_the_api_shows_of_each_record(
    client: Client, session: AsyncSession
) -> None:
    hero = await a_hero(session, "Deadpond", age=7)

    exported = (await client.get("/heroes.json")).json()

    shown = (await client.get(f"/api/heroes/{hero.id}")).json()
    # A file goes further than the one who may see what is masked.
    assert exported == [{**shown, "secret_name": None}]


async def test_json_lines_hold_one_record_each(client: Client, session: AsyncSession) -> None:
    await some_heroes(session, 3, await a_team(session))
    response = await client.get("/heroes.jsonl?sort=-age")
    assert response.headers["content-type"] == "application/jsonl"
    records = [json.loads(line) for line in response.text.splitlines()]
    assert records == (await client.get("/heroes.json?sort=-age")).json()
    assert [record["age"] for record in records] == [3, 2, 1]


@pytest.mark.parametrize("sort", ["team_id", "-team_id", "age", "-age", "id"])
async def test_an_export_has_the_order_of_the_list(
    client: Client, session: AsyncSession, sort: str
) -> None:
    for name in ("Zeta", "Alpha"):
        await some_heroes(session, 3, await a_team(session, name))
    await a_hero(session, "Ageless")
    listed = (await client.get(f"/heroes?sort={sort}")).rows
    exported = lines_of(await client.get(f"/heroes.csv?sort={sort}"))
    told = [(row["name"], row["age"], row["team"]) for row in exported]
    assert told == [(row["Name"], row["Age"].strip("—"), row["Team"].strip("—")) for row in listed]


@pytest.mark.parametrize("extension", ["csv", "json"])
async def test_an_export_leaves_out_what_the_list_leaves_out(
    client: Client, session: AsyncSession, extension: str
) -> None:
    team = await a_team(session, "Preventers")
    await some_heroes(session, 5, team)
    await some_heroes(session, 5)

    path = f"/heroes.{extension}?team={team.id}&age_min=2&q=hero+00&sort=-age&size=1"
    response = await client.get(path)

    rows = response.json() if extension == "json" else lines_of(response)
    assert [int(row["age"]) for row in rows] == [5, 4, 3, 2]


async def test_an_export_of_several_batches_is_complete_and_reads_each_section_once(
    client: Client, session: AsyncSession, statements: Statements
) -> None:
    count = 2 * ROWS_PER_BATCH + 1
    await some_heroes(session, count)

    with statements() as executed:
        response = await client.get("/heroes.json?sort=age")

    assert [hero["age"] for hero in response.json()] == list(range(1, count + 1))
    # The aged, and those whose age nobody knows.
    assert len([each for each in executed if re.search(r"FROM hero\b", each)]) == 2


async def test_a_client_that_goes_away_ends_its_export(
    app: Starlette, client: Client, session: AsyncSession
) -> None:
    count = 20 * ROWS_PER_BATCH
    rows = [{"name": f"Hero {number}", "secret_name": "Person"} for number in range(count)]
    await session.execute(insert(Hero), rows)
    await session.commit()
    sent, is_gone = list[bytes](), asyncio.Event()

    async def receive() -> Message:
        if sent:
            await is_gone.wait()
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message.get("body", b""))
        if len(sent) > 2:
            is_gone.set()
            # As a server does whose client reads no more.
            await asyncio.sleep(0)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/heroes.jsonl",
        "raw_path": b"/heroes.jsonl",
        "query_string": b"sort=age",
        "headers": [(b"host", b"localhost")],
        "client": ("127.0.0.1", 50000),
        "server": ("localhost", 80),
        "root_path": "",
    }
    await app(scope, receive, send)

    assert b"".join(sent).count(b"\n") < count
    pool = app.state.database.reading.pool
    assert pool.checkedout() == 0
    # The next one finds its place.
    assert (await client.get("/heroes.jsonl?sort=age")).text.count("\n") == count


@on_one_database
@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r="])
async def test_no_cell_of_a_csv_file_is_a_formula(
    client: Client, session: AsyncSession, start: str
) -> None:
    await a_hero(session, f"{start}cmd|x", "x")

    (row,) = lines_of(await client.get("/heroes.csv"))

    assert row["name"].startswith("'")


SEPARATOR = re.compile(r"[;,|\t\n\v\f\r\x1c-\x1f\x85\u2028\u2029]")
# What `defused` has written, found as its docstring says.
WRITTEN = re.compile(
    r"""(^|[;,|\t\n\v\f\r\x1c-\x1f\x85\u2028\u2029])'(?=[\s"'\0\u200b\u202e\ufeff]*[=+\-@\uff1d\ufe66])"""
)


@example("a;=1+1")
@example("a\t-1\n+2\r@3")
@example("'=1")
@example('a;"=1')
@given(text(alphabet="=+-@;,|\t\r\n '\"a1\uff1d\ufe66\u2028\u200b\u202e\ufeff\0"))
def test_a_cell_is_harmless_however_a_file_is_split_and_its_text_can_be_had_back(cell: str) -> None:
    harmless = defused(cell)
    for part in SEPARATOR.split(harmless):
        assert part.lstrip(' "\u200b\u202e\ufeff\0')[:1] not in tuple("=+-@\uff1d\ufe66")
    assert WRITTEN.sub(r"\1", harmless) == cell


def test_a_cell_of_many_separators_takes_no_longer_than_it_is_long() -> None:
    # With its square it would be hours.
    assert defused("\n" * 1_000_000 + "x") == "\n" * 1_000_000 + "x"
    assert defused("a\t" * 500_000 + "=") == "a\t" * 500_000 + "'="


async def test_titles_are_made_harmless_too(client: Client, session: AsyncSession) -> None:
    await a_hero(session, "x;=1", "x", age=7, team=await a_team(session, "y;=1"))
    (row,) = lines_of(await client.get("/heroes.csv"))
    assert (row["name"], row["age"], row["team"]) == ("x;'=1", "7", "y;'=1")


@pytest.mark.parametrize("extension", ["csv", "json"])
async def test_an_empty_list_is_an_empty_file(client: Client, extension: str) -> None:
    response = await client.get(f"/heroes.{extension}")

    assert response.status_code == 200
    assert (response.json() if extension == "json" else lines_of(response)) == []


async def test_a_filter_that_cannot_be_read_is_a_sentence_and_no_file(client: Client) -> None:
    response = await client.get("/heroes.csv?age_min=old")

    assert response.status_code == 400
    assert "Age: Enter a whole number." in response.text


async def test_the_heroes_of_a_team_are_exported_from_its_page(
    client: Client, session: AsyncSession
) -> None:
    team = await a_team(session)
    await a_hero(session, "In", team=team)
    await a_hero(session, "Out")
    assert f'href="/heroes.csv?team={team.id}"' in (await client.get(f"/teams/{team.id}")).text

    rows = lines_of(await client.get(f"/heroes.csv?team={team.id}"))

    assert [row["name"] for row in rows] == ["In"]
