"""Lists in the API: those of the pages as JSON, and followed from page to page."""

import re
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from itertools import product
from typing import Any

import pytest
from httpx import Headers
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.applications import Starlette

from hero_admin.accounts.auth import limits_for
from hero_admin.database.engines import Database
from hero_admin.listing.search import candidates, plan
from hero_admin.person import Role
from hero_admin.settings import Settings
from hero_admin.testing import Client
from tests.cases import each
from tests.factories import a_hero, a_team, some_heroes
from tests.serving import client_of
from tests.signing_in import sign_in_by
from tests.statements import Statements

ALL = [
    "",
    "limit=2&skip=0",
    "sort=name&limit=1",
    "sort=-name&limit=4",
    "sort=age&limit=2",
    "sort=-age&limit=2",
    "sort=team_id&limit=2",
    "sort=-team_id&limit=3",
    "sort=-id&limit=2",
    "q=e&limit=2",
    "age_min=0&age=none&limit=2",
]


def next_of(headers: Headers) -> str | None:
    """The URL of the next page, as a client of web links reads it."""
    link = headers.get("link")
    if link is None:
        return None
    found = re.fullmatch(r'<([^<>]+)>; rel="next"', link)
    assert found, link
    return found[1]


# Any: JSON.
async def pages_from(client: Client, url: str | None) -> AsyncIterator[list[dict[str, Any]]]:
    while url is not None:
        answer = await client.get(url)
        assert answer.status_code == 200, answer.text
        yield answer.json()
        url = next_of(answer.headers)


async def ids_from(client: Client, url: str) -> list[int]:
    return [each["id"] async for page in pages_from(client, url) for each in page]


@pytest.fixture
async def people(session: AsyncSession) -> None:
    """Heroes of any letters, of teams of one title, without an age or a team."""
    teams = [await a_team(session, name) for name in ("Zeta", "alpha")]
    for name, age, team in (
        ("nova", 30, teams[0]),
        ("Éclair", None, teams[1]),
        ("Beetle", 30, None),
        ("adder", 12, teams[1]),
        ("Zed", None, None),
        ("beetle", 0, teams[0]),
        ("Nova", 7, teams[0]),
    ):
        await a_hero(session, name, age=age, team=team)


@pytest.mark.usefixtures("people")
@each(
    "query",
    [
        "sort=name",
        "sort=-name",
        "sort=age",
        "sort=-age",
        "sort=team_id",
        "sort=-team_id",
        "sort=id",
        "q=nova",
        "q=e&sort=-age",
        "q=NOVA&age_min=8",
        "team=1",
        "team=1&team=none",
        "team=none&sort=-name",
        "age=none",
        "age_min=7&age_max=30",
        "age=none&age_min=12&team=2&sort=-team_id",
        "team=&age_min=5&q=&sort=",
    ],
)
async def test_a_list_has_the_rows_of_the_page_in_its_order(client: Client, query: str) -> None:
    page = await client.get(f"/heroes?{query}&size=200")
    listed = [(row["Name"], row["Age"].strip("—"), row["Team"].strip("—")) for row in page.rows]
    assert listed
    found = (await client.get(f"/api/heroes/?{query}")).json()
    titles = {1: "Zeta", 2: "alpha", None: ""}
    told = [
        (each["name"], "" if each["age"] is None else str(each["age"]), titles[each["team_id"]])
        for each in found
    ]
    assert told == listed


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("query", ALL)
async def test_each_record_is_met_once_while_others_come(
    client: Client, session: AsyncSession, query: str
) -> None:
    (whole,) = [page async for page in pages_from(client, f"/api/heroes/?{query}&limit=1000")]
    expected = [each["id"] for each in whole]
    assert len(expected) >= 5
    met: list[int] = []
    async for page in pages_from(client, f"/api/heroes/?{query}"):
        met += [each["id"] for each in page]
        # Where a page has one row, one comes for each that is met.
        if len(met) < 50:
            await a_hero(session, "AAA e", age=0)
            await a_hero(session, "zzz e", age=99)
    assert [one for one in met if one in expected] == expected
    assert len(met) == len(set(met))


