"""Filtering a list: by team, by no team, by age; each filter in force is a chip."""

from datetime import UTC, datetime, time

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.listing.search import candidates, plan
from hero_admin.testing import Client, htmx_headers
from tests.cases import each, on_one_database
from tests.factories import a_hero, a_team, some_heroes
from tests.gadgets import Gadget


@pytest.fixture
async def heroes(session: AsyncSession) -> None:
    """Four heroes: two teams (1, 2) and none; three ages and none."""
    preventers = await a_team(session, "Preventers")
    force = await a_team(session, "Z-Force")
    await a_hero(session, "Nova", age=17, team=preventers)
    await a_hero(session, "Deadpond", age=18, team=force)
    await a_hero(session, "Rusty", age=40)
    await a_hero(session, "Spider", age=None, team=force)


@pytest.fixture
async def sixty(session: AsyncSession) -> None:
    await some_heroes(session, 60)


@pytest.mark.usefixtures("heroes")
@each(
    ("query", "names", "chips"),
    [
        ("team=1", ["Nova"], ["Team: Preventers"]),
        ("team=1&team=2", ["Deadpond", "Nova", "Spider"], ["Team: Preventers, Z-Force"]),
        ("team=2&team=2", ["Deadpond", "Spider"], ["Team: Z-Force"]),
        ("team=none", ["Rusty"], ["No team"]),
        ("team=1&team=none", ["Nova", "Rusty"], ["Team: Preventers, none"]),
        ("team=99", [], ["Team: 99"]),
        ("age_min=18", ["Deadpond", "Rusty"], ["Age ≥ 18"]),
        ("age_max=18", ["Deadpond", "Nova"], ["Age ≤ 18"]),
        ("age_min=18&age_max=39", ["Deadpond"], ["Age 18 – 39"]),
        ("age_min=39&age_max=18", [], ["Age 39 – 18"]),
        ("age=none", ["Spider"], ["No age"]),
        ("age=none&age_min=40", ["Rusty", "Spider"], ["Age ≥ 40, none"]),
        ("age_min=0", ["Deadpond", "Nova", "Rusty"], ["Age ≥ 0"]),
        ("team=2&age_min=1", ["Deadpond"], ["Team: Z-Force", "Age ≥ 1"]),
        ("team=&age_min=&age_max=", ["Deadpond", "Nova", "Rusty", "Spider"], []),
    ],
)
async def test_filters_choose_rows_and_are_shown_as_chips(
    client: Client, query: str, names: list[str], chips: list[str]
) -> None:
    page = await client.get(f"/heroes?{query}")
    assert page.status_code == 200
    assert page.column("Name") == names
    assert list(page.chips) == chips


@pytest.mark.usefixtures("sixty")
@each(
    ("query", "ages"),
    [
        ("age_min=30&age_max=33&sort=age", ["30", "31", "32", "33"]),
        ("age_min=30&age_max=33&sort=-age", ["33", "32", "31", "30"]),
    ],
)
async def test_a_list_sorted_by_what_it_is_filtered_by_begins_where_the_filter_does(
    client: Client, monkeypatch: pytest.MonkeyPatch, query: str, ages: list[str]
) -> None:
    """As in a table of millions, of which no scan reads so much and no index has so few."""
    for name in ("FIRST_SCAN", "SHORT_SCAN", "LONG_SCAN"):
        monkeypatch.setattr(plan, name, 5)
    for name in ("MAX_FIRST_CANDIDATES", "MAX_RARE_CANDIDATES", "MAX_CANDIDATES"):
        monkeypatch.setattr(candidates, name, 1)
    assert (await client.get(f"/heroes?{query}")).column("Age") == ages


