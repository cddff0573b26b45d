"""The list of a resource: its order, its address, its numbers, its fragments."""

import pytest
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.testing import Client, htmx_headers
from tests.cases import each
from tests.factories import a_hero, a_team, some_heroes, some_teams
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


async def test_the_list_shows_each_hero_with_its_team(
    client: Client, session: AsyncSession
) -> None:
    await three_heroes(session)
    page = await client.get("/heroes")
    assert page.columns == ["Name", "Secret name", "Age", "Team"]
    assert page.rows[1] == {
        "Name": "Nova",
        "Secret name": "masked show",
        "Age": "30",
        "Team": "Preventers",
    }
    assert page.rows[2]["Team"] == "—"


async def test_a_row_leads_to_the_hero_and_to_its_team(
    client: Client, session: AsyncSession
) -> None:
    await three_heroes(session)
    row = (await client.get("/heroes")).row("Nova")
    for name in ("Nova", "Preventers"):
        assert (await client.get(row.link(name))).heading == name


# Sorting


@pytest.mark.parametrize(
    ("column", "ascending"),
    [
        ("Name", ["Deadpond", "Nova", "Rusty"]),
        ("Age", ["Rusty", "Nova", "Deadpond"]),
    ],
)
async def test_a_click_on_a_column_sorts_by_it_and_a_second_one_turns_it_round(
    client: Client, session: AsyncSession, column: str, ascending: list[str]
) -> None:
    await three_heroes(session)
    page = await client.get("/heroes?sort=-team_id")
    page = await client.get(page.link(column))
    assert (page.column("Name"), page.sorted_by) == (ascending, (column, "ascending"))
    page = await client.get(page.link(column))
    assert (page.column("Name"), page.sorted_by) == (ascending[::-1], (column, "descending"))


async def test_heroes_are_sorted_by_the_names_of_their_teams_those_without_last(
    client: Client, session: AsyncSession
) -> None:
    await three_heroes(session)
    page = await client.get("/heroes?sort=team_id")
    assert (page.column("Name"), page.sorted_by) == (
        ["Deadpond", "Nova", "Rusty"],
        ("Team", "ascending"),
    )
    page = await client.get(page.link("Team"))
    assert (page.column("Name"), page.sorted_by) == (
        ["Nova", "Deadpond", "Rusty"],
        ("Team", "descending"),
    )


async def test_a_fresh_list_is_sorted_by_name(client: Client, session: AsyncSession) -> None:
    await three_heroes(session)
    page = await client.get("/heroes")
    assert (page.column("Name"), page.sorted_by) == (
        ["Deadpond", "Nova", "Rusty"],
        ("Name", "ascending"),
    )


# The address


async def test_the_address_alone_brings_the_same_view_back(
    client: Client, session: AsyncSession
) -> None:
    team = await a_team(session)
    await some_heroes(session, 12, team)
    await a_hero(session, "Hero 999", age=5)
    address = f"/heroes?q=hero&team={team.id}&age_min=3&sort=-age&size=4"
    second = await client.get((await client.get(address)).link("Next page"))
    again = await client.get(str(second.url))
    assert again.text == second.text
    assert again.column("Name") == ["Hero 008", "Hero 007", "Hero 006", "Hero 005"]


async def test_searching_keeps_order_and_size(client: Client, session: AsyncSession) -> None:
    await some_heroes(session, 5)
    page = await client.get("/heroes?sort=-age&size=2")
    found = await client.submit(page.form(name="Heroes"), q="hero 00")
    assert found.sorted_by == ("Age", "descending")
    assert found.column("Name") == ["Hero 005", "Hero 004"]
    assert found.field("Search heroes").value == "hero 00"


async def test_sorting_keeps_search_filter_and_size_and_starts_at_the_first_page(
    client: Client, session: AsyncSession
) -> None:
    await some_heroes(session, 9)
    page = await client.get("/heroes?q=hero&age_min=3&size=2")
    page = await client.get(page.link("Next page"))
    page = await client.get(page.link("Age"))
    assert dict(page.url.params) == {"q": "hero", "age_min": "3", "size": "2", "sort": "age"}
    assert page.column("Name") == ["Hero 003", "Hero 004"]


async def test_the_title_tells_the_state(client: Client, session: AsyncSession) -> None:
    team = await a_team(session)
    page = await client.get("/heroes")
    assert page.title == "Heroes · Hero Admin"
    page = await client.get("/heroes?q=nova")
    assert page.title == "Heroes matching “nova” · Hero Admin"
    page = await client.get(f"/heroes?q=nova&team={team.id}&age_min=18")
    assert page.title == ("Heroes matching “nova” · Team: Preventers, Age ≥ 18 · Hero Admin")


