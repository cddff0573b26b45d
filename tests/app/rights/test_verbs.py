"""What a person may not do is not offered, and refused with 403."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin import Action, ResourceError, Run
from hero_admin.accounts.users import User
from hero_admin.application import create_app
from hero_admin.model.resource import Resource
from hero_admin.model.site import Site
from hero_admin.person import Role
from hero_admin.rights import Rights
from hero_admin.settings import Settings
from hero_admin.testing import Client
from tests.agents import Agent, agents, branches, skills, visits
from tests.app.rights.conftest import other_client
from tests.serving import serving


async def test_what_one_may_not_do_is_not_offered(editor: Client, owner: Client) -> None:
    page = await editor.get("/branches/1")
    assert "Edit" not in page.link_names
    assert "Edit" in (await owner.get("/branches/1")).link_names
    assert "New branch" not in (await editor.get("/branches")).text
    for refused in (
        await editor.get("/branches/new"),
        await editor.get("/branches/1/edit"),
        await editor.post("/branches/1", data={"name": "X"}),
        await editor.post("/branches/1/delete", data={}),
        await editor.post("/api/branches/", json={"name": "X"}),
        await editor.patch("/api/branches/1", json={"name": "X"}),
        await editor.delete("/api/branches/1"),
    ):
        assert refused.status_code == 403
        assert "Only owners" in refused.text


async def test_a_function_of_the_person_is_a_grant(viewer: Client, editor: Client) -> None:
    assert (await viewer.get("/agents.csv")).status_code == 403
    refused = await viewer.get("/agents/1/delete")
    assert refused.status_code == 403
    assert "have permission to delete agents" in refused.text
    assert (await editor.get("/agents/1/delete")).status_code == 200


NEEDS_VISITS = replace(visits, may={"delete": Role.OWNER})
NEEDS_MENTORS = replace(agents, rights={Agent.mentor_id: Rights(change=Role.OWNER)})


@pytest.mark.parametrize("resources", [(agents, NEEDS_VISITS), (NEEDS_MENTORS, visits)])
@pytest.mark.usefixtures("owner")
async def test_a_deletion_needs_the_rights_to_all_that_it_does(
    settings: Settings, resources: tuple[Resource, ...]
) -> None:
    app = create_app(settings, (*resources, branches, skills))
    async with serving(app, role=Role.OWNER) as owner:
        made = await owner.post(
            "/api/agents/", json={"name": "Dan", "branch_id": 1, "mentor_id": 1}
        )
        assert made.status_code == 201
    async with serving(app, role=Role.EDITOR) as editor:
        question = await editor.get("/agents/1/delete")
        assert (question.status_code, "Only owners can" in question.text) == (200, True)
        assert (await editor.post("/agents/1/delete", data={})).status_code == 409
        assert (await editor.delete("/api/agents/1")).status_code == 409
        assert (await editor.get("/agents/1")).status_code == 200


@pytest.mark.usefixtures("owner")
async def test_an_undo_needs_the_rights_to_all_that_it_does(settings: Settings) -> None:
    made_by_owners = replace(visits, may={"create": Role.OWNER})
    app = create_app(settings, (agents, made_by_owners, branches, skills))
    async with serving(app, role=Role.OWNER) as owner:
        deleted = await owner.submit((await owner.get("/agents/1/delete")).form("Delete agent"))
        undo = (await owner.follow(deleted)).form("Undo")
        editor = await other_client(owner, Role.EDITOR)
        assert (await editor.post(undo.url, data={})).status_code in (404, 409)
        assert (await owner.submit(undo)).status_code == 303
        own = await editor.submit((await editor.get("/agents/1/delete")).form("Delete agent"))
        refused = await editor.submit((await editor.follow(own)).form("Undo"))
        assert refused.status_code == 409
        assert "Only owners can create visits." in refused.text


@pytest.mark.usefixtures("owner")
async def test_who_is_demoted_while_their_form_arrives_does_what_they_may_by_then(
    settings: Settings, session: AsyncSession
) -> None:
    free = [replace(each, rows=None, may={}, rights={}) for each in (agents, branches, skills)]
    needed = replace(visits, rows=None, may={"delete": Role.OWNER})

    async def slowly() -> AsyncIterator[bytes]:
        yield b"form.seen="
        await session.execute(update(User).values(role=Role.EDITOR.value))
        await session.commit()
        yield b""

    async with serving(create_app(settings, (*free, needed)), role=Role.OWNER) as owner:
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = await owner.post("/agents/1/delete", content=slowly(), headers=form)
        assert answer.status_code == 403
        assert "Your permissions have just changed." in answer.text
        assert (await owner.get("/agents/1")).status_code == 200


def test_a_permission_for_an_action_that_there_is_not_is_refused() -> None:
    acting = replace(agents, actions=(Action("Retire", retire),), may={"action:retier": Role.OWNER})
    with pytest.raises(ResourceError, match="did you mean 'action:retire'"):
        Site((acting, branches, skills, visits))


# Any: it does nothing.
async def retire(_: Run[Any]) -> None:
    """Nobody is retired."""
