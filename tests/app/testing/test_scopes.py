"""The walk around the rows of a person: it finds what leaks, and fails where it saw nothing."""

import re
from collections.abc import Iterable
from copy import copy
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import ColumnElement
from sqlmodel import SQLModel
from starlette.types import Receive, Scope, Send

from hero_admin import Admin, Person, Resource, Rights, Role
from hero_admin.accounts.rights import RightsMiddleware
from hero_admin.database.row_scopes import RowScopes, set_scopes
from hero_admin.testing import AdminClient, check_scopes
from hero_admin.testing.checks.scopes import check
from hero_admin.writes import gate
from tests.agents import RESOURCES, TABLES, Agent, AgentSkill, Branch, Skill, Visit
from tests.cases import on_one_database
from webapp.heroes import Hero, heroes
from webapp.teams import Team, teams

EDITOR = Person("Edward Editor", Role.EDITOR)
# Requests that are answered from all rows, and how the walk tells of each.
LEAKS = {
    "GET /agents.csv?size=100": "GET /agents.csv?size=100: shows 'zq",
    "GET /agents/options/mentor_id?.*": "GET /agents/options/mentor_id?size=100: shows 'zq",
    "GET /agents/2/history": "GET /agents/2/history: 200, and 404 for what does not exist",
    "GET /skills/1/agents": "GET /skills/1/agents: shows 'zq",
    "GET /api/agents/2": "GET /api/agents/2: 200, and 404 for what does not exist",
    "GET /visits?.*q=zq.*": "differs from a search that finds nothing",
    "GET /history": "GET /history: shows 'zq",
    "POST /agents/2/reveal/cover": "POST /agents/2/reveal/cover {}: 200, and 404",
    "PATCH /api/visits/2": "visit 2: was changed",
}
# Requests that are answered with all fields, and how the walk tells of each.
FIELD_LEAKS = {
    "GET /agents.json?size=100": "GET /agents.json?size=100: shows",
    "GET /agents?size=100&sort=-salary.*": "differs from a search that finds nothing",
    "GET /agents/1": "GET /agents/1: shows",
    "GET /agents/1/edit": "GET /agents/1/edit: shows",
    "GET /api/agents/1": "GET /api/agents/1: shows",
    "POST /agents/1": "changed what can't be read of agent 1",
}


@pytest.fixture
def admin_app() -> Admin:
    return Admin(RESOURCES)


@pytest.fixture
async def agents(admin: AdminClient) -> AdminClient:
    """Agents of two branches, of which an editor sees the first."""
    async with admin.database.writing.begin() as connection:
        await connection.run_sync(lambda sync: SQLModel.metadata.create_all(sync, TABLES))
    for record in (
        Branch(name="North"),
        Branch(name="South"),
        Skill(name="Climbing"),
        Skill(name="Sailing", is_secret=True),
        Agent(name="Ada", branch_id=1, cover="Baker", salary=111_777, grade=3),
        Agent(name="Bob", branch_id=2, cover="Cook", salary=222_777),
        Agent(name="Cleo", branch_id=1),
        AgentSkill(agent_id=1, skill_id=1),
        Visit(agent_id=1, place="Oslo"),
        Visit(agent_id=2, place="Rome"),
    ):
        await admin.add(record)
    return admin


async def test_nothing_is_learned_of_records_outside(agents: AdminClient) -> None:
    walk = await check_scopes(agents, EDITOR)
    assert walk.records == ["agent 2", "branch 2", "skill 2", "visit 2"]
    assert walk.references >= 2
    assert walk.seen > 50
    assert walk.fields == ["salary of agent 1"]
    routes = {template for _, _, template in (route.partition(" ") for route in walk.routes)}
    assert {"/agents/{id}/file/{field}/{change}", "/undo/{operation}", "/api/agents/{id}"} <= routes


# Any: attributes of the model. Retirement is set by an action only; no age is long enough for a
# marker, and a team is another record.
MARKED: tuple[Any, ...] = (Hero.secret_name, Hero.retired_on, Hero.retirement_note)
HIDDEN: tuple[Any, ...] = (*MARKED, Hero.age, Hero.team_id)


