"""Migrations: they make the schema that the models describe, on both databases, and safely."""

import asyncio
import re
import shutil
import unicodedata
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, Connection, Table, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import SQLModel

from hero_admin.database.engines import Database, is_postgresql
from hero_admin.database.folding import fold
from hero_admin.database.own_tables import FOLD_FUNCTION, PREFIX, OwnTable
from hero_admin.listing.search.connect import connect
from hero_admin.migrations import Applied, SchemaError, check_schema, migrate
from hero_admin.migrations.chain import (
    HERE,
    LIBRARY,
    LIBRARY_VERSION_TABLE,
    SECOND_VERSION_TABLE,
    VERSION_TABLE,
    Chain,
)
from hero_admin.settings import Settings
from tests.postgres import PostgresServer
from webapp.app import admin

LIBRARY_TABLES = list(OwnTable.metadata.tables.values())
TABLES = [*(resource.table for resource in admin.resources), *LIBRARY_TABLES]

REVISION = """
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = {head!r}
branch_labels = None
depends_on = None


def upgrade() -> None:
    {body}
"""

NAMES = """
SELECT relkind::text || ' ' || relname FROM pg_class WHERE relname LIKE '%hero_admin_%'
UNION ALL SELECT contype::text || ' ' || conname FROM pg_constraint
WHERE conrelid::regclass::text LIKE 'hero_admin_%'
UNION ALL SELECT proname || prosrc FROM pg_proc WHERE proname LIKE '%fold'
"""
NAMES_ON_SQLITE = """
SELECT type || ' ' || name FROM sqlite_master WHERE tbl_name LIKE 'hero_admin_%'
UNION ALL SELECT replace(sql, char(10), '') FROM sqlite_master WHERE sql LIKE '%_has_a_role%'
"""

# What the doctor makes begins so.
DERIVED = tuple(f"{PREFIX}{kind}_" for kind in ("list", "search", "searched", "unsearched"))

Answer = TypeVar("Answer")
AddRevision = Callable[[str], None]


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database with nothing in it; the SQLite file is not even there."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/new/heroes.db"
    server: PostgresServer = request.getfixturevalue("postgres")
    asyncio.run(server.drop_database("empty"))
    asyncio.run(server.create_database("empty"))
    return server.url("empty")


@pytest.fixture
async def empty(empty_url: str) -> AsyncIterator[Database]:
    database = connect(Settings(database_url=empty_url))
    yield database
    await database.close()


@pytest.fixture
def add_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AddRevision:
    """Adds a revision to a copy of the migrations, which is used from then on."""

    def add(body: str) -> None:
        head = admin.chain.revisions()[-1]
        copy = tmp_path / "versions"
        ignored = shutil.ignore_patterns("__pycache__")
        assert admin.chain.versions is not None
        shutil.copytree(admin.chain.versions, copy, ignore=ignored)
        (copy / "9999_next.py").write_text(REVISION.format(head=head, body=body))
        monkeypatch.setattr(admin, "chain", replace(admin.chain, versions=copy))

    return add


async def look(database: Database, at: Callable[[Connection], Answer]) -> Answer:
    async with database.reading.connect() as connection:
        return await connection.run_sync(at)


async def execute(database: Database, *statements: str) -> None:
    async with database.writing.begin() as connection:
        for statement in statements:
            await connection.execute(text(statement))


async def table_names(database: Database) -> set[str]:
    return set(await look(database, lambda connection: inspect(connection).get_table_names()))


async def test_an_empty_database_gets_every_table(empty: Database) -> None:
    assert await migrate(empty, admin.chain)
    versions = {VERSION_TABLE, LIBRARY_VERSION_TABLE}
    assert await table_names(empty) == {table.name for table in TABLES} | versions


@pytest.mark.parametrize("chain", [admin.chain, LIBRARY], ids=["application", "library"])
def test_files_are_called_by_their_revisions(chain: Chain) -> None:
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.set_main_option("version_locations", str(chain.versions))
    config.set_main_option("path_separator", "newline")
    script = ScriptDirectory.from_config(config)
    assert chain.revisions() == [each.revision for each in script.walk_revisions()][::-1]
    assert chain.revisions()[-1] == script.get_current_head()


async def test_a_second_migration_finds_nothing_to_do(empty: Database) -> None:
    await migrate(empty, admin.chain)
    assert not await migrate(empty, admin.chain)


async def test_the_migrated_schema_is_that_of_the_models(database: Database) -> None:
    assert await look(database, differences) == []


@pytest.mark.parametrize(
    ("database_url", "empty_url"),
    [("sqlite", "sqlite"), ("postgresql", "postgresql")],
    indirect=True,
)
async def test_the_library_creates_its_tables_as_an_older_application_hands_them_over(
    database: Database, empty: Database, tmp_path: Path
) -> None:
    assert await migrate(empty, Chain(tmp_path)) == Applied(library=LIBRARY.revisions())
    versions = {SECOND_VERSION_TABLE, LIBRARY_VERSION_TABLE}
    assert await table_names(empty) == {table.name for table in LIBRARY_TABLES} | versions
    named = await look(empty, library_names)
    assert [name for name in named if SECOND_VERSION_TABLE not in name] == await look(
        database, library_names
    )


def differences(connection: Connection) -> list[object]:
    """What the models say and the database does not, or the other way round."""
    names = {table.name for table in TABLES}

    def is_ours(_: object, name: str | None, kind: str, __: bool, ___: object) -> bool:
        # Other tests have models of their own, and the doctor makes indexes of its own.
        is_derived = kind == "index" and str(name).startswith(DERIVED)
        return not is_derived and (kind != "table" or name in names)

    options = {"include_object": is_ours, "compare_type": True, "compare_server_default": True}
    context = MigrationContext.configure(connection, opts=options)
    # Any: Alembic takes several of them, and says so in words only.
    both: Any = [SQLModel.metadata, OwnTable.metadata]
    found: list[object] = compare_metadata(context, both)
    return found


