"""Each statement of a session is limited, and a walk notices each one that is not."""

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import ClauseElement
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.database.row_scopes import RowScopes
from hero_admin.database.statement_count import listeners
from hero_admin.testing import Client
from tests.agents import Agent, AgentSkill, Skill, Visit
from tests.app.rights.conftest import MARKER
from tests.app.rights.test_rows import NOT_THERE, PAGES, WRITES

# A table in a statement, and its alias.
A_TABLE = re.compile(
    r"\b(?:FROM|JOIN|UPDATE)\s+(?:ONLY )?(agent_skill|agent|branch|visit|skill)\b(?: AS (\w+))?"
)
# How the condition of a table begins.
SCOPES = {
    "agent": "branch_id = ",
    "branch": "id = ",
    "visit": "agent_id IN",
    "skill": "is_secret",
    "agent_skill": "(agent_id|skill_id) IN",
}
# Rows found by the foreign keys of the database, which a deletion checks one by one; what a person
# is told does not exist but may be outside; and what was written, in and out of their rows.
UNLIMITED = re.compile(
    r"AS referencing|AS target|SELECT count|SELECT agent.id AS (_0|value)|DELETE FROM"
)
# The least value that an index has, with which SQLite tells values from NULLs: it is never shown.
LEAST = re.compile(r"\(SELECT min\(.*?FROM \w+\)", re.DOTALL)
# What the walk reads besides.
MORE = (
    "/agents/4",
    "/agents/4/edit",
    "/agents/4/skills",
    "/agents/4/delete",
    "/agents?q=dora",
    "/agents?branch=2&skills=1",
    "/visits/4",
    "/api/agents/4/with-skills",
    "/skills/3",
    "/agents/options/mentor_id/counts",
)
# What nobody can notice: numbers of candidates, which only decide how to search or whether to
# delete; rows without a sort value, as there are none; what is read of rows found before; and the
# counts for options, if the options are limited, too.
UNNOTICED = re.compile(
    r"^SELECT (count|\(SELECT count)|IS NULL\) ORDER BY|AS title|SELECT (rowid|ctid)"
    r"|WHERE \w+\.id IN|DESC$"
)
# Whatever differs from request to request.
CHANGING = re.compile(r'name="[\w.]+" value="[\w.\-:=]{20,}"')


@pytest.fixture
def statements() -> Iterator[list[str]]:
    found: list[str] = []

    def listen(text: str, _: object) -> None:
        found.append(text)

    listeners.append(listen)
    yield found
    listeners.remove(listen)


@pytest.fixture
async def secrets(owner: Client, session: AsyncSession) -> None:
    """What the editor does not see of an agent whom they do see."""
    assert owner.cookies
    records = [
        Skill(name=f"Spying {MARKER}", is_secret=True),
        Agent(name="Dora", branch_id=1),
        AgentSkill(agent_id=4, skill_id=1),
        AgentSkill(agent_id=4, skill_id=3),
        Visit(agent_id=4, place=f"Bern {MARKER}", is_secret=True),
        Visit(agent_id=4),
        Visit(agent_id=2),
        Agent(name=f"Eve {MARKER}", branch_id=2, mentor_id=1),
    ]
    for record in records:
        session.add(record)
        await session.flush()
    await session.commit()


async def test_each_statement_is_limited(editor: Client, statements: list[str]) -> None:
    for path in (*PAGES, *NOT_THERE):
        await editor.get(path)
    for path, form in WRITES:
        await editor.post(path, data=form)
    form_page = await editor.get("/agents/3/edit")
    saved = await editor.follow(await editor.submit(form_page.form("Save"), {"name": "Clea"}))
    assert (await editor.submit(saved.form("Undo"))).status_code == 303
    await editor.patch("/api/skills/2", json={"agents": {"add": [1]}})
    about_tables = [LEAST.sub("", text) for text in statements if A_TABLE.search(text)]
    assert len(set(about_tables)) > 40
    wrong = [
        (alias or table, text)
        for text in about_tables
        if not UNLIMITED.search(text)
        for table, alias in A_TABLE.findall(text)
        if not re.search(rf"\b{alias or table}\.{SCOPES[table]}", text)
    ]
    assert wrong == []


@pytest.mark.usefixtures("secrets")
async def test_a_walk_notices_a_statement_that_is_not_limited(
    editor: Client, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    """The limit is removed from each statement in turn, and a page has to look different."""
    dialect = sqlite.dialect() if database_url.startswith("sqlite") else postgresql.dialect()  # type: ignore[no-untyped-call] # SQLAlchemy's
    users: dict[str, list[str]] = {}
    now = {"path": "", "unlimited": ""}
    limit = RowScopes.applied

    def applied(scopes: RowScopes, statement: object) -> object:
        limited: object = limit(scopes, statement)
        if limited is statement or not isinstance(statement, ClauseElement):
            return limited
        text = str(statement.compile(dialect=dialect))
        users.setdefault(text, []).append(now["path"])
        return statement if text == now["unlimited"] else limited

    async def look(path: str) -> tuple[int, str]:
        now["path"] = path
        page = await editor.get(path)
        return page.status_code, CHANGING.sub("", page.text)

    monkeypatch.setattr(RowScopes, "applied", applied)
    before = {path: await look(path) for path in (*PAGES, *NOT_THERE, *MORE)}
    unnoticed = []
    for text, paths in list(users.items()):
        now["unlimited"] = text
        for path in dict.fromkeys(paths):
            if await look(path) != before[path]:
                break
        else:
            unnoticed.append(text)
    assert len(users) > 40
    assert [text for text in unnoticed if not UNNOTICED.search(text)] == []
