"""Rows that a person may not see are, on every path, as if they did not exist."""

import json
import re

import pytest
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from hero_admin.testing import Client, htmx_headers
from tests.agents import Agent, AgentSkill, Branch, Visit
from tests.app.rights.conftest import MARKER
from tests.cases import each

# The agent of the other branch.
OUTSIDE = 2
PAGES = (
    "/",
    "/agents",
    "/agents?q=b",
    f"/agents?q={MARKER}",
    "/agents?sort=-branch_id",
    "/agents?sort=mentor_id&size=25",
    "/agents?sort=mentor_id&q=e",
    "/agents?branch=2",
    "/agents?branch=1",
    "/agents?skills=1",
    "/agents?from=Bob",
    "/agents?count=exact",
    "/branches",
    "/branches/1",
    "/branches/1/agents",
    "/skills",
    "/skills/1",
    "/skills/1/agents",
    "/visits",
    "/visits?sort=agent_id",
    "/agents/1",
    "/agents/3",
    "/agents/3/edit",
    "/agents/1/edit",
    "/agents/new",
    "/agents/options/branch_id",
    f"/agents/options/branch_id?q={MARKER}",
    "/agents/options/mentor_id",
    "/agents/options/branch_id/counts",
    "/agents.csv",
    "/agents.json",
    "/agents.jsonl",
    "/skills.csv",
    "/skills.json",
    "/visits.csv",
    "/history",
    "/history?resource=agents",
    "/agents/change?id=1&id=2",
    "/agents/delete?id=1&id=2",
    "/skills/1/delete",
    "/api/agents/",
    "/api/agents/?q=b&sort=name",
    "/api/agents/1",
    "/api/agents/3",
    "/api/agents/3/with-mentor",
    "/api/skills/1/with-agents",
    "/api/branches/",
    "/api/visits/",
)
NOT_THERE = (
    "/agents/2",
    "/agents/2/edit",
    "/agents/2/delete",
    "/agents/2/history",
    "/agents/2/visits",
    "/agents/2/skills",
    "/agents/2/file/cover",
    "/branches/2",
    "/branches/2/agents",
    "/visits/2",
    "/api/agents/2",
    "/api/agents/2/with-skills",
    "/api/branches/2",
    "/api/visits/2",
)


@each("path", PAGES)
async def test_no_page_has_a_byte_of_a_row_outside(editor: Client, path: str) -> None:
    page = await editor.get(path)
    assert page.status_code in (200, 404), page.text[:500]
    # But for what was searched for.
    assert MARKER not in re.sub(rf"(q=|q%3D|value=\"|“){MARKER}", "", page.text)


async def test_lists_have_what_is_inside(editor: Client, owner: Client) -> None:
    assert (await editor.get("/api/agents/")).json() != []
    names = [each["name"] for each in (await editor.get("/api/agents/?sort=name")).json()]
    assert names == ["Ada", "Cleo"]
    assert len((await owner.get("/api/agents/")).json()) == 3


@each("path", NOT_THERE)
async def test_a_record_outside_is_not_there(editor: Client, owner: Client, path: str) -> None:
    page, missing = await editor.get(path), await editor.get(path.replace("/2", "/999"))
    assert page.status_code == missing.status_code == 404
    assert MARKER not in page.text
    if "file" not in path and "api" not in path:
        assert (await owner.get(path)).status_code == 200


WRITES: tuple[tuple[str, dict[str, str]], ...] = (
    ("/agents/2", {"name": "Mine"}),
    ("/agents/2/delete", {}),
    ("/agents/2/reveal/cover", {}),
    ("/agents/2/skills", {"id": "1"}),
    ("/branches/2", {"name": "Mine"}),
)


@each(("path", "form"), WRITES)
async def test_a_record_outside_is_not_written(
    editor: Client, session: AsyncSession, path: str, form: dict[str, str]
) -> None:
    page = await editor.post(path, data=form)
    assert page.status_code in (403, 404, 409), page.text[:300]
    assert MARKER not in page.text
    agents = await session.scalars(select(Agent.name))
    assert f"Bob {MARKER}" in list(agents)
    await session.rollback()


async def test_bulk_and_api_do_not_reach_outside(editor: Client, session: AsyncSession) -> None:
    bulk = await editor.post(
        "/agents/change", data={"id": ["1", "2"], "set.mentor_id": "1", "mentor_id": "1"}
    )
    assert bulk.status_code in (404, 409, 422)
    deleted = await editor.post("/agents/delete", data={"id": ["1", "2"]})
    assert deleted.status_code == 409
    for page in (
        await editor.patch("/api/agents/2", json={"name": "Mine"}),
        await editor.delete("/api/agents/2"),
    ):
        assert page.status_code == 404
    assert len(list(await session.scalars(select(Agent.name)))) == 3
    assert MARKER not in bulk.text + deleted.text


