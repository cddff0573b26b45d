"""Looking changes nothing: GET and HEAD leave every table as it was, but the audit log."""

from sqlalchemy import MetaData
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.applications import Starlette

from hero_admin.database.engines import Database
from hero_admin.testing import Client
from tests.addresses import addresses
from tests.factories import a_hero, a_team

QUERIES = ("", "?q=d&sort=-name&count=1&id=1&_method=DELETE&then=next", "?back=/heroes&age=8")

Tables = dict[str, list[tuple[object, ...]]]


async def test_get_and_head_change_nothing(
    app: Starlette, client: Client, session: AsyncSession, database: Database
) -> None:
    await fill(client, session)
    before = await everything(database)
    asked = 0
    for path in addresses(app.routes):
        for query in QUERIES:
            for method in ("GET", "HEAD"):
                answer = await client.request(method, path + query)
                assert answer.status_code < 500, f"{method} {path}{query}"
                asked += answer.status_code == 200
    assert asked > 50, "hardly anything was there to look at"
    assert await everything(database) == before
    assert all(before[table] for table in ("hero", "team", "hero_admin_change"))


async def fill(client: Client, session: AsyncSession) -> None:
    """Leave two heroes and a team, and a history in which something was changed and deleted."""
    team = await a_team(session)
    await a_hero(session, team=team)
    await a_hero(session, "Spider-Boy", "Pedro Parqueador")
    for path, data in (
        ("/heroes", {"name": "Gone", "secret_name": "G"}),
        ("/heroes/1", {"age": "8"}),
        ("/heroes/3/delete", {}),
    ):
        assert (await client.post(path, data=data)).status_code == 303


async def everything(database: Database) -> Tables:
    """All rows of all tables, whatever they are, without the audit log, which tells of exports."""
    metadata = MetaData()
    async with database.session(is_read_only=True) as session:
        connection = await session.connection()
        await connection.run_sync(metadata.reflect)
        return {
            table.name: [tuple(row) for row in await session.execute(table.select())]
            for table in metadata.sorted_tables
            if not table.name.startswith("hero_admin_event")
        }