async def test_the_last_page_leads_no_further(client: Client, session: AsyncSession) -> None:
    await some_heroes(session, 4)
    for query in ("", "sort=age", "q=hero"):
        first = await client.get(f"/api/heroes/?{query}&limit=2")
        url = next_of(first.headers)
        assert url is not None
        assert url.startswith("/api/heroes/?")
        last = await client.get(url)
        assert [each["age"] for each in last.json()] == [3, 4]
        for answer in (
            last,
            await client.get(f"/api/heroes?{query}&limit=4"),
            await client.get(f"/api/heroes?{query}&limit=0"),
        ):
            assert next_of(answer.headers) is None
    assert next_of((await client.get("/api/heroes/?q=nobody")).headers) is None


async def test_a_client_that_skips_is_answered_as_before(
    client: Client, session: AsyncSession
) -> None:
    for name in ("c", "B", "a"):
        await a_hero(session, name)
    answer = await client.get("/api/heroes/?skip=1&limit=1")
    assert [each["name"] for each in answer.json()] == ["B"]
    url = next_of(answer.headers)
    assert url is not None
    assert [each["name"] for each in (await client.get(url)).json()] == ["a"]
    for query in ("skip=1&q=a", "skip=1&sort=name", "skip=1&team=1", url.partition("?")[2]):
        answer = await client.get(f"/api/heroes/?{query}&skip=1")
        (detail,) = answer.json()["detail"]
        assert (answer.status_code, detail["loc"]) == (422, ["query", "skip"])
        assert detail["msg"].startswith("skip doesn't go with")


@each(
    ("query", "name", "sentence"),
    [
        ("sort=nothing", "sort", "This list can't be sorted that way."),
        ("sort=secret_name", "sort", "This list can't be sorted that way."),
        ("q=" + "x" * 201, "q", "Search for at most 200 characters."),
        ("age_min=old", "age_min", "Age: Enter a whole number."),
        ("age_max=1.5", "age_max", "Age: Enter a whole number."),
        ("age=7", "age", "Age: give age_min and age_max instead."),
        ("team=x", "team", "Team: Enter a whole number."),
        ("&".join(["team=1"] * 101), "team", "Team: choose at most 100 values."),
        ("after=x", "after", "That page no longer exists."),
        ("sort=age&after=x", "after", "That page no longer exists."),
        ("sort=age&after=end", "after", "That page no longer exists."),
    ],
)
async def test_what_cannot_be_read_is_named(
    client: Client, query: str, name: str, sentence: str
) -> None:
    answer = await client.get(f"/api/heroes/?{query}")
    assert answer.status_code == 422
    (detail,) = answer.json()["detail"]
    assert detail == {"type": "invalid", "loc": ["query", name], "msg": sentence}


async def test_a_cursor_is_one_of_its_own_list(client: Client, session: AsyncSession) -> None:
    await some_heroes(session, 3)
    by_age = next_of((await client.get("/api/heroes/?sort=age&limit=1")).headers) or ""
    by_key = next_of((await client.get("/api/heroes/?limit=1")).headers) or ""
    after_age, after_key = by_age.rpartition("=")[2], by_key.rpartition("=")[2]
    forged = urlsafe_b64encode(b'["",null,["99999999999999999999"],0]').decode().rstrip("=")
    jump = urlsafe_b64encode(b'["","5",[],0]').decode().rstrip("=")
    for query in (
        f"sort=-age&after={after_age}",
        f"sort=name&after={after_key}",
        f"after={after_age}",
        f"after={forged}",
        f"after={jump}",
        f"q=hero&after={after_key}",
    ):
        answer = await client.get(f"/api/heroes/?{query}")
        assert answer.status_code == 422, query
        assert answer.json()["detail"][0]["loc"] == ["query", "after"]


