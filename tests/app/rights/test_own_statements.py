"""Statements that an application writes itself read, change and count only rows in scope."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlmodel
from sqlalchemy import func, insert, select, union_all, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased, contains_eager, joinedload, selectinload, with_loader_criteria
from starlette.requests import Request

from hero_admin.application import create_app
from hero_admin.pages.own_pages import OwnPage
from hero_admin.person import Role
from hero_admin.settings import Settings
from hero_admin.testing import Client
from tests.agents import RESOURCES, TABLES, Agent, AgentSkill, Branch, Skill, Visit
from tests.app.rights.conftest import MARKER
from tests.cases import each
from tests.serving import serving

# Any: statements of any kind, as an application would write them.
Make = Callable[[], Any]
# Any: the types of their attributes are those of values.
A: Any = Agent
B: Any = Branch
L: Any = AgentSkill
S: Any = Skill
V: Any = Visit
other, of_skill = aliased(A), aliased(S)
branch, _, agent, link, visit = TABLES
of_agent, of_link = A.id == V.agent_id, L.skill_id == S.id
linked = A.id == L.agent_id
mentor = other.id == A.mentor_id

# Each would have more rows, or others, if it read the agent outside.
READS: tuple[tuple[Make, list[tuple[object, ...]]], ...] = (
    (lambda: sqlmodel.select(A.name), [("Ada",), ("Cleo",)]),
    (lambda: select(V.place).join(A, of_agent), [("Oslo",)]),
    (
        lambda: select(A.name, V.place).outerjoin(V, of_agent),
        [("Ada", "Oslo"), ("Cleo", None)],
    ),
    (
        lambda: select(agent.c.name, visit.c.place).outerjoin(visit),
        [("Ada", "Oslo"), ("Cleo", None)],
    ),
    (
        lambda: (
            select(S.name, func.count(A.id))
            .outerjoin(L, of_link)
            .outerjoin(A, linked)
            .group_by(S.name)
        ),
        [("Climbing", 1), ("Sailing", 0)],
    ),
    (
        lambda: select(S.name, func.count()).join(S.agents).group_by(S.name),
        [("Climbing", 1)],
    ),
    (
        lambda: select(S.name, A.name).outerjoin(S.agents),
        [("Climbing", "Ada"), ("Sailing", None)],
    ),
    (
        lambda: select(S.name, other.name).outerjoin(S.agents.of_type(other)),
        [("Climbing", "Ada"), ("Sailing", None)],
    ),
    (
        lambda: select(A.name, other.name).outerjoin(other, mentor),
        [("Ada", None), ("Cleo", None)],
    ),
    (lambda: select(A.name).join(other, mentor), []),
    (
        lambda: select(S.name, agent.c.name).outerjoin(agent, agent.c.id == S.id),
        [("Climbing", "Ada"), ("Sailing", None)],
    ),
    (lambda: union_all(select(A.name), select(B.name)), [("Ada",), ("Cleo",), ("North",)]),
    (lambda: select(S.name).where(S.agents.any(A.id == 2)), []),
    (
        lambda: select(A.name).options(with_loader_criteria(A, A.id > 0)),
        [("Ada",), ("Cleo",)],
    ),
)
LOADS: tuple[Make, ...] = (
    lambda: select(S).options(joinedload(S.agents)),
    lambda: select(S).options(selectinload(S.agents)),
    lambda: select(of_skill).options(joinedload(of_skill.agents)),
    lambda: select(S).outerjoin(S.agents).options(contains_eager(S.agents)),
)
# What each would do to the agent that the editor sees, or return, if it read all rows.
place = select(func.max(V.place)).scalar_subquery()
WRITES: tuple[Make, ...] = (
    lambda: update(agent).where(agent.c.id == 1).values(cover=place),
    lambda: update(agent).where(agent.c.id == 1).values(cover="Seen").returning(place),
    lambda: (
        update(agent).where(agent.c.mentor_id == branch.c.id).values(cover=branch.c.name + MARKER)
    ),
    lambda: (
        update(agent)
        .where(agent.c.id.in_(select(link.c.agent_id + 2).where(link.c.agent_id > 1)))
        .values(cover=MARKER)
    ),
    lambda: insert(visit).from_select(["agent_id", "place"], select(agent.c.id, agent.c.name)),
)


class Ask:
    """A page of an application that executes a statement, and answers with what it returns."""

    def __init__(self, settings: Settings) -> None:
        self.make: Make = lambda: select(A.name)
        self.read: Callable[[Any], object] = lambda result: sorted(map(tuple, result), key=str)
        page = OwnPage("/ask", "Ask", self.answer, Role.VIEWER, "list", "", ("GET", "POST"))
        self.app = create_app(settings, RESOURCES, pages=[page])
        self.found: object = None

    async def answer(self, request: Request) -> str:
        session: AsyncSession = request.state.session
        self.found = self.read(await session.execute(self.make()))
        return str(self.found)


@pytest.fixture
def ask(settings: Settings) -> Ask:
    return Ask(settings)


@pytest.mark.usefixtures("owner")
@each(("make", "expected"), READS)
async def test_a_statement_reads_rows_in_scope(
    ask: Ask, make: Make, expected: list[tuple[object, ...]]
) -> None:
    ask.make = make
    async with serving(ask.app, role=Role.EDITOR) as editor:
        await editor.get("/ask")
    assert ask.found == expected
    async with serving(ask.app, role=Role.OWNER) as owner:
        await owner.get("/ask")
    assert ask.found != expected


@pytest.mark.usefixtures("owner")
@each("make", LOADS)
async def test_what_is_loaded_along_a_relationship_is_in_scope(ask: Ask, make: Make) -> None:
    ask.make = make
    ask.read = lambda result: {
        skill.name: [agent.name for agent in skill.agents] for skill in result.unique().scalars()
    }
    async with serving(ask.app, role=Role.EDITOR) as editor:
        await editor.get("/ask")
    assert ask.found == {"Climbing": ["Ada"], "Sailing": []}
    async with serving(ask.app, role=Role.OWNER) as owner:
        await owner.get("/ask")
    assert ask.found == {"Climbing": ["Ada", f"Bob {MARKER}"], "Sailing": []}


@each("make", WRITES)
async def test_a_write_reads_rows_in_scope(ask: Ask, owner: Client, make: Make) -> None:
    ask.make = make
    ask.read = lambda result: [tuple(row) for row in result] if result.returns_rows else None
    async with serving(ask.app, role=Role.EDITOR) as editor:
        answer = await editor.post("/ask")
        assert answer.status_code == 200
        assert MARKER not in answer.text
        for path in ("/api/agents/1", "/api/agents/3", "/visits"):
            assert MARKER not in (await editor.get(path)).text
    visits = (await owner.get("/api/visits/")).json()
    assert sum(MARKER in (each["place"] or "") for each in visits) == 1
