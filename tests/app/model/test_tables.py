"""Tables: views, those of a schema, those that are only looked at, and names of any kind."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import Column, ForeignKey, Integer, String, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel

from hero_admin.application import create_app
from hero_admin.cli.index_check import check_indexes, fix_indexes
from hero_admin.database.engines import Database
from hero_admin.listing.search.connect import connect
from hero_admin.model.resource import Resource
from hero_admin.person import Role
from hero_admin.settings import Settings
from hero_admin.testing import Client
from tests.factories import a_hero, a_team, some_heroes
from tests.serving import serving
from webapp.heroes import heroes
from webapp.teams import teams

CHANGES = {"Sec-Fetch-Site": "same-origin"}
ODD = 'Odd "Name": 100% ünïts %s'
LONG = "a_very_long_name_of_a_table_that_another_program_has_made"


class TeamSize(SQLModel, table=True):
    """A view, in which each team has its number of heroes; its key is that of the team."""

    __tablename__ = "team_size"

    team_id: int = Field(primary_key=True, foreign_key="team.id")
    name: str = Field(max_length=200)
    heroes: int


class Unit(SQLModel, table=True):
    """Nothing is called as SQL would like it, nor its attributes as its columns."""

    __tablename__ = ODD

    id: int | None = Field(default=None, sa_column=Column("select", Integer, primary_key=True))
    name: str = Field(sa_column=Column('Full "Name" (%)', String(80), nullable=False))
    order: int = Field(default=0, sa_column=Column("order by", Integer))
    ratio: int | None = Field(default=None, sa_column=Column("größe:x", Integer))
    team_id: int | None = Field(
        default=None, sa_column=Column("Team's id", Integer, ForeignKey("team.id"))
    )


class Part(SQLModel, table=True):
    """A key of texts, and a name with which PostgreSQL would cut off that of an index."""

    __tablename__ = LONG

    code: str = Field(sa_column=Column("code of part", String(20), primary_key=True))
    unit_id: int | None = Field(
        default=None, sa_column=Column("its unit", Integer, ForeignKey(f"{ODD}.select"))
    )


class Crime(SQLModel, table=True):
    """A table in a schema of its own, which has one of the same name elsewhere."""

    __table_args__ = {"schema": "law court"}

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=80)
    hero_id: int | None = Field(default=None, foreign_key="hero.id", ondelete="SET NULL")


SIZE = (
    "SELECT t.id AS team_id, t.name, count(h.id) AS heroes"
    " FROM team t LEFT JOIN hero h ON h.team_id = t.id GROUP BY t.id, t.name"
)
sizes = Resource(TeamSize, read_only=True)
units, parts = Resource(Unit), Resource(Part)
crimes = Resource(Crime)


@asynccontextmanager
async def admin(settings: Settings, *resources: Resource) -> AsyncIterator[Client]:
    app = create_app(settings, (heroes, teams, *resources))
    async with serving(app, role=Role.OWNER) as client:
        yield client


async def execute(session: AsyncSession, *statements: str) -> None:
    for statement in statements:
        await (await session.connection()).exec_driver_sql(statement)
    await session.commit()


# SQLite has no materialised views.
@pytest.mark.parametrize(
    ("database_url", "kind"),
    [
        ("sqlite", "VIEW"),
        ("sqlite", "TABLE"),
        ("postgresql", "VIEW"),
        ("postgresql", "TABLE"),
        ("postgresql", "MATERIALIZED VIEW"),
    ],
    indirect=["database_url"],
)
async def test_what_is_read_only_is_looked_at_in_every_way(
    settings: Settings, database: Database, session: AsyncSession, kind: str
) -> None:
    team_id = (await a_team(session, "Zoë’s", None)).id
    await a_team(session, "Others", None)
    await some_heroes(session, 3)
    await execute(session, f"UPDATE hero SET team_id = {team_id}")
    await execute(session, f"CREATE {kind} team_size AS {SIZE}")
    try:
        assert await fix_indexes(database, (heroes, teams, sizes)) == []
        async with admin(settings, sizes) as client:
            await look_at(client, f"/team-sizes/{team_id}")
            await refuse_changes(client, "team-sizes", str(team_id))
    finally:
        await execute(session, f"DROP {kind} team_size")


async def look_at(client: Client, url: str) -> None:
    page = await client.get("/team-sizes?sort=-heroes")
    assert page.column("Heroes") == ["3", "0"]
    assert (await client.get("/team-sizes?q=zoe")).rows == page.rows[:1]
    assert (await client.get("/team-sizes?heroes_min=1")).rows == page.rows[:1]
    assert (await client.get(url)).facts["Heroes"] == "3"
    assert (await client.get("/team-sizes.csv")).text.count("\n") == 3
    assert (await client.get(f"/api{url}")).json()["heroes"] == 3
    assert len((await client.get("/api/team-sizes/")).json()) == 2
    for path in ("/", "/team-sizes", url, f"{url}/history"):
        found = (await client.get(path)).link_names
        assert not {"Edit", "Delete…", "New team size"}.intersection(found)


async def refuse_changes(client: Client, name: str, key: str) -> None:
    """See that nothing that is read-only can be changed, by page or by program."""
    for method, path in [
        ("POST", ""),
        ("POST", f"/{key}"),
        ("DELETE", f"/{key}"),
        ("POST", "/change"),
        ("POST", "/delete"),
        ("POST", "/new"),
    ]:
        assert (await client.request(method, f"/{name}{path}")).status_code == 405
    for path in ("/new", "/change", "/delete", f"/{key}/edit", f"/{key}/delete"):
        assert (await client.get(f"/{name}{path}")).status_code == 404
    for path in ("edit", "delete", "restore", "undo"):
        assert (await client.post(f"/{name}/{key}/{path}")).status_code in {404, 405}
    for method, path in [("POST", "/"), ("PATCH", f"/{key}"), ("DELETE", f"/{key}")]:
        answer = await client.request(method, f"/api/{name}{path}", headers=CHANGES, json={})
        assert answer.status_code == 405
    described = (await client.get("/api/openapi.json")).json()["paths"]
    methods = {method for path, each in described.items() if f"/{name}/" in path for method in each}
    assert methods == {"get"}


async def test_what_became_read_only_is_not_changed_by_undoing_either(
    settings: Settings, session: AsyncSession
) -> None:
    url = f"/teams/{(await a_team(session, 'Preventers')).id}"
    async with admin(settings) as client:
        edit = await client.get(f"{url}/edit")
        await client.submit(edit.form(press="Save changes"), name="Avengers")
        assert "Undo this change" in (await client.get(f"{url}/history")).text
    operation = await session.scalar(
        text("SELECT operation FROM hero_admin_change ORDER BY id DESC")
    )
    await session.rollback()
    still = Resource(teams.model, read_only=True)
    app = create_app(settings, (heroes, still))
    async with serving(app, role=Role.OWNER) as client:
        assert "Undo this change" not in (await client.get(f"{url}/history")).text
        answer = await client.post(f"/undo/{operation}", headers=CHANGES)
        page = await client.follow(answer) if answer.response.is_redirect else answer
        assert "read-only" in page.text
        assert (await client.get(url)).heading == "Avengers"


@pytest.fixture
async def odd(settings: Settings, database: Database) -> AsyncIterator[Client]:
    """A client of an admin of tables with names of any kind."""
    tables = [units.table, parts.table]
    async with database.writing.begin() as connection:
        await connection.run_sync(lambda sync: SQLModel.metadata.create_all(sync, tables))
    everything = (heroes, teams, units, parts)
    assert await fix_indexes(database, everything)
    assert await check_indexes(database, everything) == []
    async with admin(settings, units, parts) as client:
        yield client
    async with database.writing.begin() as connection:
        await connection.run_sync(lambda sync: SQLModel.metadata.drop_all(sync, tables))


async def test_names_may_be_of_any_kind(odd: Client, session: AsyncSession) -> None:
    team_id = (await a_team(session, "Preventers")).id
    for number, name in enumerate(("Zoë's 100%", "Other")):
        new = await odd.get("/units/new")
        given = {"name": name, "order": f"{number}", "ratio": "7", "team_id": f"{team_id}"}
        assert (await odd.submit(new.form(), given)).status_code == 303
    assert (await odd.get("/units?q=zoe")).column("Name") == ["Zoë's 100%"]
    for sort, first in (("name", "Other"), ("-order", "Other"), ("team_id", "Zoë's 100%")):
        page = await odd.get(f"/units?sort={sort}&size=1")
        assert page.column("Name") == [first]
        assert len((await odd.get(page.link("Next page"))).rows) == 1
    assert len((await odd.get("/units?order_min=1&ratio_max=7")).rows) == 1
    assert len((await odd.get(f"/teams/{team_id}/units?q=zoe")).rows) == 1
    unit = (await odd.get("/api/units/")).json()[0]
    made = await odd.post("/api/parts/", json={"code": "a 1", "unit_id": unit["id"]})
    assert made.status_code == 201, made.text
    assert (await odd.get("/parts?q=a 1")).column("Code") == ["a 1"]
    edit = await odd.get(f"/units/{unit['id']}/edit")
    await odd.submit(edit.form(press="Save changes"), name="Zoë II")
    assert (await odd.get("/units.csv?q=zoe ii")).text.count("\n") == 2
    gone = await odd.request("DELETE", "/api/parts/a~201", headers=CHANGES)
    assert gone.status_code == 204
    page = await odd.get(f"/units/{unit['id']}/delete")
    page = await odd.follow(await odd.submit(page.form()))
    assert len((await odd.get("/units")).rows) == 1
    await odd.submit(page.undo)
    assert (await odd.get("/units?q=zoe")).column("Name") == ["Zoë II"]


async def test_a_table_may_be_in_a_schema_beside_one_of_its_name(postgres_url: str) -> None:
    settings = Settings(database_url=postgres_url, request_timeout_seconds=60)
    database = connect(settings)
    everything = (heroes, teams, crimes)
    async with database.writing.begin() as connection:
        await connection.exec_driver_sql("CREATE TABLE crime (id text, name text)")
        await connection.exec_driver_sql("CREATE INDEX list_crime_name ON crime (name, id)")
        await connection.exec_driver_sql('CREATE SCHEMA "law court"')
        await connection.run_sync(crimes.table.create)
    found = [finding.sentence for finding in await fix_indexes(database, everything)]
    assert "The search index of crimes is missing." in found
    assert await check_indexes(database, everything) == []
    async with database.session(is_read_only=False) as session:
        hero = await a_hero(session, "Nova")
        await a_team(session, "Zoë’s")
    async with admin(settings, crimes) as client:
        new = await client.get("/crimes/new")
        form = new.form()
        answer = await client.submit(form, name="Zoë robbed", hero_id=str(hero.id))
        assert answer.status_code == 303
        assert (await client.get("/crimes?q=zoe")).column("Name") == ["Zoë robbed"]
        assert len((await client.get(f"/heroes/{hero.id}/crimes")).rows) == 1
        (crime,) = (await client.get("/api/crimes/")).json()
        edit = await client.get(f"/crimes/{crime['id']}/edit")
        await client.submit(edit.form(press="Save changes"), name="Stole")
        page = await client.get(f"/heroes/{hero.id}/delete")
        assert "1 crime" in page.text
        page = await client.follow(await client.submit(page.form()))
        assert (await client.get(f"/api/crimes/{crime['id']}")).json()["hero_id"] is None
        await client.submit(page.undo)
        assert (await client.get(f"/api/crimes/{crime['id']}")).json()["hero_id"] == hero.id
    async with database.writing.begin() as connection:
        await connection.exec_driver_sql('DROP SCHEMA "law court" CASCADE')
        await connection.exec_driver_sql("DROP TABLE crime")
    await database.close()
