"""Runs: what their form shows, and what a function would lose or misread, which is an error."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel

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


class Ageing(SQLModel):
    """What a factory makes, and what one makes of nothing."""

    years: int = Field(default_factory=lambda: 7)
    reason: str | None = Field(default_factory=lambda: None)


async def age(run: Run[Hero], data: Ageing) -> None:
    await run.change(age=data.years)


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


async def test_a_form_shows_what_a_factory_makes_and_an_action_may_return_nothing(
    settings: Settings, session: AsyncSession, stored: Stored
) -> None:
    await some_heroes(session, 2)
    given = replace(heroes, actions=(Action("Age", age, form=Ageing),))
    async with serving(create_app(settings, [given, teams]), role=Role.EDITOR) as client:
        form = (await client.get("/heroes/actions/age?id=1&id=2")).form(press="Age 2 heroes")
        assert (form["years"], form["reason"]) == ("7", "")
        again = await client.submit(form, years="soon")
        assert again.form()["years"] == "soon"
        page = await client.follow(await client.submit(form, years="9"))
        assert page.flash == "Age: 2 heroes"
        assert {hero.age for hero in await stored.all(Hero)} == {9}
        # By the API it is made when nothing is sent.
        await client.post("/api/heroes/actions/age", json={"ids": [1], "form": {}})
        assert [hero.age for hero in await stored.all(Hero)] == [7, 9]
