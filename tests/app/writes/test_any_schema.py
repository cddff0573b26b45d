"""Any schema: whatever foreign keys do, deleting does what it said, and Undo puts all rows back."""

import re
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlmodel import Field, SQLModel

from hero_admin.application import create_app
from hero_admin.audit_log.changes import Change
from hero_admin.database.engines import Database
from hero_admin.model.resource import Resource
from hero_admin.person import Role
from hero_admin.settings import Settings
from hero_admin.testing import Client, Page
from tests.serving import serving
from tests.stored import Stored


class Alpha(SQLModel, table=True):
    """What is deleted. The models never say what becomes of others, and do not know all of them."""

    id: int | None = Field(default=None, primary_key=True)
    name: str
    first: int | None = Field(default=None, foreign_key="alpha.id")


class Beta(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str
    first: int | None = Field(default=None, foreign_key="alpha.id", ondelete="CASCADE")


class Link(SQLModel, table=True):
    first: int = Field(foreign_key="alpha.id", primary_key=True)
    second: int = Field(foreign_key="beta.id", primary_key=True)
    name: str


COUNT = 3
# Each has the columns of two foreign keys; those that are no key point at some of these.
COLUMNS = {
    "alpha": "id INTEGER PRIMARY KEY, name VARCHAR, code INTEGER UNIQUE",
    "beta": "id INTEGER PRIMARY KEY, name VARCHAR, code INTEGER UNIQUE",
    "gamma": "id INTEGER PRIMARY KEY, name VARCHAR, code INTEGER UNIQUE",
    "bare": "name VARCHAR",
    "link": "name VARCHAR",
    "deep": "id INTEGER PRIMARY KEY, name VARCHAR",
}
TARGETS = [(table, column) for table in ("alpha", "beta", "gamma") for column in ("id", "code")]
ACTIONS = [*["CASCADE"] * 4, *["SET NULL"] * 3, "SET DEFAULT", "RESTRICT", "NO ACTION"]


@dataclass(frozen=True)
class Pointer:
    """A foreign key of one column; `values` are those of the rows of its table."""

    table: str
    column: str
    target: tuple[str, str] | None
    action: str
    is_nullable: bool
    default: int | None
    values: tuple[int | None, ...]

    @property
    def ddl(self) -> str:
        null = "" if self.is_nullable else " NOT NULL"
        default = "" if self.default is None else f" DEFAULT {self.default}"
        return f"{self.column} INTEGER{null}{default}"

    @property
    def constraint(self) -> str:
        if self.target is None:
            return ""
        table, column = self.target
        return f"FOREIGN KEY ({self.column}) REFERENCES {table} ({column}) ON DELETE {self.action}"


@st.composite
def pointers(draw: st.DrawFn, table: str, column: str) -> Pointer:
    """Return a foreign key and its values; the models’ own always point where they say."""
    is_link = table == "link"
    target = draw(st.sampled_from(TARGETS))
    if is_link or (table in ("alpha", "beta") and column == "first"):
        target = ("beta" if column == "second" else "alpha", "id")
    actions = ACTIONS if not is_link else ["CASCADE", "CASCADE", "CASCADE", "NO ACTION"]
    base = 10 if target[1] == "code" else 0
    given = st.integers(base + 1, base + COUNT)
    is_nullable = not is_link and draw(st.integers(0, 3)) > 0
    default = draw(st.sampled_from([None, None, base + 1])) if not is_link else None
    values = draw(
        st.lists(given if not is_nullable else given | st.none(), min_size=COUNT, max_size=COUNT)
    )
    return Pointer(
        table, column, target, draw(st.sampled_from(actions)), is_nullable, default, tuple(values)
    )


@st.composite
def schemas(draw: st.DrawFn) -> list[Pointer]:
    found = [
        draw(pointers(table, column))
        for table in COLUMNS
        if table != "deep"
        for column in ("first", "second")
    ]
    # No link twice.
    for position, pointer in enumerate(found):
        if pointer.table == "link" and pointer.column == "second":
            pairs = list(zip(found[position - 1].values, pointer.values, strict=True))
            if len(set(pairs)) < COUNT:
                found[position] = Pointer(**{**vars(pointer), "values": (1, 2, 3)})
    return found


def statements_for(found: list[Pointer], deep: str) -> list[str]:
    """Return what makes the tables, and their rows before anything is checked."""
    made = []
    for table, columns in COLUMNS.items():
        own = [pointer for pointer in found if pointer.table == table]
        parts = [columns, *(pointer.ddl for pointer in own)]
        if table == "deep":
            parts.append("first INTEGER, second INTEGER")
        if table == "link":
            parts.append("PRIMARY KEY (first, second)")
        constraints = [pointer.constraint for pointer in own if pointer.constraint]
        if table == "deep":
            constraints = [
                f"FOREIGN KEY (first, second) REFERENCES link (first, second) ON DELETE {deep}"
            ]
        made.append(f"CREATE TABLE {table} ({', '.join([*parts, *constraints])})")
    return made


def rows_for(found: list[Pointer]) -> list[str]:
    made = []
    values = {(pointer.table, pointer.column): pointer.values for pointer in found}
    for key in ("first", "second"):
        values["deep", key] = values["link", key]
    for table, columns in COLUMNS.items():
        names = re.findall(r"(\w+) (?:INTEGER|VARCHAR)", columns)
        rows: list[str] = []
        for number in range(1, COUNT + 1):
            own = {"id": number, "name": f"'{table} {number}'", "code": number + 10}
            given = [own[name] for name in names]
            for key in ("first", "second"):
                value = values[table, key][number - 1]
                given.append("NULL" if value is None else value)
            rows.append(f"({', '.join(map(str, given))})")
        listed = ", ".join([*names, "first", "second"])
        made.append(f"INSERT INTO {table} ({listed}) VALUES {', '.join(rows)}")
    return made


async def arrange(database: Database, found: list[Pointer], deep: str) -> None:
    """Make the tables and their rows anew, which may point at each other in rings."""
    async with database.writing.connect() as connection:
        if database.loop_reader:
            driver = (await connection.get_raw_connection()).driver_connection
            assert driver is not None
            drop = [f"DROP TABLE IF EXISTS {table}" for table in COLUMNS]
            async with driver.rebuilding():
                for statement in [*drop, *statements_for(found, deep), *rows_for(found)]:
                    await connection.exec_driver_sql(statement)
                await connection.exec_driver_sql("DELETE FROM hero_admin_change")
                await connection.commit()
            return
        await connection.exec_driver_sql(f"DROP TABLE IF EXISTS {', '.join(COLUMNS)} CASCADE")
        later = []
        for statement in statements_for(found, deep):
            plain, *keys = re.split(r", (?=FOREIGN KEY)", statement.removesuffix(")"))
            await connection.exec_driver_sql(f"{plain})")
            later += [f"ALTER TABLE {plain.split()[2]} ADD {key}" for key in keys]
        for statement in [*rows_for(found), *later, "DELETE FROM hero_admin_change"]:
            await connection.exec_driver_sql(statement)
        await connection.commit()


Contents = dict[str, dict[str, dict[str, Any]]]


async def contents(database: Database) -> Contents:
    """What all the tables hold: their rows by name."""
    found: Contents = {}
    async with database.session(is_read_only=True) as session:
        for table in COLUMNS:
            rows = (await session.execute(text(f"SELECT * FROM {table}"))).mappings().all()
            found[table] = {row["name"]: dict(row) for row in rows}
            assert len(found[table]) == len(rows), "a row is there twice"
    return found


def told(page: Page) -> Counter[tuple[str, str]]:
    """How many rows go or change, as the question says: ("bare", "deleted"), ("beta", "first")."""
    found: Counter[tuple[str, str]] = Counter()
    for paragraph in [tag.visible_text for tag in page.by_id("confirm").find_all("p")]:
        match = re.match(r"(\d+) (?:rows? of )?(\w+)", paragraph)
        if match is None:
            continue
        table = match[2].removesuffix("s") if match[2] not in COLUMNS else match[2]
        changed = re.search(r"will have (?:no|the default) (\w+)", paragraph)
        what = (
            "deleted" if "will be deleted" in paragraph else changed[1] if changed else "restricted"
        )
        found[table, what] += int(match[1])
    return found


def happened(before: Contents, after: Contents) -> Counter[tuple[str, str]]:
    """How many rows went or changed, but for the one that was asked for."""
    found: Counter[tuple[str, str]] = Counter({("alpha", "deleted"): -1})
    for table, rows in before.items():
        for name, row in rows.items():
            found[table, "deleted"] += name not in after[table]
            for column in ("first", "second")[: 1 if table == "deep" else 2]:
                found[table, column] += after[table].get(name, row)[column] != row[column]
    return +found


@pytest.fixture(params=["links", "no links"])
async def client(request: pytest.FixtureRequest, settings: Settings) -> AsyncIterator[Client]:
    models = (Alpha, Beta, Link) if request.param == "links" else (Alpha, Beta)
    resources = [Resource(model) for model in models]
    async with serving(create_app(settings, resources), role=Role.OWNER) as client:
        yield client


@settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(
    found=schemas(),
    deep=st.sampled_from(["CASCADE", "SET NULL", "NO ACTION"]),
    way=st.sampled_from(["page", "bulk", "api", "replacements"]),
)
async def test_a_deletion_does_what_it_said_and_is_undone_to_the_last_row(
    client: Client,
    database: Database,
    stored: Stored,
    found: list[Pointer],
    deep: str,
    way: str,
) -> None:
    await arrange(database, found, deep)
    before = await contents(database)
    question = await client.get("/alphas/1/delete")
    said = told(question)
    can_be = not any(what == "restricted" for _, what in said)
    is_limited = "Undo may be refused" in question.by_id("confirm").visible_text
    match way:
        case "bulk":
            answer = await client.post("/alphas/delete", data={"id": ["1"]})
        case "api":
            answer = await client.delete("/api/alphas/1")
        case "page":
            answer = await client.post("/alphas/1/delete")
        case _:
            pickers = question.by_id("confirm").find_all("select")
            replacements = {tag.attribute("name"): "2" for tag in pickers}
            answer = await client.post("/alphas/1/delete", data=replacements)
    after = await contents(database)
    if answer.status_code == 409:
        assert after == before
        assert not can_be or way == "replacements"
        return
    if way != "replacements":
        assert can_be
        assert said == happened(before, after)
    wanted, other = before, after
    for _ in range(3):
        operation = (await stored.all(Change))[-1].operation
        undone = await client.post(f"/undo/{operation}")
        if undone.status_code == 409 and is_limited:
            assert await contents(database) == other
            return
        assert undone.status_code == 303, undone.visible_text
        assert await contents(database) == wanted
        wanted, other = other, wanted
