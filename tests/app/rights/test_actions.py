"""Actions of people who may not read everything: neither filters nor forms tell more."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, select
from starlette.applications import Starlette

from hero_admin import Action, Role, Run
from hero_admin.application import create_app
from hero_admin.settings import Settings
from hero_admin.testing import Client
from tests.agents import Agent, agents, branches, skills, visits
from tests.app.rights.conftest import other_client
from tests.serving import serving


class Move(SQLModel):
    branch_id: int = Field(foreign_key="branch.id")


async def move(run: Run[Agent], data: Move) -> str:
    await run.change(branch_id=data.branch_id)
    return f"{run.count} moved"


async def raise_salary(run: Run[Agent]) -> str:
    await run.change(salary=1)
    return f"{run.count} raised"


# Any: it has no records.
async def open_branch(_: Run[Any], data: Move) -> str:
    return f"Opened {data.branch_id}"


ACTING = replace(agents, actions=(Action("Move", move, form=Move), Action("Raise", raise_salary)))


@pytest.fixture
async def acting(owner: Client, settings: Settings) -> AsyncIterator[Client]:
    """An editor of an application with actions."""
    actions = (Action("Open", open_branch, form=Move),)
    app = create_app(settings, (ACTING, branches, skills, visits), actions=actions)
    async with serving(app, role=Role.OWNER) as client:
        yield await other_client(client, Role.EDITOR)


async def test_an_action_changes_no_field_that_its_person_may_not_change(
    acting: Client, session: AsyncSession
) -> None:
    sent = await acting.post("/api/agents/actions/raise", json={"ids": [1]})
    page = await acting.post("/agents/actions/raise", data={"id": "1"})
    assert sent.status_code == page.status_code == 422
    sentence = "You don't have permission to change all of this agent."
    assert sentence in sent.text
    assert page.alert == sentence
    assert await session.scalar(select(Agent.salary).where(Agent.id == 1)) == 111_777


async def test_an_action_refers_to_no_record_outside(acting: Client) -> None:
    for branch_id in (2, 999):
        form = {"branch_id": branch_id}
        sent = await acting.post("/api/agents/actions/move", json={"ids": [1], "form": form})
        assert sent.status_code == 422
        assert sent.json()["detail"][0]["msg"].endswith("Choose another one.")
        outside = await acting.post("/api/agents/actions/move", json={"ids": [2], "form": form})
        assert outside.status_code == 409
    options = await acting.get("/actions/open/options/branch_id")
    assert options.status_code == 200
    assert "North" in options.text
    assert "South" not in options.text


@pytest.fixture
def unread(settings: Settings) -> Starlette:
    """An application whose branches only owners may read, to which actions of editors refer."""
    resources = (ACTING, replace(branches, may={"read": Role.OWNER}), skills, visits)
    return create_app(settings, resources, actions=(Action("Open", open_branch, form=Move),))


@pytest.mark.usefixtures("owner")
async def test_the_form_of_an_action_may_refer_to_records_that_one_may_not_read(
    unread: Starlette,
) -> None:
    async with serving(unread, role=Role.EDITOR) as editor:
        assert "Open" in (await editor.get("/")).text
        for path in (
            "/agents",
            "/actions/open",
            "/actions/open/options/branch_id",
            "/agents/actions/move?id=1",
            "/agents/actions/move/options/branch_id",
        ):
            page = await editor.get(path)
            assert page.status_code == 200, path
            assert "North" not in page.text
        document = (await editor.get("/api/openapi.json")).json()
        assert not [name for name in document["components"]["schemas"] if "Branch" in name]
