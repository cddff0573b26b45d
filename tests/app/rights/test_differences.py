"""Whatever somebody may not see may be as it likes: not a byte of any answer depends on it."""

import re
from collections.abc import Mapping
from dataclasses import replace

from hero_admin import Action, Column, Role, Run, count
from hero_admin.application import create_app
from hero_admin.settings import Settings
from hero_admin.testing import Client, htmx_headers
from tests.agents import Agent, Branch, agents, branches, skills, visits
from tests.app.rights.conftest import other_client
from tests.serving import serving


async def ping(run: Run[Agent]) -> str:
    return f"{run.count} pinged: {[agent.name async for agent in run]}"


PUPILS, SALARY = Column("Pupils", count(Agent.mentor_id)), Column("Pay", Agent.salary * 2)  # type: ignore[operator] # SQLModel types it as a value
COLUMNS = (Agent.name, Agent.branch_id, Agent.mentor_id, Agent.grade, Agent.skills, PUPILS, SALARY)
RESOURCES = (
    replace(agents, columns=COLUMNS, filters=None, actions=(Action("Ping", ping),)),
    replace(branches, columns=(Branch.name, Column("Staff", count(Agent.branch_id)))),
    skills,
    visits,
)
SORTS = ("name", "-branch_id", "mentor_id", "-mentor_id", "grade", "salary", "-salary")
FILTERS = (
    *("branch=1", "branch=2", "mentor=2", "mentor=none", "skills=1", "skills=3", "skills=none"),
    *("grade_min=1", "salary_min=1", "salary=none", "q=a", "q=bob", "size=1&before=end"),
    *("from=B", "count=exact"),
)
LISTS = ("/agents?{}", "/api/agents/?{}", "/agents.csv?{}", "/agents.jsonl?{}")
COUNTS = tuple(f"/agents/options/{name}/counts?{{}}" for name in ("branch_id", "skills"))
PAGES = (
    *("/", "/agents/1", "/agents/1/edit", "/agents/1/history", "/agents/new", "/history"),
    *(
        "/branches",
        "/branches/1/agents",
        "/skills",
        "/skills/1",
        "/skills/1/agents",
        "/skills.json",
    ),
    *("/skills?agents=2", "/visits", "/visits?sort=agent_id", "/visits.csv", "/agents/1/visits"),
    *("/agents/options/mentor_id", "/agents/options/mentor_id?q=b", "/skills/options/agents"),
    *("/agents/options/id?itself=1", "/agents/change?form.all=", "/agents/actions/ping?form.all="),
    *("/agents/change?id=1&id=3", "/agents/actions/ping?id=1", "/agents/3/delete"),
    *("/api/agents/1", "/api/agents/3", "/api/skills/1/with-agents", "/api/openapi.json"),
    *("/jobs", "/agents/2", "/api/agents/2", "/agents/2/history", "/agents/2/delete", "/skills/3"),
)
# Nothing is changed by any of these.
SENT: tuple[tuple[str, str, Mapping[str, object]], ...] = (
    ("POST", "/api/agents/", {"name": "x", "branch_id": 2}),
    ("PATCH", "/api/agents/1", {"mentor_id": 2}),
    ("PATCH", "/api/agents/1", {"skills": {"add": [3]}}),
    ("PATCH", "/api/agents/2", {"name": "x"}),
    ("DELETE", "/api/agents/2", {}),
    ("POST", "/api/visits/", {"agent_id": 2, "place": "x"}),
    ("POST", "/api/agents/actions/ping", {"ids": [1, 2]}),
    *(("POST", "/api/agents/actions/ping", {"all_matching": each}) for each in ({}, {"q": "b"})),
)
# Whatever differs from request to request: tokens, and the base of a merge, whose record is seen.
CHANGING = re.compile(r'name="form\.(token|opened)" value="[^"]*"|"operation":"\w+"')


async def answers(client: Client) -> dict[tuple[str, str], tuple[int, str, dict[str, str]]]:
    """Everything that somebody is told, by what they ask for."""
    paths = [each.format(f"sort={sort}") for each in LISTS for sort in SORTS]
    paths += [each.format(given) for each in (*LISTS, *COUNTS) for given in FILTERS]
    found = {("GET", path): await client.get(path) for path in (*paths, *PAGES)}
    found["GET", "total"] = await client.get("/agents?count=1", headers=htmx_headers("p#total"))
    for method, path, body in SENT:
        found[method, f"{path} {body}"] = await client.request(method, path, json=body)
    told = ("etag", "link", "location")
    return {
        asked: (
            page.status_code,
            CHANGING.sub("", page.text),
            {name: page.headers[name] for name in told if name in page.headers},
        )
        for asked, page in found.items()
    }


async def test_no_answer_depends_on_what_one_may_not_see(owner: Client, settings: Settings) -> None:
    assert owner.cookies
    async with serving(create_app(settings, RESOURCES), role=Role.OWNER) as client:
        editor = await other_client(client, Role.EDITOR)
        await client.patch("/api/agents/1", json={"grade": 2})
        before = await answers(editor)
        for id in (1, 3):
            await client.patch(f"/api/agents/{id}", json={"salary": id})
        await client.patch("/api/agents/2", json={"name": "Aaa", "grade": 7, "cover": "zzz"})
        for number in range(5):
            skilled = {"name": f"Ada {number}", "skills": {"add": [1, 2]}}
            sent = {**skilled, "branch_id": 2, "mentor_id": 2, "grade": number}
            assert (await client.post("/api/agents/", json=sent)).status_code == 201
        await client.post("/api/branches/", json={"name": "Alpha"})
        await client.post("/api/skills/", json={"name": "Acting", "is_secret": True})
        for agent_id in (1, 2):
            hidden = {"agent_id": agent_id, "place": "Oslo", "is_secret": agent_id == 1}
            await client.post("/api/visits/", json=hidden)
        assert (await client.delete("/api/agents/4")).status_code == 204
        now = await answers(editor)
    assert [asked for asked in before if before[asked] != now[asked]] == []
    assert {status for status, _, _ in now.values()} >= {200, 404, 422}