@pytest.mark.usefixtures("sixty")
@each("query", ["age=none&age_min=30&sort=age", "age=none&age_max=30&sort=-age"])
async def test_a_scan_reads_no_more_than_its_budget_where_a_filter_is_no_range(
    client: Client, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    for name in ("FIRST_SCAN", "SHORT_SCAN", "LONG_SCAN"):
        monkeypatch.setattr(plan, name, 5)
    for name in ("MAX_FIRST_CANDIDATES", "MAX_RARE_CANDIDATES", "MAX_CANDIDATES"):
        monkeypatch.setattr(candidates, name, 1)
    page = await client.get(f"/heroes?{query}")
    assert page.rows == []
    assert "Keep searching" in page.link_names


@pytest.mark.usefixtures("heroes")
async def test_a_chip_removes_its_filter_and_no_other(client: Client) -> None:
    page = await client.get("/heroes?q=o&team=1&team=none&age_min=18&sort=-age&size=50")
    page = await client.get(page.chips["Team: Preventers, none"])
    assert list(page.chips) == ["Age ≥ 18"]
    assert dict(page.url.params) == {"q": "o", "age_min": "18", "sort": "-age", "size": "50"}
    page = await client.get(page.chips["Age ≥ 18"])
    assert page.chips == {}


@pytest.mark.usefixtures("heroes")
async def test_all_filters_are_cleared_at_once(client: Client) -> None:
    page = await client.get("/heroes?q=nova&team=1&age_min=18&sort=-age")
    page = await client.get(page.link("Clear all"))
    assert page.chips == {}
    assert dict(page.url.params) == {"sort": "-age"}
    assert len(page.rows) == 4


@pytest.mark.usefixtures("heroes")
async def test_without_a_filter_there_is_nothing_to_clear(client: Client) -> None:
    page = await client.get("/heroes")
    assert page.chips == {}
    assert "Clear all" not in page.link_names


@pytest.mark.usefixtures("heroes")
async def test_filters_are_a_form_that_needs_no_script(client: Client) -> None:
    form = (await client.get("/heroes?sort=-age")).form(name="filters")
    page = await client.submit(form, {"team": ["2", "none"], "age_min": "18"})
    assert page.column("Name") == ["Rusty", "Deadpond"]
    assert list(page.chips) == ["Team: Z-Force, none", "Age ≥ 18"]


@pytest.mark.usefixtures("heroes")
async def test_the_form_shows_the_filters_in_force(client: Client) -> None:
    page = await client.get("/heroes?team=2&team=none&age_min=18")
    form = page.form(name="filters")
    assert sorted(form.data["team"]) == ["2", "none"]
    assert (form["age_min"], form["age_max"]) == ("18", "")
    assert page.field("From").value == "18"
    assert (await client.submit(form)).by_id("list").tag == page.by_id("list").tag


@pytest.mark.usefixtures("heroes")
async def test_a_fragment_has_the_chips_too(client: Client) -> None:
    fragment = await client.get("/heroes?team=2&age=none", headers=htmx_headers("section#list"))
    assert list(fragment.chips) == ["Team: Z-Force", "No age"]


@on_one_database
@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("team=abc", "Team: Enter a whole number."),
        ("team=99999999999999999999", "Team: Enter a number from -2,147,483,648 to 2,147,483,647."),
        ("age_min=1.5", "Age: Enter a whole number."),
        ("age_max=٣", "Age: Enter a whole number."),
        ("age_min=nan", "Age: Enter a whole number."),
    ],
)
async def test_a_filter_that_is_no_value_is_named_and_left_out(
    client: Client, session: AsyncSession, query: str, sentence: str
) -> None:
    await a_hero(session, "Nova")
    page = await client.get(f"/heroes?{query}")
    assert page.status_code == 400
    assert page.alert == sentence
    assert page.column("Name") == ["Nova"]
    assert page.chips == {}


async def test_a_filter_finds_teams_by_name_when_there_are_many(
    client: Client, session: AsyncSession
) -> None:
    for number in range(60):
        await a_team(session, f"Team {number:02}")
    page = await client.get("/heroes?team=60")
    assert list(page.chips) == ["Team: Team 59"]
    assert "60" in page.form(name="filters").data["team"]
    assert page.field("Find in Team").value == ""
    options = await client.get("/heroes/options/team_id?q=team+58")
    assert [tag.visible_text for tag in options.find_all(role="option")] == ["Team 58"]


async def test_options_without_a_match_say_so(client: Client) -> None:
    options = await client.get("/heroes/options/team_id", params={"q": "<nobody>"})
    assert options.visible_text == "No teams match “<nobody>”."
    assert (await client.get("/heroes/options/name")).status_code == 404


async def test_a_resource_is_filtered_by_what_is_in_its_address_only(
    client: Client, session: AsyncSession
) -> None:
    await a_team(session, "Preventers")
    page = await client.get("/teams?team=1&age_min=5&name=x")
    assert page.status_code == 200
    assert page.column("Name") == ["Preventers"]
    assert page.by_id("total").visible_text == "1"


async def test_up_to_a_day_or_a_minute_is_to_its_end(
    gadgets: Client, session: AsyncSession
) -> None:
    moments = {
        "noon": datetime(2024, 1, 31, 12, 30, 15, 500_123, UTC),
        "last": datetime(2024, 1, 31, 23, 59, 59, 999_999, UTC),
        "next": datetime(2024, 2, 1, tzinfo=UTC),
    }
    for title, moment in moments.items():
        clock = moment.replace(tzinfo=None)
        opens = time(12, 30, 15) if title == "noon" else None
        session.add(Gadget(title=title, seen_at=moment, checked_at=clock, opens_at=opens))
    await session.commit()

    async def titles(query: str) -> list[str]:
        page = await gadgets.get(f"/gadgets?{query}")
        found = page.column("Title")
        # The form and the address of the page ask for the very same.
        again = await gadgets.submit(page.form(name="filters"))
        assert again.column("Title") == found
        assert again.chips.keys() == page.chips.keys()
        return found

    for name in ("seen_at", "checked_at"):
        assert await titles(f"{name}_min=2024-01-31&{name}_max=2024-01-31") == ["last", "noon"]
        assert await titles(f"{name}_max=2024-01-31T12:30") == ["noon"]
        assert await titles(f"{name}_max=2024-01-31T12:30:15") == ["noon"]
        assert await titles(f"{name}_max=2024-01-31T12:30:15.500") == ["noon"]
        assert await titles(f"{name}_max=2024-01-31T12:30:15.500122") == []
        assert await titles(f"{name}_max=2024-01-31T12:29") == []
        assert await titles(f"{name}_min=2024-02-01") == ["next"]
    assert await titles("seen_at_max=2024-01-31T13:30%2B01:00") == ["noon"]
    assert await titles("seen_at_max=9999-12-31") == ["last", "next", "noon"]
    assert await titles("opens_at_max=12:30") == ["noon"]
    page = await gadgets.get("/gadgets?seen_at_max=2024-01-31&checked_at_max=2024-01-31")
    # Lists have instants in the time of their reader.
    chips = ["Seen at ≤ 2024-01-31 23:59 UTC", "Checked at ≤ 2024-01-31 23:59"]
    assert list(page.chips) == chips