async def test_nothing_refers_to_a_record_outside(editor: Client, session: AsyncSession) -> None:
    page = await editor.patch("/api/agents/1", json={"mentor_id": 2})
    assert page.status_code == 422
    page = await editor.patch("/api/skills/2", json={"agents": {"add": [2]}})
    assert page.status_code == 422
    links = list(await session.scalars(select(AgentSkill.agent_id)))
    assert links == [1, 2]


async def test_a_record_is_not_moved_outside(editor: Client, session: AsyncSession) -> None:
    moved = await editor.patch("/api/agents/1", json={"branch_id": 2})
    made = await editor.post("/api/agents/", json={"name": "Dan", "branch_id": 2})
    assert moved.status_code == made.status_code == 422
    visit = await editor.patch("/api/visits/1", json={"agent_id": 2})
    assert visit.status_code == 422
    found = await session.execute(select(Agent.name, Agent.branch_id).order_by(col(Agent.id)))
    assert [tuple(row) for row in found] == [("Ada", 1), (f"Bob {MARKER}", 2), ("Cleo", 1)]


async def test_what_would_move_a_record_outside_is_refused_with_a_sentence(
    owner: Client, editor: Client, session: AsyncSession
) -> None:
    # The condition of the rows, and not the reference: both branches are seen here.
    session.add(Branch(name="West"))
    await session.commit()
    form = (await owner.get("/agents/1/edit")).form("Save")
    page = await editor.submit(form, {"branch_id": "1"})
    assert page.status_code == 303


async def test_a_deletion_that_would_change_rows_outside_is_refused(
    editor: Client, session: AsyncSession
) -> None:
    session.add(Agent(name="Eve", branch_id=2, mentor_id=1, cover=MARKER))
    await session.commit()
    question = await editor.get("/agents/1/delete")
    assert "have access to" in question.text
    done = await editor.post("/agents/1/delete", data={})
    assert done.status_code == 409
    assert MARKER not in question.text + done.text
    assert len(list(await session.scalars(select(Agent.id)))) == 4


async def test_history_and_undo_are_of_what_is_seen(editor: Client, owner: Client) -> None:
    await owner.patch("/api/agents/2", json={"name": f"Bobby {MARKER}"})
    await owner.patch("/api/agents/1", json={"name": "Adam"})
    theirs = await owner.get("/history?resource=agents")
    assert MARKER in theirs.text
    own = await editor.get("/history?resource=agents")
    assert "Adam" in own.text
    assert MARKER not in own.text
    saved = await owner.submit((await owner.get("/agents/2/edit")).form("Save"), {"grade": "5"})
    operation = (await owner.follow(saved)).form("Undo").url
    page = await editor.post(operation, data={})
    assert page.status_code == 404
    assert MARKER not in page.text


async def test_who_deletes_a_record_may_undo_that(
    editor: Client, viewer: Client, session: AsyncSession
) -> None:
    deleted = await editor.submit((await editor.get("/agents/3/delete")).form("Delete agent"))
    page = await editor.follow(deleted)
    gone = await viewer.get("/agents/3")
    assert gone.status_code == 404
    assert "Cleo" not in gone.text
    undone = await editor.submit(page.form("Undo"))
    assert undone.status_code == 303
    assert len(list(await session.scalars(select(Agent.id)))) == 3


async def test_children_are_of_what_is_seen(editor: Client, session: AsyncSession) -> None:
    page = await editor.get("/agents/1/visits")
    assert "Oslo" in page.text
    made = await editor.post("/api/visits/", json={"agent_id": 2, "place": "Here"})
    assert made.status_code == 422
    assert len(list(await session.scalars(select(Visit.id)))) == 2


async def test_fragments_and_counts_are_of_what_is_seen(editor: Client) -> None:
    total = await editor.get("/agents?count=exact", headers=htmx_headers("p#total"))
    assert "2" in total.text
    assert "3" not in total.text
    exported = json.loads((await editor.get("/agents.json")).text)
    assert [each["name"] for each in exported] == ["Ada", "Cleo"]


@pytest.mark.parametrize("path", ["/agents", "/api/agents/", "/agents.csv"])
async def test_an_estimate_of_the_whole_table_is_told_to_nobody_who_sees_less(
    editor: Client, owner: Client, path: str
) -> None:
    await owner.get(path)
    assert MARKER not in (await editor.get(path)).text


async def test_a_reference_to_a_record_outside_stays_as_it_is(
    editor: Client, session: AsyncSession
) -> None:
    form = (await editor.get("/agents/3/edit")).form("Save")
    assert (await editor.submit(form, {"name": "Clea"})).status_code == 303
    read = (await editor.get("/api/agents/3")).json()
    assert (await editor.patch("/api/agents/3", json={**read, "name": "Cleo"})).status_code == 200
    assert (await session.execute(select(Agent.mentor_id).where(Agent.id == 3))).scalar() == 2


async def test_a_reference_to_a_record_outside_shows_its_key(editor: Client) -> None:
    assert (await editor.get("/agents/3")).facts["Mentor"] == "2"
    assert "2" in (await editor.get("/agents?q=cleo")).visible_text
