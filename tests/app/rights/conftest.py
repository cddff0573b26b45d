"""Fixtures: agents of two branches, and clients who see one of them or both."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel

from hero_admin.application import create_app
from hero_admin.person import Role
from hero_admin.settings import Settings
from hero_admin.testing import Client
from tests.agents import RESOURCES, TABLES, Agent, AgentSkill, Branch, Skill, Visit
from tests.serving import client_of, serving
from tests.signing_in import sign_in_by

# In every value of what nobody of the other branch may see.
MARKER = "zqx"


@pytest.fixture
async def owner(settings: Settings, session: AsyncSession) -> AsyncIterator[Client]:
    """A client who sees both branches."""
    connection = await session.connection()
    await connection.run_sync(lambda sync: SQLModel.metadata.create_all(sync, TABLES))
    records = [
        Branch(name="North"),
        Branch(name=f"South {MARKER}"),
        Skill(name="Climbing"),
        Skill(name="Sailing"),
        Agent(name="Ada", branch_id=1, cover="Baker", salary=111_777, grade=3),
        Agent(name=f"Bob {MARKER}", branch_id=2, cover=f"Cook {MARKER}", salary=222_777),
        Agent(name="Cleo", branch_id=1, mentor_id=2),
        AgentSkill(agent_id=1, skill_id=1),
        AgentSkill(agent_id=2, skill_id=1),
        Visit(agent_id=1, place="Oslo"),
        Visit(agent_id=2, place=f"Rome {MARKER}"),
    ]
    # One after the other, so that they are numbered in this order.
    for record in records:
        session.add(record)
        await session.flush()
    await session.commit()
    async with serving(create_app(settings, RESOURCES), role=Role.OWNER) as client:
        yield client


@pytest.fixture
async def editor(owner: Client) -> Client:
    """A client who sees the branch in the north."""
    return await other_client(owner, Role.EDITOR)


@pytest.fixture
async def viewer(owner: Client) -> Client:
    return await other_client(owner, Role.VIEWER)


async def other_client(owner: Client, role: Role) -> Client:
    app = owner.http._transport.app  # type: ignore[attr-defined] # noqa: SLF001
    client = client_of(app)
    await sign_in_by(app.state.database, client, role)
    return client
