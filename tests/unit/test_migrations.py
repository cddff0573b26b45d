"""Migrations: they give the schema that the models describe, safely, on both databases."""

import asyncio
import os
import shutil
import subprocess
import sys
import unicodedata
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    ForeignKey,
    Integer,
    MetaData,
    Table,
    inspect,
    text,
)
from sqlmodel import SQLModel

from tests.postgres import PostgresServer
from webapp import migrations
from webapp.admin.submissions import Submission
from webapp.database import Database, connect
from webapp.folding import fold
from webapp.migrations import SchemaError, check_schema, make_revision, migrate
from webapp.resources import RESOURCES
from webapp.settings import Settings

PROJECT = Path(__file__).parent.parent.parent
TABLES = {model.__tablename__ for model in (*(r.model for r in RESOURCES), Submission)}

MIGRATE = """
import asyncio
from webapp.database import connect
from webapp.migrations import migrate
from webapp.settings import load_settings

async def run():
    database = connect(load_settings())
    print(len(await migrate(database)))
    await database.close()

asyncio.run(run())
"""

NEXT_REVISION = """
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = {head!r}
branch_labels = None
depends_on = None

def upgrade():
{body}
"""


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Database]:
    database = connect(Settings(database_url=url))
    try:
        yield database
    finally:
        await database.close()


async def execute(database: Database, *sql: str) -> None:
    async with database.session(is_read_only=False) as session:
        for statement in sql:
            await session.execute(text(statement))
        await session.commit()


async def inspected(database: Database, look: object) -> object:
    async with database.writing.connect() as connection:
        return await connection.run_sync(look)  # type: ignore[arg-type]


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database with nothing in it."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/new/heroes.db"
    server: PostgresServer = request.getfixturevalue("postgres")
    asyncio.run(server.drop_database("empty"))
    asyncio.run(server.create_database("empty"))
    return server.url("empty")


@pytest.fixture
def next_revision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[object]:
    """Adds a revision after the newest, in a copy of the migrations."""
    copy = tmp_path / "migrations"
    shutil.copytree(migrations.HERE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(migrations, "HERE", copy)