@each(
    ("field", "number"),
    product(
        ["count", "price", "weight", "title"],
        ["x", "sNaN", "NaN", "Infinity", "1e99999", "-1e999999", "1e999999999", "1e-99999"],
    ),
)
async def test_a_forged_number_of_any_length_is_refused_at_once(
    gadgets: Client, field: str, number: str
) -> None:
    value = f'{{"stored": {{"decimal": "{number}"}}}}'
    packed = f'["{field}", {value}, ["00000000-0000-0000-0000-000000000000"], 0]'
    after = urlsafe_b64encode(packed.encode()).decode().rstrip("=")
    answer = await gadgets.get(f"/api/gadgets/?sort={field}&after={after}")
    assert answer.status_code in (200, 422)
    page = await gadgets.get(f"/gadgets?sort={field}&after={after}")
    assert page.status_code in (200, 400)


async def test_what_a_page_has_besides_is_no_part_of_it(
    client: Client, session: AsyncSession
) -> None:
    await some_heroes(session, 3)
    for query in ("size=x", "before=end", "from=2", "unknown=1", "count=exact"):
        answer = await client.get(f"/api/heroes/?{query}&sort=age")
        assert [each["age"] for each in answer.json()] == [1, 2, 3]


async def test_a_viewer_learns_nothing_of_what_is_masked(
    client: Client, app: Starlette, session: AsyncSession, settings: Settings, database: Database
) -> None:
    await a_hero(session, "Nova", "Cleopatra")
    await a_hero(session, "Rusty", "Aaron")
    async with client_of(app) as viewer:
        await sign_in_by(database, viewer, Role.VIEWER, limits_for(settings))
        for one in (viewer, client):
            assert (await one.get("/api/heroes/?q=Cleo")).json() == []
            for query in ("secret_name=Aaron", "secret_name_min=B"):
                assert len((await one.get(f"/api/heroes/?{query}&sort=name")).json()) == 2
            assert (await one.get("/api/heroes/?sort=-secret_name")).status_code == 422
        answer = await viewer.get("/api/heroes/?sort=name&limit=1")
        assert answer.json()[0]["secret_name"] is None
        # A browser gets them one at a time.
        assert (await client.get("/api/heroes/?sort=name")).json()[0]["secret_name"] is None
        assert (await client.get("/api/heroes/1")).json()["secret_name"] == "Cleopatra"


async def test_a_page_costs_the_same_however_many_rows_it_has(
    client: Client, session: AsyncSession, statements: Statements
) -> None:
    await some_heroes(session, 300, await a_team(session))
    for query in ("sort=team_id", "q=hero&sort=age", "team=1", ""):
        counts = []
        for limit in (2, 2, 200):
            with statements() as executed:
                await client.get(f"/api/heroes/?{query}&limit={limit}")
            counts.append(len(executed))
        assert counts[1] == counts[2]


async def test_a_short_text_is_found_everywhere_if_its_pages_are_followed(
    client: Client, session: AsyncSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, name, value in (
        (candidates, "MAX_FIRST_CANDIDATES", -1),
        (plan, "FIRST_SEARCH", 3),
        (plan, "SHORT_SCAN", 3),
        (plan, "LONG_SEARCH", 4),
    ):
        monkeypatch.setattr(module, name, value)
    await some_heroes(session, 20)
    for name in ("Amaze", "Maze", "Zed"):
        await a_hero(session, name)
    pages = [page async for page in pages_from(client, "/api/heroes/?q=ze&limit=2")]
    assert [each["name"] for page in pages for each in page] == ["Amaze", "Maze", "Zed"]


async def test_the_document_describes_what_a_list_takes(client: Client) -> None:
    document = (await client.get("/api/openapi.json")).json()
    operation = document["paths"]["/heroes/"]["get"]
    parameters = {each["name"]: each for each in operation["parameters"]}
    assert list(parameters) == [
        *("skip", "limit", "after", "q", "sort", "team", "age_min", "age_max", "age"),
    ]
    assert parameters["team"]["schema"]["type"] == "array"
    assert "secret" not in str(operation)
    assert "Link" in operation["responses"]["200"]["headers"]
    page = await client.get("/api/docs")
    notes = {row["Name"]: row["Note"] for row in page.table("Parameters of List heroes").rows}
    assert notes["team"] == "ID of a team; several for any of them, “none” for those without"
