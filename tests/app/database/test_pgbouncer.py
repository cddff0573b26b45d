"""Behind PgBouncer in transaction mode: each transaction may be on another connection."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from hero_admin.database.engines import Database
from hero_admin.listing.search.connect import connect
from hero_admin.person import Role
from hero_admin.settings import Settings
from hero_admin.testing import Client
from tests.factories import a_team, some_heroes
from tests.pgbouncer import CONNECTIONS, pgbouncer
from tests.postgres import PostgresServer
from tests.server import run_command
from tests.serving import serving
from webapp.app import admin

PAGES = (
    "/",
    "/heroes",
    "/heroes?q=a&sort=-age",
    "/heroes?sort=team_id",
    "/heroes/1",
    "/heroes/1/edit",
    "/teams/1",
    "/history",
    "/heroes.csv",
    "/api/heroes/",
    "/api/heroes/1/with-team",
)


@pytest.fixture
def pooled(postgres: PostgresServer, postgres_url: str) -> Iterator[Settings]:
    with pgbouncer(postgres) as port:
        yield Settings(
            database_url=postgres_url.replace(f":{postgres.port}/", f":{port}/"),
            database_pooler="transaction",
            request_timeout_seconds=60,
        )


@pytest.fixture
async def through_pooler(pooled: Settings) -> AsyncIterator[Client]:
    database: Database = connect(pooled)
    async with database.session(is_read_only=False) as session:
        await some_heroes(session, 60, await a_team(session))
    await database.close()
    async with serving(admin.application(pooled), role=Role.OWNER) as client:
        yield client


async def test_every_page_works(through_pooler: Client) -> None:
    for page in PAGES:
        assert (await through_pooler.get(page)).status_code == 200, page


async def test_many_read_and_write_over_few_connections(through_pooler: Client) -> None:
    async def work(number: int) -> set[int]:
        statuses = set()
        # Only few exports may be under way at a time.
        for page in set(PAGES) - {"/heroes.csv"}:
            hero = {"name": f"Nova {number}", "secret_name": page}
            statuses.add((await through_pooler.get(page)).status_code)
            statuses.add((await through_pooler.post("/api/heroes/", json=hero)).status_code)
        return statuses

    workers = [work(number) for number in range(3 * CONNECTIONS)]
    assert set().union(*await asyncio.gather(*workers)) == {200, 201}
    saved = (await through_pooler.get("/api/heroes/?limit=1000")).json()
    assert len(saved) == 60 + len(workers) * (len(PAGES) - 1)


async def test_a_form_is_saved(through_pooler: Client) -> None:
    form = (await through_pooler.get("/heroes/new")).form()
    hero = {"name": "Nova", "secret_name": "Sam Alexander"}
    assert (await through_pooler.submit(form, hero)).status_code == 303
    assert len((await through_pooler.get("/heroes?q=Nova")).rows) == 1


async def test_the_database_is_migrated(postgres: PostgresServer) -> None:
    await postgres.create_database("hero_admin_pooled")
    with pgbouncer(postgres) as port:
        environment = {
            "WEBAPP_DATABASE_URL": f"postgresql://postgres@127.0.0.1:{port}/hero_admin_pooled",
            "WEBAPP_DATABASE_POOLER": "transaction",
        }
        assert "Migrated the database to revision" in run_command(environment, "migrate")
        assert "up to date" in run_command(environment, "migrate")
    await postgres.drop_database("hero_admin_pooled")


def test_an_undeclared_pooler_is_reported(postgres: PostgresServer) -> None:
    with pgbouncer(postgres) as port:
        url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
        with pytest.raises(AssertionError, match="set WEBAPP_DATABASE_POOLER=transaction"):
            run_command({"WEBAPP_DATABASE_URL": url}, "migrate")
