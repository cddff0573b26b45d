"""Fixtures for actions: heroes that can be transferred, aged, cloned and listed."""

from dataclasses import replace

import pytest
from sqlmodel import Field, SQLModel
from starlette.applications import Starlette

from hero_admin import Action, Download, Invalid, Redirect, Role, Run
from hero_admin.application import create_app
from hero_admin.settings import Settings
from webapp.heroes import Hero, heroes
from webapp.teams import Team, teams


class Transfer(SQLModel):
    """Where heroes go."""

    team_id: int = Field(foreign_key="team.id")
    years: int = Field(default=0, ge=0, le=10, title="Years older")


class NewTeam(SQLModel):
    name: str = Field(min_length=1, max_length=200)


async def transfer(run: Run[Hero], data: Transfer) -> str:
    await run.change(team_id=data.team_id)
    if data.years:
        async for hero in run:
            await run.change(hero, age=(hero.age or 0) + data.years)
    return f"{run.count} heroes transferred"


async def clone(run: Run[Hero]) -> Redirect:
    async for hero in run:
        if hero.name == "Nobody":
            raise Invalid({"": "Nobody can't be cloned."})
        await run.create(Hero, name=f"{hero.name} II", secret_name=hero.secret_name)
    await run.delete()
    return Redirect("/heroes?sort=-name", "Cloned")


async def roster(run: Run[Hero]) -> Download:
    names = [hero.name async for hero in run]
    return Download("roster.txt", "\n".join(names), "text/plain")


async def found(run: Run[Team], data: NewTeam) -> str:
    team = await run.create(Team, name=data.name)
    return f"{team.name} founded by {run.by.name}"


HEROES = replace(
    heroes,
    actions=(
        Action("Transfer", transfer, form=Transfer, confirm="Transfer {records}?"),
        Action("Clone", clone, on=("row", "selected"), role=Role.OWNER),
        Action("Roster", roster, on=("selected", "all"), role=Role.VIEWER),
    ),
)


@pytest.fixture
def app(settings: Settings) -> Starlette:
    """The application with actions, in place of that of the heroes."""
    actions = (Action("Found a team", found, form=NewTeam, name="found"),)
    return create_app(settings, (HEROES, teams), actions=actions)