# How many


async def test_a_page_says_which_rows_it_shows_and_how_many_there_are(
    client: Client, session: AsyncSession
) -> None:
    await some_heroes(session, 60)
    page = await client.get("/heroes")
    assert page.by_id("range").visible_text == "1–25 of 60"
    assert page.by_id("total").visible_text == "60"
    page = await client.get(page.link("Next page"))
    assert page.by_id("range").visible_text == "26–50 of 60"


async def test_a_page_holds_as_many_rows_as_chosen(client: Client, session: AsyncSession) -> None:
    await some_heroes(session, 60)
    page = await client.get("/heroes")
    assert len(page.rows) == 25
    page = await client.get(page.link("50"))
    assert len(page.rows) == 50
    assert page.url.params["size"] == "50"


async def test_the_rows_of_a_search_are_counted_on_request(
    client: Client, session: AsyncSession
) -> None:
    await some_heroes(session, 60)
    page = await client.get("/heroes?q=hero")
    assert page.by_id("total").visible_text == "Count"
    assert (await client.get(page.link("Count"))).by_id("total").visible_text == "60"
    counted = await client.get(page.link("Count"), headers=TOTAL)
    # The total, and once more for the pager and for the selection of all that match.
    assert counted.visible_text == "60 of 60 60"


async def test_a_search_that_fits_one_page_is_counted_at_once(
    client: Client, session: AsyncSession
) -> None:
    await some_heroes(session, 60)
    page = await client.get("/heroes?q=hero+00")
    assert page.by_id("total").visible_text == "9"


async def test_beyond_ten_thousand_rows_are_counted_exactly_on_request(
    client: Client, session: AsyncSession
) -> None:
    rows = [{"name": f"Hero {number}", "secret_name": "Person"} for number in range(10_002)]
    await session.execute(insert(Hero), rows)
    await session.commit()
    page = await client.get("/heroes")
    assert page.by_id("total").visible_text == "10,000+"
    exact = await client.get(page.by_id("total").link("10,000+"))
    assert exact.by_id("total").visible_text == "10,002"


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
    client: Client,
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
        assert len(page.rows) == 30
        numbers.append(len(executed))
    # The second time the teams on offer are known.
    assert numbers[1] <= numbers[0] <= most


@pytest.mark.parametrize("address", ["/heroes", "/heroes?team=1&sort=team_id", "/teams/1/heroes"])
async def test_a_fragment_of_the_list_takes_at_most_four_statements(
    client: Client, session: AsyncSession, statements: Statements, address: str
) -> None:
    await some_heroes(session, 40, await a_team(session))
    with statements() as executed:
        await client.get(address, headers=LIST)
    assert len(executed) <= 4


async def test_a_page_of_25_heroes_weighs_less_than_31_kilobytes(
    client: Client, session: AsyncSession
) -> None:
    for team in await some_teams(session, 20):
        await some_heroes(session, 10, team)
    page = await client.get("/heroes", headers={"Accept-Encoding": "identity"})
    assert len(page.rows) == 25
    assert len(page.content) < 31_000


async def test_a_list_that_was_just_opened_takes_two_statements(
    client: Client, session: AsyncSession, statements: Statements
) -> None:
    await some_heroes(session, 40, await a_team(session))
    await client.get("/heroes")
    with statements() as executed:
        await client.get("/heroes")
    # The rows with their number, and who is asking.
    assert len(executed) <= 2


# Fragments


async def test_htmx_gets_the_list_alone_with_its_title(
    client: Client, session: AsyncSession
) -> None:
    await three_heroes(session)
    fragment = await client.get("/heroes?q=nova", headers=LIST)
    assert fragment.title == "Heroes matching “nova” · Hero Admin"
    assert fragment.by_id("list").column("Name") == ["Nova"]
    assert not fragment.find_all(["html", "main", "h1"])
    assert "HX-Target" in fragment.headers["vary"]


async def test_the_list_of_a_fragment_is_that_of_the_page(
    client: Client, session: AsyncSession
) -> None:
    await some_heroes(session, 30, await a_team(session))
    for address in ("/heroes?team=1&sort=-age", "/teams/1?q=hero", "/heroes?q=nobody"):
        page, fragment = [await client.get(address, headers=each) for each in ({}, LIST)]
        assert page.by_id("list").tag == fragment.by_id("list").tag
        assert page.by_id("total").visible_text in fragment.visible_text


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
    client: Client, headers: dict[str, str]
) -> None:
    page = await client.get("/heroes", headers=headers)
    assert page.heading.startswith("Heroes")
    assert "HX-Target" in page.headers["vary"]


