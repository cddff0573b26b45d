"""The list of a resource: its order, its address, its numbers, its fragments."""

import httpx
import pytest
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from tests.cases import each
from tests.factories import a_hero, a_team, some_heroes, some_teams
from tests.html import (
    alert_of,
    attribute,
    by_id,
    columns_of,
    field_of,
    flash_of,
    follow,
    form_of,
    heading_of,
    htmx_headers,
    link,
    links_of,
    parsed,
    row_of,
    rows_of,
    sorted_by,
    submit,
    text_of,
    title_of,
)
from tests.statements import Statements
from webapp.heroes import Hero

LIST = htmx_headers("section#list")
TOTAL = htmx_headers("span#total")


async def three_heroes(session: AsyncSession) -> None:
    avengers = await a_team(session, "Avengers")
    preventers = await a_team(session, "Preventers")
    await a_hero(session, "Nova", "Cleo", 30, preventers)
    await a_hero(session, "Deadpond", "Adam", 40, avengers)
    await a_hero(session, "Rusty", "Bert", 20)


def names_of(page: httpx.Response) -> list[str]:
    return [row["Name"] for row in rows_of(page)]


async def test_the_list_shows_each_hero_with_its_team(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    await three_heroes(session)
    page = await client.get("/heroes")
    assert columns_of(page) == ["Name", "Secret name", "Age", "Team"]
    assert rows_of(page)[1] == {
        "Name": "Nova",
        "Secret name": "masked show",
        "Age": "30",
        "Team": "Preventers",
    }
    assert rows_of(page)[2]["Team"] == "—"


async def test_a_row_leads_to_the_hero_and_to_its_team(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    await three_heroes(session)
    row = row_of(await client.get("/heroes"), "Nova")
    for name in ("Nova", "Preventers"):
        assert heading_of(await client.get(link(row, name))) == name


# Sorting


@pytest.mark.parametrize(
    ("column", "ascending"),
    [
        ("Name", ["Deadpond", "Nova", "Rusty"]),
        ("Age", ["Rusty", "Nova", "Deadpond"]),
    ],
)
async def test_a_click_on_a_column_sorts_by_it_and_a_second_one_turns_it_round(
    client: httpx.AsyncClient, session: AsyncSession, column: str, ascending: list[str]
) -> None:
    await three_heroes(session)
    page = await client.get("/heroes?sort=-team_id")
    page = await client.get(link(page, column))
    assert (names_of(page), sorted_by(page)) == (ascending, (column, "ascending"))
    page = await client.get(link(page, column))
    assert (names_of(page), sorted_by(page)) == (ascending[::-1], (column, "descending"))


async def test_heroes_are_sorted_by_the_names_of_their_teams_those_without_last(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    await three_heroes(session)
    page = await client.get("/heroes?sort=team_id")
    assert (names_of(page), sorted_by(page)) == (
        ["Deadpond", "Nova", "Rusty"],
        ("Team", "ascending"),
    )
    page = await client.get(link(page, "Team"))
    assert (names_of(page), sorted_by(page)) == (
        ["Nova", "Deadpond", "Rusty"],
        ("Team", "descending"),
    )


async def test_a_fresh_list_is_sorted_by_name(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    await three_heroes(session)
    page = await client.get("/heroes")
    assert (names_of(page), sorted_by(page)) == (
        ["Deadpond", "Nova", "Rusty"],
        ("Name", "ascending"),
    )


# The address


async def test_the_address_alone_brings_the_same_view_back(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    team = await a_team(session)
    await some_heroes(session, 12, team)
    await a_hero(session, "Hero 999", age=5)
    address = f"/heroes?q=hero&team={team.id}&age_min=3&sort=-age&size=4"
    second = await client.get(link(await client.get(address), "Next page"))
    again = await httpx.AsyncClient.get(client, str(second.url))
    assert again.text == second.text
    assert names_of(again) == ["Hero 008", "Hero 007", "Hero 006", "Hero 005"]


async def test_searching_keeps_order_and_size(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    await some_heroes(session, 5)
    page = await client.get("/heroes?sort=-age&size=2")
    found = await submit(client, form_of(page, name="Heroes"), q="hero 00")
    assert sorted_by(found) == ("Age", "descending")
    assert names_of(found) == ["Hero 005", "Hero 004"]
    assert field_of(found, "Search heroes").value == "hero 00"


async def test_sorting_keeps_search_filter_and_size_and_starts_at_the_first_page(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    await some_heroes(session, 9)
    page = await client.get("/heroes?q=hero&age_min=3&size=2")
    page = await client.get(link(page, "Next page"))
    page = await client.get(link(page, "Age"))
    assert dict(page.url.params) == {"q": "hero", "age_min": "3", "size": "2", "sort": "age"}
    assert names_of(page) == ["Hero 003", "Hero 004"]


async def test_the_title_tells_the_state(client: httpx.AsyncClient, session: AsyncSession) -> None:
    team = await a_team(session)
    page = await client.get("/heroes")
    assert title_of(page) == "Heroes · Hero Admin"
    page = await client.get("/heroes?q=nova")
    assert title_of(page) == "Heroes matching “nova” · Hero Admin"
    page = await client.get(f"/heroes?q=nova&team={team.id}&age_min=18")
    assert title_of(page) == ("Heroes matching “nova” · Team: Preventers, Age ≥ 18 · Hero Admin")


# How many


async def test_a_page_says_which_rows_it_shows_and_how_many_there_are(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    await some_heroes(session, 60)
    page = await client.get("/heroes")
    assert text_of(by_id(page, "range")) == "1–25 of 60"
    assert text_of(by_id(page, "total")) == "60"
    page = await client.get(link(page, "Next page"))
    assert text_of(by_id(page, "range")) == "26–50 of 60"


async def test_a_page_holds_as_many_rows_as_chosen(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    await some_heroes(session, 60)
    page = await client.get("/heroes")
    assert len(rows_of(page)) == 25
    page = await client.get(link(page, "50"))
    assert len(rows_of(page)) == 50
    assert page.url.params["size"] == "50"


async def test_the_rows_of_a_search_are_counted_on_request(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    await some_heroes(session, 60)
    page = await client.get("/heroes?q=hero")
    assert text_of(by_id(page, "total")) == "Count"
    assert text_of(by_id(await client.get(link(page, "Count")), "total")) == "60"
    counted = await client.get(link(page, "Count"), headers=TOTAL)
    # The total, and once more for the pager.
    assert text_of(parsed(counted)) == "60 of 60"


async def test_a_search_that_fits_one_page_is_counted_at_once(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    await some_heroes(session, 60)
    page = await client.get("/heroes?q=hero+00")
    assert text_of(by_id(page, "total")) == "9"


async def test_beyond_ten_thousand_rows_are_counted_exactly_on_request(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    rows = [{"name": f"Hero {number}", "secret_name": "Person"} for number in range(10_002)]
    await session.execute(insert(Hero), rows)
    await session.commit()
    page = await client.get("/heroes")
    assert text_of(by_id(page, "total")) == "10,000+"
    exact = await client.get(link(by_id(page, "total"), "10,000+"))
    assert text_of(by_id(exact, "total")) == "10,002"


@pytest.mark.parametrize(
    ("address", "most"),
    [
        ("/heroes", 4),
        ("/heroes?sort=-team_id", 4),
        ("/heroes?team=1&team=none&sort=age", 4),
        # It begins with the names that are missing, which only a model rules out.
        ("/heroes?q=hero&before=end", 5),
        ("/teams/1", 4),
    ],
)
async def test_a_list_takes_few_statements_however_many_rows_it_has(
    client: httpx.AsyncClient,
    session: AsyncSession,
    statements: Statements,
    address: str,
    most: int,
) -> None:
    team = await a_team(session)
    numbers = []
    for count in (40, 400):
        await some_heroes(session, count, team)
        with statements() as executed:
            page = await client.get(address + ("&" if "?" in address else "?") + "size=30")
        assert len(rows_of(page)) == 30
        numbers.append(len(executed))
    # The second time the teams on offer are known.
    assert numbers[1] <= numbers[0] <= most


@pytest.mark.parametrize("address", ["/heroes", "/heroes?team=1&sort=team_id", "/teams/1/heroes"])
async def test_a_fragment_of_the_list_takes_at_most_four_statements(
    client: httpx.AsyncClient, session: AsyncSession, statements: Statements, address: str
) -> None:
    await some_heroes(session, 40, await a_team(session))
    with statements() as executed:
        await client.get(address, headers=LIST)
    assert len(executed) <= 4


async def test_a_page_of_25_heroes_weighs_less_than_30_kilobytes(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    for team in await some_teams(session, 20):
        await some_heroes(session, 10, team)
    page = await client.get("/heroes", headers={"Accept-Encoding": "identity"})
    assert len(rows_of(page)) == 25
    assert len(page.content) < 30_000


async def test_a_list_that_was_just_opened_takes_two_statements(
    client: httpx.AsyncClient, session: AsyncSession, statements: Statements
) -> None:
    await some_heroes(session, 40, await a_team(session))
    await client.get("/heroes")
    with statements() as executed:
        await client.get("/heroes")
    # The rows with their number, and who is asking.
    assert len(executed) <= 2


# Fragments


async def test_htmx_gets_the_list_alone_with_its_title(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    await three_heroes(session)
    fragment = await client.get("/heroes?q=nova", headers=LIST)
    assert title_of(fragment) == "Heroes matching “nova” · Hero Admin"
    assert [row["Name"] for row in rows_of(by_id(fragment, "list"))] == ["Nova"]
    assert not parsed(fragment).find_all(["html", "main", "h1"])
    assert "HX-Target" in fragment.headers["vary"]


async def test_the_list_of_a_fragment_is_that_of_the_page(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    await some_heroes(session, 30, await a_team(session))
    for address in ("/heroes?team=1&sort=-age", "/teams/1?q=hero", "/heroes?q=nobody"):
        page, fragment = [await client.get(address, headers=each) for each in ({}, LIST)]
        assert by_id(page, "list") == by_id(fragment, "list")
        assert text_of(by_id(page, "total")) in text_of(parsed(fragment))


@each(
    "headers",
    [
        {},
        {"HX-Request": "true"},
        htmx_headers("body"),
        htmx_headers("section#elsewhere"),
        htmx_headers("section#filters"),
        {"HX-History-Restore-Request": "true"},
    ],
)
async def test_whoever_does_not_ask_for_the_list_gets_the_page(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    page = await client.get("/heroes", headers=headers)
    assert heading_of(page).startswith("Heroes")
    assert "HX-Target" in page.headers["vary"]


@each("address", ["/", "/heroes", "/heroes?sort=nonsense", "/heroes/new", "/no"])
async def test_head_is_answered_like_get(client: httpx.AsyncClient, address: str) -> None:
    got, head = await client.get(address), await client.head(address)
    assert head.status_code == got.status_code
    assert head.headers["content-type"] == got.headers["content-type"]
    assert head.headers["vary"] == got.headers["vary"]


# Nothing to show


async def test_an_empty_list_offers_to_create_the_first_record(client: httpx.AsyncClient) -> None:
    page = await client.get("/heroes")
    assert rows_of(page) == []
    assert "No heroes yet" in text_of(by_id(page, "list"))
    assert heading_of(await client.get(link(by_id(page, "list"), "New hero"))) == "New hero"


async def test_a_search_without_result_offers_all_heroes(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    await three_heroes(session)
    page = await client.get("/heroes?q=nobody")
    assert "No heroes match “nobody”" in text_of(by_id(page, "list"))
    assert len(rows_of(await client.get(link(page, "Show all heroes")))) == 3


async def test_a_search_beside_filters_offers_to_look_beyond_them(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    await three_heroes(session)
    page = await client.get("/heroes?q=nova&age_min=35")
    assert rows_of(page) == []
    assert names_of(await client.get(link(page, "Remove the filters"))) == ["Nova"]


async def test_filters_without_result_offer_all_heroes(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    await three_heroes(session)
    page = await client.get("/heroes?age_min=1000")
    assert "No heroes match these filters" in text_of(by_id(page, "list"))
    assert len(rows_of(await client.get(link(page, "Show all heroes")))) == 3


# Forth and back


async def test_saving_leads_back_to_the_same_view_with_the_row_marked(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    await some_heroes(session, 9)
    page = await client.get("/heroes?q=hero&sort=-age&size=3")
    page = await client.get(link(page, "Next page"))
    edit = await client.get(link(page, "Edit Hero 005"))
    saved = await submit(client, form_of(edit, press="Save changes"), secret_name="New")
    back = await follow(client, saved)
    assert back.url == page.url
    assert flash_of(back) == "Saved Hero 005"
    marked = [row["Name"] for row in rows_of(back) if row_of(back, row["Name"]).has_attr(MARK)]
    assert marked == ["Hero 005"]


async def test_a_row_is_marked_only_once(client: httpx.AsyncClient, session: AsyncSession) -> None:
    await some_heroes(session, 3)
    edit = await client.get("/heroes/2/edit")
    await follow(client, await submit(client, form_of(edit, press="Save changes")))
    page = await client.get("/heroes")
    assert not row_of(page, "Hero 002").has_attr(MARK)
    assert flash_of(page) == ""


async def test_cancelling_leads_back_to_the_same_view(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    await some_heroes(session, 9)
    page = await client.get("/heroes?q=hero&sort=-age")
    for name in ("Edit Hero 005", "Delete Hero 005", "New hero"):
        form = await client.get(link(page, name))
        assert (await client.get(link(form, "Cancel"))).url == page.url


async def test_what_cannot_be_read_is_named_above_the_list(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    await three_heroes(session)
    page = await client.get("/heroes?sort=nonsense&age_min=old&size=9999")
    assert page.status_code == 400
    assert alert_of(page) == (
        "Age: Enter a whole number. This list can't be sorted that way."
        " Choose between 1 and 200 rows per page."
    )
    assert len(rows_of(page)) == 3


async def test_the_selected_rows_are_sent_to_be_deleted(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    await three_heroes(session)
    page = await client.get("/heroes")
    boxes = [attribute(tag, "value") for tag in by_id(page, "list").find_all("input", id=False)]
    asked = await submit(client, form_of(page, press="Delete…"), id=["1", "3"])
    assert {"1", "2", "3"} <= set(boxes)
    assert heading_of(asked) == "Delete 2 heroes?"
    assert "Delete…" not in [one.text for one in links_of(page)]


MARK = "data-marked"
