"""What is done to heroes: they retire, and are transferred to another team."""

from datetime import date

import pytest
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.applications import Starlette

from hero_admin.settings import Settings
from hero_admin.testing import Client
from tests.factories import a_team, some_heroes
from tests.stored import Stored
from webapp.app import admin
from webapp.heroes import Hero


@pytest.fixture
def app(settings: Settings) -> Starlette:
    """The application itself."""
    return admin.application(settings)


async def test_heroes_retire_on_a_day_with_a_note_and_come_back_by_undo(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    first, second = await some_heroes(session, 2)
    question = await client.get(f"/heroes/actions/retire?id={first.id}&id={second.id}")
    answer = await client.submit(question.form(), note="Tired")
    assert answer.error("Retirement date") == "Enter a retirement date."
    form = answer.form()
    assert form["note"] == "Tired"
    page = await client.follow(await client.submit(form, retired_on="2026-05-01"))
    assert page.flash == "2 heroes retired"
    retired = [(hero.retired_on, hero.retirement_note) for hero in await stored.all(Hero)]
    assert retired == [(date(2026, 5, 1), "Tired")] * 2
    assert (await client.get(f"/heroes/{first.id}")).facts["Retirement note"] == "Tired"
    assert (await client.get(f"/api/heroes/{first.id}")).json()["retired_on"] == "2026-05-01"
    await client.submit(page.form(press="Undo"))
    assert {hero.retired_on for hero in await stored.all(Hero)} == {None}


async def test_what_an_action_did_to_a_few_is_undone_together_from_the_history(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    heroes = await some_heroes(session, 2)
    body = {"ids": [hero.id for hero in heroes], "form": {"retired_on": "2026-05-01"}}
    done = (await client.post("/api/heroes/actions/retire", json=body)).json()
    history = await client.get("/history")
    assert history.link("Retire") == f"/history?operation={done['operation']}"
    together = await client.get(history.link("Retire"))
    assert "Retire" not in together.link_names
    await client.submit(together.form(press="Undo all"))
    assert {hero.retired_on for hero in await stored.all(Hero)} == {None}


async def test_heroes_are_transferred_to_a_team_or_to_none(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    team = await a_team(session)
    heroes = await some_heroes(session, 2)
    body = {"ids": [hero.id for hero in heroes], "form": {"team_id": team.id}}
    done = await client.post("/api/heroes/actions/transfer", json=body)
    assert done.json()["message"] == "2 heroes transferred"
    assert {hero.team_id for hero in await stored.all(Hero)} == {team.id}
    question = await client.get(f"/heroes/actions/transfer?id={heroes[0].id}")
    page = await client.follow(await client.submit(question.form()))
    assert page.flash == "1 hero transferred"
    assert [hero.team_id for hero in await stored.all(Hero)] == [None, team.id]
