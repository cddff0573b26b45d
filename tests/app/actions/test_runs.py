"""Runs: what a function that goes through the records would lose or misread is an error."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin import Action, Run
from hero_admin.application import create_app
from hero_admin.person import Role
from hero_admin.settings import Settings
from tests.cases import on_one_database
from tests.factories import some_heroes, some_teams
from tests.serving import serving
from tests.stored import Stored
from webapp.heroes import Hero, heroes
from webapp.teams import teams


async def assigns(run: Run[Hero]) -> str:
    async for hero in run:
        await run.change(hero, age=40)
        hero.name = "Nobody"
    return "renamed"


async def reads_a_relationship(run: Run[Hero]) -> str:
    async for hero in run:
        if hero.team is not None:
            await run.change(hero, age=40)
    return "aged"


@on_one_database
@pytest.mark.parametrize(
    ("function", "said"),
    [
        (assigns, "Hero.name was set without storing it: write `await run.change(record, name=…)`"),
        (reads_a_relationship, "Hero.team is not loaded here: read what is related with a session"),
    ],
)
async def test_what_would_silently_be_lost_or_missing_changes_nothing_and_is_logged(
    settings: Settings,
    session: AsyncSession,
    stored: Stored,
    caplog: pytest.LogCaptureFixture,
    function: Callable[[Run[Hero]], Awaitable[str]],
    said: str,
) -> None:
    team = (await some_teams(session, 1))[0]
    for hero in await some_heroes(session, 2):
        hero.team_id = team.id
    await session.commit()
    given = replace(heroes, actions=(Action("Act", function),))
    async with serving(create_app(settings, [given, teams]), role=Role.EDITOR) as client:
        done = await client.post("/api/heroes/actions/act", json={"ids": [1, 2]})
    assert done.status_code == 500
    assert said in caplog.text
    found = [(hero.name, hero.age) for hero in await stored.all(Hero)]
    assert found == [("Hero 001", 1), ("Hero 002", 2)]
