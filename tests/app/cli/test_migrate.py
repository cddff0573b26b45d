"""`migrate` and `revision`: the schema is changed when somebody says so, and never by the way."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text

from hero_admin.listing.search.connect import connect
from hero_admin.settings import Settings
from tests.commands import a_copy_of_the_project, opened, refusal_of, run
from tests.server import PROJECT

REVISIONS = sorted(path.name[:4] for path in PROJECT.glob("webapp/migrations/versions/[0-9]*.py"))


def test_migrating_says_what_it_did(empty_url: str) -> None:
    tables, *mended, revision = run("migrate", url=empty_url).stdout.splitlines()
    assert tables.startswith("Tables created: hero, hero_admin_blob, ")
    assert "No index for sorting hero by age. Fixed." in mended
    assert revision == f"Migrated the database to revision {REVISIONS[-1]}."
    assert run("migrate", url=empty_url).stdout == "The database is up to date.\n"


def test_two_migrations_at_once_take_turns(empty_url: str) -> None:
    with ThreadPoolExecutor() as pool:
        done = list(pool.map(lambda _: run("migrate", url=empty_url), range(3)))
    assert [one.returncode for one in done] == [0] * 3
    # Whoever has to wait for long says so.
    waiting = "Waiting for another process that changes the schema.\n"
    assert {one.stderr for one in done} <= {"", waiting}
    assert sum("Migrated the database" in one.stdout for one in done) == 1


@pytest.mark.parametrize("command", [("serve", "--port=0"), ("sample",), ("revision", "More")])
def test_only_migrating_changes_the_tables_of_a_server(
    empty_postgres_url: str, command: tuple[str, ...]
) -> None:
    said = refusal_of(*command, url=empty_postgres_url)
    assert said == "The database is not up to date: run `python -m webapp migrate` first."


def test_a_file_with_the_tables_of_others_is_changed_by_migrating_only(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/notes.db"
    with opened(url) as connection:
        connection.execute("CREATE TABLE note (id INTEGER PRIMARY KEY, body TEXT)")
        # It uses Alembic, too.
        connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY)")
        connection.execute("INSERT INTO alembic_version VALUES ('0002')")
    before = (tmp_path / "notes.db").read_bytes()
    for command in (("serve", "--port=0"), ("revision", "More"), ("sample",), ("user", "list")):
        said = refusal_of(*command, url=url)
        assert said.startswith(
            "The database holds the tables of another program:"
            " `python -m webapp migrate` adds hero, hero_admin_blob, "
        )
    assert (tmp_path / "notes.db").read_bytes() == before
    assert "hero" in run("migrate", url=url).stdout
    assert run("user", "list", url=url).returncode == 0
    with opened(url) as connection:
        held = connection.execute("SELECT * FROM alembic_version").fetchall()
    assert held == [("0002",)]


def test_a_table_of_others_is_not_taken_for_ours(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/notes.db"
    with opened(url) as connection:
        connection.execute("CREATE TABLE team (id INTEGER PRIMARY KEY)")
    before = (tmp_path / "notes.db").read_bytes()
    said = refusal_of("migrate", url=url)
    assert said.startswith("The database has a table “team” of another program")
    assert (tmp_path / "notes.db").read_bytes() == before


@pytest.mark.parametrize("command", [("serve", "--port=0"), ("migrate",)])
async def test_the_database_of_a_newer_version_is_refused(
    empty_url: str, command: tuple[str, ...]
) -> None:
    await asyncio.to_thread(run, "migrate", url=empty_url)
    database = connect(Settings(database_url=empty_url))
    async with database.session(is_read_only=False) as session:
        await session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        await session.commit()
    await database.close()
    said = await asyncio.to_thread(refusal_of, *command, url=empty_url)
    assert "revision 9999, which this version does not know" in said


def test_a_model_added_by_a_developer_gets_its_migration(tmp_path: Path) -> None:
    project = a_copy_of_the_project(tmp_path)
    url = f"sqlite+aiosqlite:///{tmp_path}/heroes.db"
    with (project / "webapp" / "teams.py").open("a") as file:
        file.write(
            "\n\nclass Rival(Schema, table=True):\n"
            "    id: int | None = Field(default=None, primary_key=True)\n"
            "    name: str = Field(max_length=80, unique=True)\n"
            "    weakness: str | None = None\n"
            '    team_id: int = Field(foreign_key="team.id", index=True)\n'
        )
    made = run("revision", "Rivals of teams.", url=url, project=project)
    number = f"{len(REVISIONS) + 1:04}"
    path = f"webapp/migrations/versions/{number}_rivals_of_teams.py"
    assert made.stdout == f"Written: {path}. Check it, then run `python -m webapp migrate`.\n"
    assert (project / path).read_text().startswith('"""Rivals of teams.\n')

    done = run("migrate", url=url, project=project)
    assert done.stdout == (f"Tables created: rival.\nMigrated the database to revision {number}.\n")
    again = run("revision", "Rivals once more", url=url, project=project)
    assert again.stdout == ("Nothing to migrate: the database matches the models.\n")
    with opened(url) as connection:
        assert [column[1] for column in connection.execute("PRAGMA table_info(rival)")] == [
            "id",
            "name",
            "weakness",
            "team_id",
        ]


def test_a_migration_needs_a_name(sqlite_url: str) -> None:
    assert "MESSAGE" in refusal_of("revision", " ", url=sqlite_url)
