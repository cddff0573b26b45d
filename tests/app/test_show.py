"""The page of one record: its facts, and the list of the records that point at it."""

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from tests.factories import a_hero, a_team, some_heroes
from tests.html import (
    chips_of,
    columns_of,
    facts_of,
    field_of,
    flash_of,
    follow,
    form_of,
    heading_of,
    htmx_headers,
    link,
    links_of,
    rows_of,
    sorted_by,
    submit,
    title_of,
)


async def test_a_hero_is_shown_with_all_its_facts(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    team = await a_team(session, "Preventers")
    hero = await a_hero(session, "Nova", "Cleo", 30, team)
    page = await client.get(f"/heroes/{hero.id}")
    assert (title_of(page), heading_of(page)) == ("Nova · Hero Admin", "Nova")
    facts = facts_of(page)
    assert facts.items() >= {"Name": "Nova", "Secret name": "masked show", "Age": "30"}.items()
    assert facts["Team"] == "Preventers"
    assert heading_of(await client.get(link(page, "Preventers"))) == "Preventers"


async def test_what_a_hero_lacks_is_shown_as_a_dash(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    hero = await a_hero(session)
    facts = facts_of(await client.get(f"/heroes/{hero.id}"))
    assert (facts["Age"], facts["Team"]) == ("—", "—")


async def test_a_name_is_text_and_no_markup(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    name = "<b>&amp;</b> {{ 7 * 7 }} 🦸 \u202e"
    hero = await a_hero(session, name)
    page = await client.get(f"/heroes/{hero.id}")
    assert heading_of(page) == name.strip()
    assert facts_of(page)["Name"] == name.strip()


async def test_from_a_hero_one_can_edit_delete_and_go_up(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    hero = await a_hero(session, "Nova")
    page = await client.get(f"/heroes/{hero.id}")
    assert heading_of(await client.get(link(page, "Delete…"))) == "Delete Nova?"
    assert {one.href for one in links_of(page) if one.text == "Heroes"} == {"/heroes"}
    edit = await client.get(link(page, "Edit"))
    saved = await follow(client, await submit(client, form_of(edit, press="Save changes")))
    assert saved.url == page.url
    assert flash_of(saved) == "Saved Nova"


async def test_zero_is_a_value_and_not_nothing(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    hero = await a_hero(session, age=0)
    assert facts_of(await client.get(f"/heroes/{hero.id}"))["Age"] == "0"


# A team with its heroes


async def test_a_team_shows_its_heroes_and_no_others(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    team = await a_team(session, "Preventers")
    await a_hero(session, "Nova", team=team)
    await a_hero(session, "Rusty")
    page = await client.get(f"/teams/{team.id}")
    assert facts_of(page)["Headquarters"] == "Sharp Tower"
    assert columns_of(page) == ["Name", "Secret name", "Age"]
    assert [row["Name"] for row in rows_of(page)] == ["Nova"]


async def test_the_heroes_of_a_team_have_a_page_of_their_own_address(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    team = await a_team(session)
    await a_hero(session, "Nova", team=team)
    page = await client.get(f"/teams/{team.id}/heroes")
    assert heading_of(page) == "Preventers"
    assert [row["Name"] for row in rows_of(page)] == ["Nova"]


async def test_the_heroes_of_a_team_are_paged(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    team = await a_team(session)
    await some_heroes(session, 30, team)
    await some_heroes(session, 30)
    page = await client.get(f"/teams/{team.id}")
    assert len(rows_of(page)) == 25
    page = await client.get(link(page, "Next page"))
    assert [row["Name"] for row in rows_of(page)] == [f"Hero {n:03}" for n in range(26, 31)]
    assert heading_of(page) == "Preventers"
    page = await client.get(link(page, "Previous page"))
    assert len(rows_of(page)) == 25


async def test_the_heroes_of_a_team_are_searched_sorted_and_filtered(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    team = await a_team(session)
    await some_heroes(session, 12, team)
    await a_hero(session, "Hero 001 elsewhere")
    page = await client.get(f"/teams/{team.id}")
    page = await client.get(link(page, "Age"))
    page = await client.get(link(page, "Age"))
    assert sorted_by(page) == ("Age", "descending")
    page = await submit(client, form_of(page, name="filters"), q="hero 01", age_max="11")
    assert [row["Name"] for row in rows_of(page)] == [f"Hero {n:03}" for n in (11, 10, 1)]
    assert heading_of(page) == "Preventers"
    assert list(chips_of(page)) == ["Age ≤ 11"]
    page = await client.get(chips_of(page)["Age ≤ 11"])
    assert page.url.path == f"/teams/{team.id}/heroes"
    assert [row["Name"] for row in rows_of(page)] == [f"Hero {n:03}" for n in (12, 11, 10, 1)]


async def test_htmx_gets_only_the_heroes_of_the_team(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    team = await a_team(session)
    await a_hero(session, "Nova", team=team)
    headers = htmx_headers("section#list")
    fragment = await client.get(f"/teams/{team.id}/heroes?q=nova", headers=headers)
    assert [row["Name"] for row in rows_of(fragment)] == ["Nova"]
    assert title_of(fragment) == "Heroes matching “nova” of Preventers · Hero Admin"
    assert facts_of(fragment) == {}


async def test_a_new_hero_of_a_team_has_that_team_and_leads_back_to_it(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    team = await a_team(session, "Preventers")
    page = await client.get(f"/teams/{team.id}")
    new = await client.get(link(page, "New hero"))
    assert field_of(new, "Team").value == str(team.id)
    created = await submit(client, form_of(new), name="Nova", secret_name="Cleo")
    back = await follow(client, created)
    assert heading_of(back) == "Preventers"
    assert [row["Name"] for row in rows_of(back)] == ["Nova"]


async def test_a_hero_edited_from_its_team_leads_back_to_the_team(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    team = await a_team(session)
    await some_heroes(session, 3, team)
    page = await client.get(f"/teams/{team.id}/heroes?sort=-age")
    edit = await client.get(link(page, "Edit Hero 002"))
    saved = await follow(client, await submit(client, form_of(edit, press="Save changes")))
    assert saved.url == page.url
    assert flash_of(saved) == "Saved Hero 002"


async def test_a_team_of_many_is_not_loaded_at_once(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    team = await a_team(session)
    await some_heroes(session, 500, team)
    assert len((await client.get(f"/teams/{team.id}")).content) < 60_000


async def test_a_team_whose_list_is_asked_nonsense_is_still_shown(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    team = await a_team(session)
    page = await client.get(f"/teams/{team.id}/heroes?sort=nonsense")
    assert page.status_code == 400
    assert heading_of(page) == "Preventers"


@pytest.mark.parametrize("address", ["/teams/1/heroes", "/teams/1/villains", "/heroes/1/team"])
async def test_what_is_not_there_has_no_list(client: httpx.AsyncClient, address: str) -> None:
    assert (await client.get(address)).status_code == 404


async def test_a_kind_of_records_that_does_not_point_at_a_team_has_no_list(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    team = await a_team(session)
    assert (await client.get(f"/teams/{team.id}/villains")).status_code == 404
