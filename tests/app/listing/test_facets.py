"""Facets: how many rows each option of a filter would leave."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.database.engines import Database
from hero_admin.listing import facets
from hero_admin.testing import Client, Page
from tests.app.listing.test_plans import many
from tests.factories import a_hero, a_team, committed, some_heroes
from tests.gadgets import Gadget
from tests.plans import assert_is_read_by_index, queries

COUNTS = "/heroes/options/team_id/counts"
__all__ = ["many"]


def counts_of(page: Page) -> dict[str, str]:
    """The number beside each option, by its value."""
    items = page.find_all("li")
    return {item.attribute("data-value"): item.visible_text for item in items}


async def test_each_team_tells_how_many_heroes_it_has(
    client: Client, session: AsyncSession
) -> None:
    avengers, preventers = await a_team(session, "Avengers"), await a_team(session, "Preventers")
    await some_heroes(session, 3, avengers)
    await a_hero(session, "Rusty", "Bert", 20)
    counted = counts_of(await client.get(COUNTS))
    assert counted == {"none": "1", str(avengers.id): "3", str(preventers.id): "0"}


async def test_the_other_filters_count_and_the_own_one_does_not(
    client: Client, session: AsyncSession
) -> None:
    avengers, preventers = await a_team(session, "Avengers"), await a_team(session, "Preventers")
    await a_hero(session, "Nova", "Cleo", 30, preventers)
    await a_hero(session, "Deadpond", "Adam", 40, avengers)
    await a_hero(session, "Vision", "Ada", 15, avengers)
    counted = counts_of(await client.get(f"{COUNTS}?age_min=18&team={preventers.id}"))
    assert counted == {"none": "0", str(avengers.id): "1", str(preventers.id): "1"}


async def test_of_many_heroes_only_some_are_counted(
    client: Client, session: AsyncSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facets, "FACET_CAP", 10)
    team = await a_team(session)
    await some_heroes(session, 30, team)
    assert counts_of(await client.get(COUNTS))[str(team.id)] == "10+"


async def test_what_was_searched_for_is_not_counted(client: Client, session: AsyncSession) -> None:
    await some_heroes(session, 3, await a_team(session))
    page = await client.get(f"{COUNTS}?q=hero")
    assert page.status_code == 200
    assert counts_of(page) == {}


@pytest.mark.parametrize("field", ["secret_name", "nothing"])
async def test_what_is_no_filter_has_no_counts(client: Client, field: str) -> None:
    assert (await client.get(f"/heroes/options/{field}/counts")).status_code == 404


@pytest.mark.parametrize("query", ["", "?age_min=80", "?age=none"])
async def test_counting_looks_at_a_part_of_the_table_only(
    client: Client,
    database: Database,
    many: None,
    monkeypatch: pytest.MonkeyPatch,
    query: str,
) -> None:
    monkeypatch.setattr(facets, "FACET_CAP", 5)
    with queries() as executed:
        assert counts_of(await client.get(COUNTS + query))
    await assert_is_read_by_index(database, executed, most=6)


async def test_yes_and_no_are_counted(gadgets: Client, session: AsyncSession) -> None:
    for title, is_secret in [("Key", True), ("Lamp", False), ("Map", False)]:
        await committed(session, Gadget(title=title, is_secret=is_secret))
    counted = counts_of(await gadgets.get("/gadgets/options/is_secret/counts"))
    assert counted == {"true": "1", "false": "2"}
