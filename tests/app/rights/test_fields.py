"""Fields that a person may not read are nowhere; those they may not change stay as they are."""

from dataclasses import replace

import pytest
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, UniqueConstraint, col, select
from starlette.applications import Starlette

from hero_admin.application import create_app
from hero_admin.audit_log.changes import Change
from hero_admin.model.controls import Control
from hero_admin.model.resource import Resource
from hero_admin.person import Role
from hero_admin.rights import Rights
from hero_admin.settings import Settings
from hero_admin.testing import Client
from tests.agents import Agent, agents, branches, skills, visits
from tests.app.rights.conftest import other_client
from tests.cases import each
from tests.serving import serving

SALARY = "111777"
READ_BY_OWNERS = Rights(read=Role.OWNER)


class Badge(SQLModel, table=True):
    __table_args__ = (UniqueConstraint("name", "code"),)

    id: int | None = Field(default=None, primary_key=True)
    name: str
    code: str


PAGES = (
    "/agents",
    "/agents?sort=salary",
    "/agents?salary_min=1",
    "/agents/1",
    "/agents/1/edit",
    "/agents/new",
    "/agents/change?id=1",
    "/agents/1/history",
    "/history",
    "/agents.csv",
    "/agents.json",
    "/agents.jsonl",
    "/api/agents/",
    "/api/agents/?sort=-salary",
    "/api/agents/1",
    "/api/skills/1/with-agents",
    "/api/openapi.json",
    "/api/docs",
)


@each("path", PAGES)
async def test_an_unreadable_field_is_nowhere(editor: Client, owner: Client, path: str) -> None:
    await owner.patch("/api/agents/1", json={"salary": 111_778})
    await owner.patch("/api/agents/1", json={"salary": 111_777})
    page = await editor.get(path)
    text = page.text.replace(",", "").replace("sort=salary", "").replace("sort=-salary", "")
    text = text.replace("salary_min=1", "")
    assert SALARY not in text
    assert "salary" not in text.lower() or page.status_code in (400, 422)


async def test_who_may_read_it_does(owner: Client) -> None:
    assert (await owner.get("/api/agents/1")).json()["salary"] == 111_777
    assert SALARY in (await owner.get("/agents/1")).text


async def test_a_change_by_others_leaves_it_as_it_is(editor: Client, session: AsyncSession) -> None:
    page = await editor.get("/agents/1/edit")
    saved = await editor.submit(page.form("Save"), {"name": "Adam"})
    assert saved.status_code == 303
    sent = await editor.patch("/api/agents/1", json={"name": "Ada", "salary": 1})
    assert sent.status_code in (200, 422)
    assert await stored(session) == (111_777, 3)


async def test_a_field_that_one_may_not_change_is_refused_by_name(
    editor: Client, owner: Client
) -> None:
    sent = await editor.patch("/api/agents/1", json={"grade": 5})
    assert sent.status_code == 422
    assert "Only owners" in sent.text
    assert "grade" in (await editor.get("/api/agents/1")).json()
    assert "grade" not in (await editor.get("/agents/1/edit")).form("Save")
    assert (await owner.patch("/api/agents/1", json={"grade": 5})).status_code == 200


async def test_a_new_record_has_the_default(editor: Client, session: AsyncSession) -> None:
    made = await editor.post("/api/agents/", json={"name": "Dan", "branch_id": 1})
    assert made.status_code == 201
    assert "salary" not in made.json()
    assert await stored(session, 4) == (None, 1)


async def test_deleting_and_undoing_brings_it_back(editor: Client, session: AsyncSession) -> None:
    page = await editor.follow(
        await editor.submit((await editor.get("/agents/1/delete")).form("Delete agent"))
    )
    undone = await editor.submit(page.form("Undo"))
    assert undone.status_code == 303
    assert await stored(session) == (111_777, 3)


async def test_a_change_of_it_is_undone_only_by_who_may_change_it(
    editor: Client, owner: Client, session: AsyncSession
) -> None:
    form = (await owner.get("/agents/1/edit")).form("Save")
    saved = await owner.submit(form, {"salary": "5"})
    undo = (await owner.follow(saved)).form("Undo")
    assert (await editor.post(undo.url, data={})).status_code == 409
    assert await stored(session) == (5, 3)
    assert (await owner.submit(undo)).status_code == 303


async def stored(session: AsyncSession, id: int = 1) -> tuple[int | None, int]:
    """The salary and the grade of an agent."""
    found = await session.execute(select(Agent.salary, Agent.grade).where(Agent.id == id))
    salary, grade = found.one()
    await session.rollback()
    return salary, grade


