"""What a person may not read is, in what they send, as if there were no such field."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin import Action, Rights, Role, Run, Schema
from hero_admin.application import create_app
from hero_admin.settings import Settings
from hero_admin.testing import Client
from tests.agents import Agent, agents, branches, skills, visits
from tests.app.rights.test_fields import stored
from tests.cases import each
from tests.serving import serving

OWNERS = Rights(read=Role.OWNER, change=Role.OWNER)
NEEDED = "You don't have permission to set everything that a new agent needs."


class AgentCreate(Schema):
    name: str
    branch_id: int
    salary: int | None = None
    grade: int


async def hire(run: Run[Agent]) -> str:
    return f"{run.count} hired"


hired = replace(
    agents,
    rights={Agent.salary: OWNERS, Agent.skills: OWNERS, Agent.grade: Rights(change=Role.OWNER)},
    actions=(Action("Hire", hire),),
)


@pytest.fixture(params=["derived", "given"])
async def editor(
    request: pytest.FixtureRequest, settings: Settings, owner: Client
) -> AsyncIterator[Client]:
    """An editor who knows of no salaries and skills, where a schema may be given."""
    assert owner.cookies
    resource = replace(hired, create=AgentCreate) if request.param == "given" else hired
    app = create_app(settings, (resource, branches, skills, visits))
    async with serving(app, role=Role.EDITOR) as client:
        yield client


@each(
    ("method", "url", "body"),
    [
        ("POST", "/api/agents/", {"name": "Dan", "branch_id": 1}),
        ("PATCH", "/api/agents/1", {}),
    ],
)
async def test_the_api_answers_as_if_it_were_unknown(
    editor: Client, session: AsyncSession, method: str, url: str, body: dict[str, object]
) -> None:
    for name in ("salary", "skills", "anything"):
        for value in ("much", 7, {"add": [1]}):
            answer = await editor.request(method, url, json={**body, name: value})
            assert (name, answer.status_code) == (name, 201 if method == "POST" else 200)
    assert await stored(session) == (111_777, 3)
    assert (await editor.post("/api/agents/", json={"salary": "much"})).json() == (
        await editor.post("/api/agents/", json={"anything": "much"})
    ).json()


async def test_no_action_counts_records_by_it(editor: Client) -> None:
    for name in ("salary_min", "anything_min"):
        sent = {"all_matching": {name: 1}}
        answer = await editor.post("/api/agents/actions/hire", json=sent)
        assert (answer.status_code, f"Unknown filter: {name}." in answer.text) == (422, True)


async def test_a_new_record_has_its_default(editor: Client, session: AsyncSession) -> None:
    form = (await editor.get("/agents/new")).form("Create agent")
    assert (await editor.submit(form, name="Dan", branch_id="1")).status_code == 303
    assert await stored(session, 4) == (None, 1)


@pytest.mark.parametrize("create", [AgentCreate, None])
@pytest.mark.usefixtures("owner")
async def test_a_new_record_that_needs_more_is_refused(
    settings: Settings, create: type[Schema] | None
) -> None:
    rights = {Agent.branch_id: OWNERS}
    app = create_app(
        settings, (replace(agents, rights=rights, create=create), branches, skills, visits)
    )
    async with serving(app, role=Role.EDITOR) as editor:
        form = (await editor.get("/agents/new")).form("Create agent")
        refused = await editor.submit(form, name="Dan", grade="1")
        assert (refused.status_code, refused.alert) == (422, f"There's 1 problem {NEEDED}")
        answer = await editor.post("/api/agents/", json={"name": "Dan", "grade": 1})
        assert answer.json()["detail"] == [{"type": "invalid", "loc": ["body"], "msg": NEEDED}]
