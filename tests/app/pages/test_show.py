"""The page of one record: its facts, and the list of the records that point at it."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.testing import Client, htmx_headers
from tests.factories import a_hero, a_team, some_heroes


async def test_a_hero_is_shown_with_all_its_facts(client: Client, session: AsyncSession) -> None:
    team = await a_team(session, "Preventers")
    hero = await a_hero(session, "Nova", "Cleo", 30, team)
    page = await client.get(f"/heroes/{hero.id}")
    assert (page.title, page.heading) == ("Nova · Hero Admin", "Nova")
    facts = page.facts
    assert facts.items() >= {"Name": "Nova", "Secret name": "masked show", "Age": "30"}.items()
    assert facts["Team"] == "Preventers"
    assert (await client.get(page.link("Preventers"))).heading == "Preventers"


async def test_what_a_hero_lacks_is_shown_as_a_dash(client: Client, session: AsyncSession) -> None:
    hero = await a_hero(session)
    facts = (await client.get(f"/heroes/{hero.id}")).facts
    assert (facts["Age"], facts["Team"]) == ("—", "—")


async def test_a_name_is_text_and_no_markup(client: Client, session: AsyncSession) -> None:
    name = "<b>&amp;</b> {{ 7 * 7 }} 🦸 \u202e"
    hero = await a_hero(session, name)
    page = await client.get(f"/heroes/{hero.id}")
    assert page.heading == name.strip()
    assert page.facts["Name"] == name.strip()


async def test_from_a_hero_one_can_edit_delete_and_go_up(
    client: Client, session: AsyncSession
) -> None:
    hero = await a_hero(session, "Nova")
    page = await client.get(f"/heroes/{hero.id}")
    assert (await client.get(page.link("Delete…"))).heading == "Delete Nova?"
    assert {one.href for one in page.links if one.text == "Heroes"} == {"/heroes"}
    edit = await client.get(page.link("Edit"))
    saved = await client.follow(await client.submit(edit.form(press="Save changes")))
    assert saved.url == page.url
    assert saved.flash == "Saved Nova"


async def test_zero_is_a_value_and_not_nothing(client: Client, session: AsyncSession) -> None:
    hero = await a_hero(session, age=0)
    assert (await client.get(f"/heroes/{hero.id}")).facts["Age"] == "0"


# A team with its heroes


async def test_a_team_shows_its_heroes_and_no_others(client: Client, session: AsyncSession) -> None:
    team = await a_team(session, "Preventers")
    await a_hero(session, "Nova", team=team)
    await a_hero(session, "Rusty")
    page = await client.get(f"/teams/{team.id}")
    assert page.facts["Headquarters"] == "Sharp Tower"
    assert page.columns == ["Name", "Secret name", "Age"]
    assert page.column("Name") == ["Nova"]


async def test_the_heroes_of_a_team_have_a_page_of_their_own_address(
    client: Client, session: AsyncSession
) -> None:
    team = await a_team(session)
    await a_hero(session, "Nova", team=team)
    page = await client.get(f"/teams/{team.id}/heroes")
    assert page.heading == "Preventers"
    assert page.column("Name") == ["Nova"]


async def test_the_heroes_of_a_team_are_paged(client: Client, session: AsyncSession) -> None:
    team = await a_team(session)
    await some_heroes(session, 30, team)
    await some_heroes(session, 30)
    page = await client.get(f"/teams/{team.id}")
    assert len(page.rows) == 25
    page = await client.get(page.link("Next page"))
    assert page.column("Name") == [f"Hero {n:03}" for n in range(26, 31)]
    assert page.heading == "Preventers"
    page = await client.get(page.link("Previous page"))
    assert len(page.rows) == 25


async def test_the_heroes_of_a_team_are_searched_sorted_and_filtered(
    client: Client, session: AsyncSession
) -> None:
    team = await a_team(session)
    await some_heroes(session, 12, team)
    await a_hero(session, "Hero 001 elsewhere")
    page = await client.get(f"/teams/{team.id}")
    page = await client.get(page.link("Age"))
    page = await client.get(page.link("Age"))
    assert page.sorted_by == ("Age", "descending")
    page = await client.submit(page.form(name="filters"), q="hero 01", age_max="11")
    assert page.column("Name") == [f"Hero {n:03}" for n in (11, 10, 1)]
    assert page.heading == "Preventers"
    assert list(page.chips) == ["Age ≤ 11"]
    page = await client.get(page.chips["Age ≤ 11"])
    assert page.url.path == f"/teams/{team.id}/heroes"
    assert page.column("Name") == [f"Hero {n:03}" for n in (12, 11, 10, 1)]


async def test_htmx_gets_only_the_heroes_of_the_team(client: Client, session: AsyncSession) -> None:
    team = await a_team(session)
    await a_hero(session, "Nova", team=team)
    headers = htmx_headers("section#list")
    fragment = await client.get(f"/teams/{team.id}/heroes?q=nova", headers=headers)
    assert fragment.column("Name") == ["Nova"]
    assert fragment.title == "Heroes matching “nova” of Preventers · Hero Admin"
    assert fragment.facts == {}


async def test_a_new_hero_of_a_team_has_that_team_and_leads_back_to_it(
    client: Client, session: AsyncSession
) -> None:
    team = await a_team(session, "Preventers")
    page = await client.get(f"/teams/{team.id}")
    new = await client.get(page.link("New hero"))
    assert new.field("Team").value == str(team.id)
    created = await client.submit(new.form(), name="Nova", secret_name="Cleo")
    back = await client.follow(created)
    assert back.heading == "Preventers"
    assert back.column("Name") == ["Nova"]


async def test_a_hero_edited_from_its_team_leads_back_to_the_team(
    client: Client, session: AsyncSession
) -> None:
    team = await a_team(session)
    await some_heroes(session, 3, team)
    page = await client.get(f"/teams/{team.id}/heroes?sort=-age")
    edit = await client.get(page.link("Edit Hero 002"))
    saved = await client.follow(await client.submit(edit.form(press="Save changes")))
    assert saved.url == page.url
    assert saved.flash == "Saved Hero 002"


async def test_a_team_of_many_is_not_loaded_at_once(client: Client, session: AsyncSession) -> None:
    team = await a_team(session)
    await some_heroes(session, 500, team)
    assert len((await client.get(f"/teams/{team.id}")).content) < 60_000


async def test_a_team_whose_list_is_asked_nonsense_is_still_shown(
    client: Client, session: AsyncSession
) -> None:
    team = await a_team(session)
    page = await client.get(f"/teams/{team.id}/heroes?sort=nonsense")
    assert page.status_code == 400
    assert page.heading == "Preventers"


@pytest.mark.parametrize("address", ["/teams/1/heroes", "/teams/1/villains", "/heroes/1/team"])
async def test_what_is_not_there_has_no_list(client: Client, address: str) -> None:
    assert (await client.get(address)).status_code == 404


async def test_a_kind_of_records_that_does_not_point_at_a_team_has_no_list(
    client: Client, session: AsyncSession
) -> None:
    team = await a_team(session)
    assert (await client.get(f"/teams/{team.id}/villains")).status_code == 404