async def test_what_is_deleted_too_is_restored_with_what_one_may_not_read(
    owner: Client, settings: Settings, session: AsyncSession
) -> None:
    form = (await owner.get("/branches/1/delete")).form("Delete branch")
    # Somebody may delete branches, and read no salaries.
    app = create_app(settings, (agents, replace(branches, may={}), skills, visits))
    async with serving(app, role=Role.EDITOR) as client:
        page = await client.follow(await client.submit(form))
        assert (await client.submit(page.form("Undo"))).status_code == 303
    assert await stored(session) == (111_777, 3)


@pytest.mark.usefixtures("owner")
async def test_options_of_a_picker_tell_each_reader_what_they_may_read(settings: Settings) -> None:
    """Options are cached for some seconds, for people of different rights."""
    free = [replace(each, rows=None, may={}) for each in (branches, skills, visits)]
    own = replace(agents, rows=None, may={}, masked=(), rights={Agent.cover: READ_BY_OWNERS})
    async with serving(create_app(settings, (own, *free)), role=Role.OWNER) as owner:
        for cover in ("Baker", "Butcher"):
            sent = {"name": "Zoe", "branch_id": 1, "cover": cover}
            assert (await owner.post("/api/agents/", json=sent)).status_code == 201
        assert "Zoe · Butcher" in (await owner.get("/visits")).text
        editor = await other_client(owner, Role.EDITOR)
        page = await editor.get("/visits")
        assert "Zoe" in page.text
        assert "Butcher" not in page.text


@pytest.mark.usefixtures("owner")
async def test_a_field_depends_on_none_that_one_may_not_read(settings: Settings) -> None:
    inputs = {Agent.cover: Control(depends_on=Agent.salary)}
    app = create_app(settings, (replace(agents, inputs=inputs), branches, skills, visits))
    async with serving(app, role=Role.OWNER) as owner:
        editor = await other_client(owner, Role.EDITOR)
        for path in ("/agents/new", "/agents/1/edit"):
            assert 'data-depends="salary"' in (await owner.get(path)).text
            page = await editor.get(path)
            assert page.field("Cover").label == "Cover"
            assert "salary" not in page.text


async def test_a_change_of_nothing_else_is_in_no_history(editor: Client, owner: Client) -> None:
    await owner.patch("/api/agents/1", json={"salary": 5})
    for path in ("/history", "/agents/1/history"):
        assert (await owner.get(path)).entries
        page = await editor.get(path)
        assert not page.entries
        assert "Olive Owner" not in page.text


async def test_an_undo_that_is_not_allowed_names_no_field(
    editor: Client, owner: Client, session: AsyncSession
) -> None:
    form = (await owner.get("/agents/1/edit")).form("Save")
    await owner.submit(form, {"salary": "5", "name": "Adam"})
    await owner.patch("/api/agents/1", json={"salary": 6})
    first = select(Change.operation).order_by(col(Change.id)).limit(1)
    operation = await session.scalar(first)
    await session.rollback()
    refused = await editor.post(f"/undo/{operation}", data={})
    assert refused.status_code == 409
    assert "You don't have permission to change all of this agent." in refused.visible_text
    assert "salary" not in refused.text.lower()


@pytest.fixture
async def badges(settings: Settings, session: AsyncSession) -> Starlette:
    """Badges whose pair of name and code is unique, the code being for owners."""
    connection = await session.connection()
    await connection.run_sync(Badge.__table__.create)  # type: ignore[attr-defined] # SQLModel does not declare it
    session.add_all([Badge(name="Ann", code="x"), Badge(name="Bob", code="x")])
    await session.commit()
    return create_app(settings, [Resource(Badge, rights={Badge.code: READ_BY_OWNERS})])


async def test_a_unique_value_that_one_may_not_read_is_not_named(badges: Starlette) -> None:
    async with serving(badges, role=Role.OWNER) as owner:
        taken = await owner.patch("/api/badges/2", json={"name": "Ann"})
        assert "Another badge has this name and code." in taken.text
        editor = await other_client(owner, Role.EDITOR)
        refused = await editor.patch("/api/badges/2", json={"name": "Ann"})
        assert refused.status_code == 422
        assert "Another badge has the same values." in refused.text
        assert "code" not in refused.text
        page = await editor.submit((await editor.get("/badges/2/edit")).form("Save"), name="Ann")
        assert page.error("Name") == "Another badge has the same values."


@each(("changed", "status"), [({"salary": 7}, 303), ({"name": "Adam"}, 409)])
async def test_a_confirmation_notices_only_changes_that_are_seen(
    editor: Client, owner: Client, changed: dict[str, object], status: int
) -> None:
    question = (await editor.get("/agents/change?id=1&id=3")).form("Edit 2 agents")
    assert (await owner.patch("/api/agents/1", json=changed)).status_code == 200
    answer = await editor.submit(question, {"form.set.mentor_id": True}, mentor_id="")
    assert answer.status_code == status
