"""Jobs and rights: what a person may not see or do is not done in the background, either."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Mount

from hero_admin import Action, Admin, Invalid, Person, Resource, Role, Run
from hero_admin.jobs.people import UnknownPersonError, packed, unpacked
from hero_admin.jobs.table import Job
from hero_admin.pages import selected
from hero_admin.settings import Settings
from hero_admin.testing import Client, Page
from tests.factories import some_heroes, some_teams
from tests.serving import client_of
from tests.stored import Stored
from tests.waiting import until
from webapp.heroes import Hero, heroes
from webapp.teams import teams


@dataclass(frozen=True)
class Manager(Person):
    """Somebody of an application, who sees the heroes of a team."""

    team_id: int = 0


@dataclass(frozen=True)
class Stranger(Person):
    """Somebody who cannot be kept until a job is done."""

    secret: object = None


async def age(run: Run[Hero]) -> str:
    await run.change(age=50)
    return f"{run.count} aged"


def nobody_is_fifty(hero: Hero) -> None:
    if hero.age == 50:
        raise Invalid("Nobody is 50.")


# Any: what the application outside returns.
def an_admin(
    settings: Settings, person: Any, *, history: bool = True, heroes: Resource = heroes
) -> Admin:
    own = replace(
        heroes,
        actions=(Action("Age", age),),
        rows=lambda person: col(Hero.team_id) == person.team_id,
        may={"action:age": lambda person: person.name != "Bob"},
    )

    def authenticate(_: Request) -> Person | None:
        found: Person | None = person
        return found

    return Admin(
        [own, teams],
        database=settings.database_url,
        authenticate=authenticate,
        history=history,
    )


@pytest.fixture(autouse=True)
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selected, "MAX_SELECTED", 10)


@asynccontextmanager
async def mounted(admin: Admin) -> AsyncIterator[Client]:
    """A client of an Admin in an application, which runs jobs by itself."""
    async with client_of(Starlette(routes=[Mount("/", admin)])) as client:
        yield client
    await admin.close()


async def done(client: Client, url: str) -> Page:
    """The page of a job, once it has ended."""

    async def is_done() -> bool:
        return "Ended" in (await client.get(url)).facts

    await until(is_done)
    return await client.get(url)


async def test_a_job_does_what_its_person_sees_and_nothing_else(
    settings: Settings, session: AsyncSession, stored: Stored
) -> None:
    first, second = await some_teams(session, 2)
    await some_heroes(session, 20, first)
    await some_heroes(session, 15, second)
    ann = an_admin(settings, Manager("Ann", Role.EDITOR, team_id=second.id or 0))
    cleo = an_admin(settings, Manager("Cleo", Role.OWNER, team_id=first.id or 0))
    async with mounted(ann) as client:
        question = await client.get("/heroes/actions/age?form.all=sort%3Dname")
        assert question.heading == "Age 15 heroes?"
        answer = await client.submit(question.form())
        page = await done(client, answer.headers["location"])
        assert page.facts["Done"] == "15 of 15"
    assert {hero.team_id for hero in await stored.all(Hero) if hero.age == 50} == {second.id}
    (job,) = await stored.all(Job)
    # Somebody else, who sees none of these heroes, is told of no job.
    async with mounted(cleo) as client:
        for answer in (
            await client.post(f"/undo/{job.operation}"),
            await client.get(f"/jobs/{job.id}"),
            await client.get(f"/api/jobs/{job.id}"),
            await client.post(f"/jobs/{job.id}/cancel"),
        ):
            assert answer.status_code == 404
            assert "15 heroes" not in answer.text
        assert "No jobs yet" in (await client.get("/jobs")).text
    async with mounted(ann) as client:
        undo = await client.post(f"/undo/{job.operation}")
        assert (await done(client, undo.headers["location"])).facts["Failed"] == "0"
    assert max(hero.age or 0 for hero in await stored.all(Hero)) == 20


async def test_whoever_may_not_do_it_starts_nothing(
    settings: Settings, session: AsyncSession
) -> None:
    (team,) = await some_teams(session, 1)
    await some_heroes(session, 15, team)
    for person, status in (
        (Manager("Bob", Role.OWNER, team_id=team.id or 0), 403),
        (Manager("Ann", Role.OWNER, team_id=99), 404),
    ):
        async with mounted(an_admin(settings, person)) as client:
            assert (await client.get("/heroes/actions/age?form.all=")).status_code == status


async def test_without_history_many_records_are_refused_with_the_number_that_is_possible(
    settings: Settings, session: AsyncSession, stored: Stored
) -> None:
    (team,) = await some_teams(session, 1)
    await some_heroes(session, 15, team)
    ann = Manager("Ann", Role.OWNER, team_id=team.id or 0)
    async with mounted(an_admin(settings, ann, history=False)) as client:
        answer = await client.get("/heroes/actions/age?form.all=")
        assert answer.status_code == 400
        assert "15 heroes match, and at most 10 can be changed at once here" in answer.text
        question = await client.get("/heroes/actions/age?form.all=age_max%3D10")
        assert (await client.submit(question.form())).status_code == 303
        assert (await client.get("/jobs")).status_code == 404
    assert sum(hero.age == 50 for hero in await stored.all(Hero)) == 10


def test_people_of_an_application_are_kept_with_all_that_they_are() -> None:
    ann = Manager("Ann", Role.EDITOR, team_id=7)
    assert unpacked(packed(ann)) == ann
    assert unpacked(packed(Person("Bob", Role.VIEWER, 3))) == Person("Bob", Role.VIEWER, 3)
    with pytest.raises(UnknownPersonError, match="as Stranger has attributes that can't be kept"):
        packed(Stranger("Eve", Role.OWNER, secret=object()))
    with pytest.raises(UnknownPersonError, match=r"knows no people of the class shop\.Gone"):
        unpacked('{"class": "shop.Gone", "values": {"name": "x", "role": "owner"}}')


async def test_a_file_is_for_who_may_still_read_all_that_is_in_it(
    settings: Settings, session: AsyncSession
) -> None:
    first, second = await some_teams(session, 2)
    await some_heroes(session, 3, first)
    ann, moved = (Manager("Ann", Role.EDITOR, team_id=each.id or 0) for each in (first, second))
    async with mounted(an_admin(settings, ann)) as client:
        started = await client.post("/heroes.jsonl")
        page = await done(client, started.headers["location"])
        assert (await client.get(f"{page.url}/file")).text.count("Hero 00") == 3
    for other in (moved, replace(ann, role=Role.OWNER, team_id=99)):
        async with mounted(an_admin(settings, other)) as client:
            refused = await client.get(f"{page.url}/file")
            assert refused.status_code == 403
            assert "made with other permissions" in refused.text
            assert "Hero 00" not in refused.text


async def test_what_failed_is_not_told_to_who_no_longer_sees_it(
    settings: Settings, session: AsyncSession
) -> None:
    first, second = await some_teams(session, 2)
    await some_heroes(session, 11, first)
    ann, moved = (Manager("Ann", Role.EDITOR, team_id=each.id or 0) for each in (first, second))
    failing = replace(heroes, check=nobody_is_fifty)
    async with mounted(an_admin(settings, ann, heroes=failing)) as client:
        question = await client.get("/heroes/actions/age?form.all=")
        answer = await client.submit(question.form())
        page = await done(client, answer.headers["location"])
        assert "Hero 011" in page.text
        assert "Nobody is 50." in page.text
    async with mounted(an_admin(settings, moved)) as client:
        for path in (page.url.path, f"/api{page.url.path}"):
            told = await client.get(path)
            assert told.status_code == 200
            assert "Hero 0" not in told.text
            assert "Nobody is 50." not in told.text