def limited(resource: Resource, own: ColumnElement[bool] | bool) -> Resource:
    return replace(resource, rows=lambda person: None if person.is_owner else own)


class TestHeroes:
    @pytest.fixture
    def admin_app(self) -> Admin:
        """Everybody but owners sees the names of the heroes of one team, and that team."""
        own = limited(heroes, Hero.team_id == 1)
        rights: dict[Any, Rights] = dict.fromkeys(HIDDEN, Rights(read=Role.OWNER))
        return Admin([replace(own, rights=rights), limited(teams, Team.id == 1)])

    async def test_of_other_teams_are_not_there(self, admin: AdminClient) -> None:
        await admin.add(Team(name="Z-Force"), Team(name="Preventers"))
        await admin.add(
            Hero(name="Nova", secret_name="Anna", age=28, team_id=1),
            Hero(name="Vega", secret_name="Bob", age=30, team_id=2),
        )
        walk = await check_scopes(admin, EDITOR)
        assert walk.records == ["hero 2", "team 2"]
        assert {*walk.fields} == {f"{each.key} of hero 1" for each in MARKED}
        assert "POST /heroes/actions/transfer" in walk.routes


@on_one_database
async def test_each_leak_is_told(agents: AdminClient, monkeypatch: pytest.MonkeyPatch) -> None:
    limited = RightsMiddleware.__call__

    async def answer(self: RightsMiddleware, scope: Scope, receive: Receive, send: Send) -> None:
        own, inside = copy(self), self.app

        async def unlimited(scope: Scope, receive: Receive, send: Send) -> None:
            if is_leak(LEAKS, scope):
                set_scopes(scope["state"]["session"], RowScopes({}))
            if is_leak(FIELD_LEAKS, scope):
                scope["state"]["site"] = self.seen_sites.site
            await inside(scope, receive, send)

        own.app = unlimited
        await limited(own, scope, receive, send)

    monkeypatch.setattr(RightsMiddleware, "__call__", answer)
    # Else a change of fields that one may not read is refused anyway.
    monkeypatch.setattr(gate, "restricted_names", lambda *_: (frozenset(), frozenset()))
    monkeypatch.setattr(check, "MAX_TOLD", 1_000)
    with pytest.raises(AssertionError) as failed:
        await check_scopes(agents, EDITOR)
    told = str(failed.value)
    expected = [*LEAKS.values(), *FIELD_LEAKS.values()]
    assert [sentence for sentence in expected if sentence not in told] == [], told


def is_leak(leaks: Iterable[str], scope: Scope) -> bool:
    query = scope.get("query_string", b"").decode()
    asked = f"{scope.get('method')} {scope.get('path')}{'?' if query else ''}{query}"
    return any(re.fullmatch(leak.replace("?size", r"\?size"), asked) for leak in leaks)


@on_one_database
async def test_a_walk_that_sees_nothing_fails(agents: AdminClient) -> None:
    nobody = "may see everything: no rows= leaves out records, and no rights= fields"
    with pytest.raises(AssertionError, match=nobody):
        await check_scopes(agents, Person("Olive Owner", Role.OWNER))
    inside, outside = Agent(name="Dan", branch_id=1), Agent(name="Eve", branch_id=2)
    await agents.add(inside, outside)
    with pytest.raises(AssertionError, match="may see one of the given agents"):
        await check_scopes(agents, EDITOR, outside=[inside, outside])
    with pytest.raises(AssertionError, match="Nothing of the agent 5 could be set to a marker"):
        await check_scopes(agents, EDITOR, outside=[outside], seen_by=Person("Ed", Role.EDITOR))
    await agents.sign_in(role="owner")
    await agents.delete("branches", 2)
    with pytest.raises(AssertionError, match="There is no agent outside the rows of Edward"):
        await check_scopes(agents, EDITOR)