@each("address", ["/", "/heroes", "/heroes?sort=nonsense", "/heroes/new", "/no"])
async def test_head_is_answered_like_get(client: Client, address: str) -> None:
    got, head = await client.get(address), await client.head(address)
    assert head.status_code == got.status_code
    assert head.headers["content-type"] == got.headers["content-type"]
    assert head.headers["vary"] == got.headers["vary"]


# Nothing to show


async def test_an_empty_list_offers_to_create_the_first_record(client: Client) -> None:
    page = await client.get("/heroes")
    assert page.rows == []
    assert "No heroes yet" in page.by_id("list").visible_text
    assert (await client.get(page.by_id("list").link("New hero"))).heading == "New hero"


async def test_a_search_without_result_offers_all_heroes(
    client: Client, session: AsyncSession
) -> None:
    await three_heroes(session)
    page = await client.get("/heroes?q=nobody")
    assert "No heroes match “nobody”" in page.by_id("list").visible_text
    assert len((await client.get(page.link("Show all heroes"))).rows) == 3


async def test_a_search_beside_filters_offers_to_look_beyond_them(
    client: Client, session: AsyncSession
) -> None:
    await three_heroes(session)
    page = await client.get("/heroes?q=nova&age_min=35")
    assert page.rows == []
    assert (await client.get(page.link("Remove the filters"))).column("Name") == ["Nova"]


async def test_filters_without_result_offer_all_heroes(
    client: Client, session: AsyncSession
) -> None:
    await three_heroes(session)
    page = await client.get("/heroes?age_min=1000")
    assert "No heroes match these filters" in page.by_id("list").visible_text
    assert len((await client.get(page.link("Show all heroes"))).rows) == 3


# Forth and back


async def test_saving_leads_back_to_the_same_view_with_the_row_marked(
    client: Client, session: AsyncSession
) -> None:
    await some_heroes(session, 9)
    page = await client.get("/heroes?q=hero&sort=-age&size=3")
    page = await client.get(page.link("Next page"))
    edit = await client.get(page.link("Edit Hero 005"))
    saved = await client.submit(edit.form(press="Save changes"), secret_name="New")
    back = await client.follow(saved)
    assert back.url == page.url
    assert back.flash == "Saved Hero 005"
    marked = [row["Name"] for row in back.rows if back.row(row["Name"]).tag.has_attr(MARK)]
    assert marked == ["Hero 005"]


async def test_a_row_is_marked_only_once(client: Client, session: AsyncSession) -> None:
    await some_heroes(session, 3)
    edit = await client.get("/heroes/2/edit")
    await client.follow(await client.submit(edit.form(press="Save changes")))
    page = await client.get("/heroes")
    assert not page.row("Hero 002").tag.has_attr(MARK)
    assert page.flash == ""


async def test_cancelling_leads_back_to_the_same_view(
    client: Client, session: AsyncSession
) -> None:
    await some_heroes(session, 9)
    page = await client.get("/heroes?q=hero&sort=-age")
    for name in ("Edit Hero 005", "Delete Hero 005", "New hero"):
        form = await client.get(page.link(name))
        assert (await client.get(form.link("Cancel"))).url == page.url


async def test_what_cannot_be_read_is_named_above_the_list(
    client: Client, session: AsyncSession
) -> None:
    await three_heroes(session)
    page = await client.get("/heroes?sort=nonsense&age_min=old&size=9999")
    assert page.status_code == 400
    assert page.alert == (
        "Age: Enter a whole number. This list can't be sorted that way."
        " Choose between 1 and 200 rows per page."
    )
    assert len(page.rows) == 3


async def test_the_selected_rows_are_sent_to_be_deleted(
    client: Client, session: AsyncSession
) -> None:
    await three_heroes(session)
    page = await client.get("/heroes")
    boxes = [tag.attribute("value") for tag in page.by_id("list").find_all("input", id=False)]
    asked = await client.submit(page.form(press="Delete…"), id=["1", "3"])
    assert {"1", "2", "3"} <= set(boxes)
    assert asked.heading == "Delete 2 heroes?"
    assert "Delete…" not in page.link_names


MARK = "data-marked"
