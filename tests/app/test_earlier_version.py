"""A database that an earlier version made is brought over, and nothing in it is lost."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import DateTime, column, text, update
from sqlalchemy import table as sa_table

from hero_admin.cli.database import connected, ready
from hero_admin.cli.index_check import check_indexes
from hero_admin.listing.search.connect import connect
from hero_admin.migrations import migrate
from hero_admin.settings import Settings
from hero_admin.testing import Client
from tests.commands import run
from tests.postgres import PostgresServer
from tests.revisions import NEWEST
from tests.serving import client_of
from webapp.app import admin

DATA = Path(__file__).parent.parent / "data"
DATABASE = "earlier"
# What was in use where the databases were made.
SECRET_KEY = "a secret key that both versions share"
PASSWORD = "correct horse battery"
SESSIONS = {
    "sqlite": "5uE_N02Gr0BsjZSq3hIdBkCo3wtvrnb5RaketRmyKps",
    "postgresql": "x6bVHuK4Bpgzlum6ezS9qVHzMqhlAn-aPgC40HPwahw",
}
TOKENS = {
    "sqlite": "hero_qUxAE3LXzuu034xq7DEdcks4IS5-PpCLWK7rCr9OXf0",
    "postgresql": "hero_Kcdnc4s1Do8IbJixdQjqTsJ1r5lEfotGcyRIq8idqNY",
}


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    kind: str = request.param
    return kind


@pytest.fixture
async def earlier(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """A database at revision 0008, with a row in every table but that of files."""
    if kind == "sqlite":
        file = tmp_path / "heroes.db"
        file.write_bytes(gzip.decompress((DATA / "revision-0008.db.gz").read_bytes()))
        url = f"sqlite:///{file}"
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        await server.drop_database(DATABASE)
        await server.create_database(DATABASE)
        async with server.connected(DATABASE) as connection:
            await connection.execute((DATA / "revision-0008.sql").read_text("utf-8"))
        url = server.url(DATABASE)
    settings = Settings(
        database_url=url, secret_key=SecretStr(SECRET_KEY), request_timeout_seconds=60
    )
    await _make_current(settings)
    return settings


@pytest.fixture
async def client(earlier: Settings, kind: str) -> AsyncIterator[Client]:
    """A client of the application on that database, with nothing that it knows of people."""
    async with connected(admin, earlier) as database:
        await migrate(database, admin.chain)
        # What it had for sorting and searching is taken over.
        assert await check_indexes(database, admin.resources) == []
    # From then on a start finds nothing to do.
    async with ready(admin, earlier):
        app = admin.application(earlier)
        async with app.router.lifespan_context(app), client_of(app) as client:
            yield client


async def test_records_and_their_history_are_there_and_undo_works(
    client: Client, kind: str
) -> None:
    client.cookies.set("session", SESSIONS[kind], domain="localhost.local")
    assert [(row["Name"], row["Age"]) for row in (await client.get("/heroes?sort=name")).rows] == [
        ("Deadpond", "77"),
        ("Rusty-Man", "22"),
        ("Spider-Boy", "21"),
        ("Typed", "5"),
    ]
    assert (await client.get("/heroes?q=rusty")).column("Name") == ["Rusty-Man"]
    said = [entry.sentence for entry in (await client.get("/history")).entries]
    assert "Olive Owner deleted hero Café Noir api" in said
    assert "Olive Owner created Bob Builder" in said
    page = await client.get("/heroes/4/history")
    restored = await client.follow(await client.submit(page.form(press="Restore")))
    assert restored.flash == "Restored Café Noir"
    assert restored.facts["Age"] == "23"


async def test_people_sign_in_as_before_and_programs_keep_their_tokens(
    client: Client, kind: str
) -> None:
    form = (await client.get("/sign-in")).form(press="Sign in")
    given = {"account.name": "Olive Owner", "account.password": PASSWORD}
    assert (await client.submit(form, given)).status_code == 303
    assert (await client.get("/people")).column("Name") == [
        "Bob Builder",
        "Olive Owner you",
    ]
    client.cookies.clear()
    headers = {"Authorization": f"Bearer {TOKENS[kind]}"}
    changed = await client.patch("/api/heroes/1", json={"age": 78}, headers=headers)
    assert (changed.status_code, changed.json()["age"]) == (200, 78)


async def test_migrating_says_what_is_renamed_and_leaves_the_versions_of_others_alone(
    earlier: Settings,
) -> None:
    database = connect(earlier)
    async with database.writing.begin() as connection:
        # As where another program had its revision there first.
        for statement in (
            "ALTER TABLE alembic_version RENAME TO hero_admin_version",
            "CREATE TABLE alembic_version (version_num VARCHAR(32))",
            "INSERT INTO alembic_version VALUES ('0003')",
        ):
            await connection.execute(text(statement))
    done = await asyncio.to_thread(run, "migrate", url=earlier.database_url)
    created, renamed, library, application = done.stdout.splitlines()
    assert created == (
        "Tables created: hero_admin_event, hero_admin_event_head, hero_admin_job,"
        " hero_admin_job_chunk, hero_admin_job_failure, hero_admin_passkey,"
        " hero_admin_recovery_code, hero_admin_secret_key,"
        " hero_admin_totp, hero_admin_used_challenge."
    )
    assert renamed.startswith("Tables renamed: api_token to hero_admin_token, change to hero_")
    assert library == f"Migrated the tables of Hero Admin to revision {NEWEST}."
    assert application == "Migrated the database to revision 0010."
    async with database.reading.connect() as connection:
        held = [
            await connection.scalar(text(f"SELECT version_num FROM {name}"))
            for name in ("alembic_version", "hero_admin_version", "hero_admin_alembic_version")
        ]
    await database.close()
    assert held == ["0003", "0010", NEWEST]


async def _make_current(settings: Settings) -> None:
    """Let what would have expired since then last on."""
    database = connect(settings)
    now = datetime.now(UTC)
    end = now + timedelta(days=1)
    async with database.writing.begin() as connection:
        for table, *names in (
            ("user_session", "seen_at", "ends_at"),
            ("api_token", "expires_at"),
            ("one_time_link", "expires_at"),
        ):
            columns = [column(name, DateTime(timezone=True)) for name in names]
            values = {name: now if name == "seen_at" else end for name in names}
            await connection.execute(update(sa_table(table, *columns)).values(values))
    await database.close()
