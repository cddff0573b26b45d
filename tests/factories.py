"""Teams and heroes for the tests: each function stores one for real and returns it."""

from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel

from webapp.heroes import Hero
from webapp.teams import Team

Model = TypeVar("Model", bound=SQLModel)


async def a_team(
    session: AsyncSession, name: str = "Preventers", headquarters: str | None = "Sharp Tower"
) -> Team:
    return await committed(session, Team(name=name, headquarters=headquarters))


async def a_hero(
    session: AsyncSession,
    name: str = "Deadpond",
    secret_name: str = "Dive Wilson",
    age: int | None = None,
    team: Team | None = None,
) -> Hero:
    team_id = team.id if team else None
    return await committed(
        session, Hero(name=name, secret_name=secret_name, age=age, team_id=team_id)
    )


async def some_teams(session: AsyncSession, count: int) -> list[Team]:
    """Teams named “Team 001”, “Team 002”, … in one transaction."""
    teams = [Team(name=f"Team {number:03}") for number in range(1, count + 1)]
    session.add_all(teams)
    await session.commit()
    return teams


async def some_heroes(session: AsyncSession, count: int, team: Team | None = None) -> list[Hero]:
    """Heroes named “Hero 001”, “Hero 002”, …, aged 1, 2, …, in one transaction."""
    heroes = [
        Hero(
            name=f"Hero {number:03}",
            secret_name=f"Person {number:03}",
            age=number,
            team_id=team.id if team else None,
        )
        for number in range(1, count + 1)
    ]
    session.add_all(heroes)
    await session.commit()
    return heroes


async def committed(session: AsyncSession, record: Model) -> Model:
    """Store any record at once, so that the app and other sessions see it."""
    session.add(record)
    await session.commit()
    return record
