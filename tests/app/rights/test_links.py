"""A link is one thing from both sides: whoever may not read or change it there may not here."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, func, select

from hero_admin import Column, Resource, Rights, Role
from hero_admin.application import create_app
from hero_admin.audit_log.changes import Change
from hero_admin.settings import Settings
from hero_admin.testing import Client
from tests.agents import Agent, AgentSkill, Skill, agents, branches, skills, visits
from tests.app.rights.conftest import other_client
from tests.serving import serving

OF_SKILL = col(AgentSkill.skill_id) == Skill.id
ABLE = Column("Able", select(func.count()).select_from(AgentSkill).where(OF_SKILL))
SKILLS = replace(skills, rows=None, columns=(Skill.name, Skill.agents, ABLE))
OTHERS = (replace(branches, rows=None, may={}), replace(visits, rows=None))
pytestmark = pytest.mark.usefixtures("owner")


@asynccontextmanager
async def two(
    settings: Settings, rights: Rights, *more: Resource
) -> AsyncIterator[tuple[Client, Client]]:
    """An owner and an editor where the skills of agents have rights of their own."""
    own = replace(agents, rows=None, may={}, rights={Agent.skills: rights})
    app = create_app(settings, (own, SKILLS, *OTHERS, *more))
    async with serving(app, role=Role.OWNER) as owner:
        yield owner, await other_client(owner, Role.EDITOR)


async def test_a_link_that_one_may_not_read_is_not_seen_from_its_other_side(
    settings: Settings, session: AsyncSession
) -> None:
    async with two(settings, Rights(read=Role.OWNER)) as (owner, editor):
        await owner.patch("/api/agents/1", json={"skills": {"add": [2]}})
        operation = await session.scalar(select(Change.operation).limit(1))
        await session.rollback()
        for path in ("/skills", "/skills/1", f"/history?operation={operation}"):
            assert "Ada" in (await owner.get(path)).text, path
            assert "Ada" not in (await editor.get(path)).text, path
        for path in ("/skills/1/agents", "/api/skills/1/with-agents", "/agents/1/skills"):
            assert (await owner.get(path)).status_code == 200
            assert (await editor.get(path)).status_code == 404
        assert "agents" not in (await editor.get("/skills.json")).text
        assert "able" not in (await editor.get("/api/skills/1")).json()
        document = (await editor.get("/api/openapi.json")).json()
        assert not [path for path in document["paths"] if "/with-" in path]
        assert not [name for name in document["components"]["schemas"] if "With" in name[:-9]]


async def test_a_link_that_one_may_not_change_is_not_changed_from_its_other_side(
    settings: Settings, session: AsyncSession
) -> None:
    async with two(settings, Rights(change=Role.OWNER)) as (owner, editor):
        for path, name, sentence in (
            ("/api/agents/1", "skills", "Only owners can edit the skills."),
            ("/api/skills/2", "agents", "Only owners can edit the agents."),
        ):
            refused = await editor.patch(path, json={name: {"add": [1, 2]}})
            assert refused.status_code == 422
            assert sentence in refused.text
        page = await editor.post("/skills/1/agents", data={"id": "1"})
        assert page.status_code in (403, 409, 422)
        links = select(AgentSkill).order_by(col(AgentSkill.agent_id))
        assert [each.skill_id for each in await session.scalars(links)] == [1, 1]
        await session.rollback()
        changed = await owner.patch("/api/skills/2", json={"agents": {"add": [1]}})
        assert changed.status_code == 200


async def test_linking_needs_the_rights_to_the_records_that_link(
    settings: Settings, session: AsyncSession
) -> None:
    links = Resource(AgentSkill, may={"create": Role.OWNER, "delete": Role.OWNER})
    async with two(settings, Rights(), links) as (owner, editor):
        for change in ({"add": [2]}, {"remove": [1]}):
            refused = await editor.patch("/api/agents/1", json={"skills": change})
            assert refused.status_code == 422
            assert "Only owners can" in refused.text
            allowed = await owner.patch("/api/agents/1", json={"skills": change})
            assert allowed.status_code == 200
    found = select(AgentSkill).where(col(AgentSkill.agent_id) == 1)
    assert [each.skill_id for each in await session.scalars(found)] == [2]


async def test_a_link_is_not_made_where_one_would_not_see_it(
    settings: Settings, session: AsyncSession
) -> None:
    links = Resource(
        AgentSkill,
        rows=lambda person: None if person.is_owner else col(AgentSkill.skill_id) == 1,
    )
    async with two(settings, Rights(), links) as (_, editor):
        refused = await editor.patch("/api/agents/1", json={"skills": {"add": [2]}})
        assert refused.status_code == 422
        assert "You don't have access to agent skills with these values" in refused.text
        allowed = await editor.patch("/api/agents/3", json={"skills": {"add": [1]}})
        assert allowed.status_code == 200
    assert len(list(await session.scalars(select(AgentSkill)))) == 3