def library_names(connection: Connection) -> list[str]:
    """What everything of the library itself is called, and how it folds texts."""
    is_embedded = connection.dialect.name == "sqlite"
    listed = map(str, connection.scalars(text(NAMES_ON_SQLITE if is_embedded else NAMES)))
    named = [each for each in listed if not each.partition(" ")[2].startswith(DERIVED)]
    if is_embedded:
        return sorted(re.sub(r".*CONSTRAINT (\w+).*", r"check \1", each) for each in named)
    return sorted(re.sub(r"\s+", " ", each) for each in named)


@pytest.mark.parametrize("table", TABLES, ids=str)
async def test_the_database_checks_what_the_models_say(database: Database, table: Table) -> None:
    checks = {
        constraint.name
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint)
    }
    found = await look(database, lambda c: inspect(c).get_check_constraints(table.name))
    assert {check["name"] for check in found} == checks


async def test_a_hero_outlives_its_team(database: Database) -> None:
    await execute(
        database,
        "INSERT INTO team (id, name) VALUES (1, 'Preventers')",
        "INSERT INTO hero (name, secret_name, team_id) VALUES ('Deadpond', 'Dive', 1)",
        "DELETE FROM team",
    )
    async with database.session(is_read_only=True) as session:
        found = await session.execute(text("SELECT name, team_id FROM hero"))
        assert found.all() == [("Deadpond", None)]


async def test_the_current_schema_is_accepted(database: Database) -> None:
    await check_schema(database, admin.chain)


async def test_an_empty_database_is_refused_in_one_sentence(empty: Database) -> None:
    with pytest.raises(SchemaError, match=r"run `python -m webapp migrate`"):
        await check_schema(empty, admin.chain)


async def test_a_schema_of_a_newer_version_is_refused_and_left_alone(database: Database) -> None:
    await execute(database, "UPDATE alembic_version SET version_num = 'f00d'")
    with pytest.raises(SchemaError, match="revision f00d, which this version does not know"):
        await check_schema(database, admin.chain)
    assert not await migrate(database, admin.chain)


async def test_a_migration_that_fails_leaves_everything_as_it_was(
    empty: Database, add_revision: AddRevision
) -> None:
    await migrate(empty, admin.chain)
    before = await table_names(empty)
    add_revision(
        "op.create_table('villain', sa.Column('id', sa.Integer)); op.drop_column('nope', 'nothing')"
    )
    with pytest.raises(DBAPIError):
        await migrate(empty, admin.chain)
    assert await table_names(empty) == before
    with pytest.raises(SchemaError):
        await check_schema(empty, admin.chain)


async def test_changing_a_table_keeps_what_refers_to_it(
    empty: Database, add_revision: AddRevision
) -> None:
    await migrate(empty, admin.chain)
    await execute(
        empty,
        "INSERT INTO team (id, name) VALUES (1, 'Preventers')",
        "INSERT INTO hero (name, secret_name, team_id) VALUES ('Deadpond', 'Dive', 1)",
    )
    add_revision(
        "with op.batch_alter_table('team') as team:"
        " team.alter_column('headquarters', type_=sa.String(300))"
    )
    assert await migrate(empty, admin.chain) == Applied(application=["9999"])
    async with empty.session(is_read_only=False) as session:
        assert (await session.execute(text("SELECT team_id FROM hero"))).scalar_one() == 1
        with pytest.raises(DBAPIError):
            await session.execute(text("UPDATE hero SET team_id = 99"))


async def test_a_migration_that_loses_references_is_undone(
    sqlite_url: str, add_revision: AddRevision
) -> None:
    database = connect(Settings(database_url=sqlite_url))
    await execute(
        database,
        "INSERT INTO team (id, name) VALUES (1, 'Preventers')",
        "INSERT INTO hero (name, secret_name, team_id) VALUES ('Deadpond', 'Dive', 1)",
    )
    add_revision("op.execute('DELETE FROM team')")
    with pytest.raises(SchemaError, match="undone"):
        await migrate(database, admin.chain)
    async with database.session(is_read_only=True) as session:
        assert (await session.execute(text("SELECT count(*) FROM team"))).scalar_one() == 1
    await database.close()


WORDS = ["ΟΔΟΣ", "οδος", "İstanbul", "ISPARTA ı", "ﬁne", "Ångström", "STRASSE ẞß", "Œuvre ǅ"]


async def test_the_database_folds_as_python_does(database: Database) -> None:
    # Letters of long ago: the newest ones are known to one Unicode version and not to another.
    old = unicodedata.ucd_3_2_0
    letters = [chr(code) for code in range(1, 0x10000) if old.category(chr(code))[0] in "LMNP"]
    texts = [
        *letters,
        *WORDS,
        "Zoë Łukasz",
        "한국",
        "ǆ",
        "\uff26\uff4f",
        "a\u0301\u0323b",
        "🦸 %_\\",
    ]
    together = "\n".join(texts)
    async with database.session(is_read_only=True) as session:
        name = FOLD_FUNCTION if is_postgresql(session) else "fold"
        asked = text(f"SELECT {name}(CAST(:text AS text))")
        folded, nothing, *each = [
            await session.scalar(asked, {"text": each}) for each in (together, None, *WORDS)
        ]
    differences = {
        (before, after, fold(before))
        for before, after in zip(texts, str(folded).split("\n"), strict=True)
        if after != fold(before)
    }
    assert differences == set()
    assert each == [fold(word) for word in WORDS]
    assert nothing is None
