"""`hero-admin --app shop:admin`: commands for an application in the current folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.server import PROJECT

# As the installed script has it: the current folder is not among the paths.
SCRIPT = (sys.executable, "-P", "-c", "from hero_admin import run_commands; run_commands()")
SHOP = """
from sqlalchemy import create_engine
from sqlmodel import Field, SQLModel

from hero_admin import Admin, Person, Resource, Role

class Album(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    title: str

engine = create_engine("sqlite:///shop.db")
admin = Admin([Resource(Album)], database=engine)
guarded = Admin([Resource(Album)], database=engine, authenticate=lambda _: None)
SQLModel.metadata.create_all(engine)
"""
END_SECONDS = 60


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """The folder of an application with a database and one table."""
    (tmp_path / "shop.py").write_text(SHOP)
    return tmp_path


def run(shop: Path, *arguments: str, typed: str = "") -> tuple[int, str]:
    """Run a command to its end; its exit code and all that it prints."""
    done = subprocess.run(
        [*SCRIPT, *arguments],
        check=False,
        cwd=shop,
        env=os.environ | {"PYTHONPATH": str(PROJECT)},
        input=typed,
        capture_output=True,
        text=True,
        timeout=END_SECONDS,
    )
    return done.returncode, done.stdout + done.stderr


def test_help_needs_no_application(tmp_path: Path) -> None:
    code, said = run(tmp_path, "--help")
    assert code == 0
    assert {"serve", "migrate", "doctor", "user", "--app"} <= set(said.split())
    assert "sample" not in said


def test_the_commands_find_the_application_of_the_current_folder(shop: Path) -> None:
    _, migrated = run(shop, "--app", "shop:admin", "migrate")
    assert migrated.startswith("Tables created: hero_admin_blob, hero_admin_change, ")
    assert "alembic_version" not in migrated.replace("hero_admin_alembic_version", "")
    code, again = run(shop, "--app", "shop:admin", "migrate")
    assert (code, again.splitlines()[0]) == (0, "The database is up to date.")
    assert "`hero-admin --app shop:admin doctor` names them" in again
    added = run(
        shop,
        "--app",
        "shop:admin",
        "user",
        "add",
        "Ann",
        "--role=owner",
        typed="correct horse battery",
    )
    assert added[0] == 0, added
    code, found = run(shop, "--app", "shop:admin", "doctor")
    assert "The search index of albums is missing" in found
    assert code == 1
    assert run(shop, "--app", "shop:admin", "doctor", "--fix")[0] == 0


def test_what_cannot_work_is_one_sentence(shop: Path) -> None:
    code, said = run(shop, "migrate")
    assert (code, said) == (2, "Which application? Name its Admin: --app package.module:name.\n")
    run(shop, "--app", "shop:admin", "migrate")
    code, said = run(shop, "--app", "shop:admin", "revision", "More")
    assert (code, "Admin(migrations=…)" in said, len(said.splitlines())) == (2, True, 1)
    code, said = run(shop, "--app", "shop:guarded", "user", "list")
    assert (code, "it has no accounts" in said, len(said.splitlines())) == (2, True, 1)
    code, said = run(shop, "--app", "shop:guarded", "serve")
    assert (code, "start that application" in said, len(said.splitlines())) == (2, True, 1)
