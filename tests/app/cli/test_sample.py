"""`sample`: believable data for an empty database, all or none."""

import asyncio
import os
import signal
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel

from hero_admin import Admin
from hero_admin.cli.main import commands
from hero_admin.listing.search.connect import connect
from hero_admin.settings import Settings
from tests.commands import (
    END_SECONDS,
    heed_interrupts,
    names_in,
    opened,
    refusal_of,
    run,
    wait_until,
)
from tests.factories import a_team
from tests.server import PROJECT, WEBAPP
from tests.stored import Stored
from webapp.app import admin
from webapp.heroes import Hero
from webapp.sample import SAMPLE
from webapp.teams import Team

TABLES = [each.table for each in admin.resources]


async def test_sample_data_is_added_to_an_empty_database(stored: Stored, database_url: str) -> None:
    done = await asyncio.to_thread(run, "sample", "--heroes=300", "--teams=7", url=database_url)
    assert done.stdout == "Added 300 heroes and 7 teams.\n"
    assert await stored.count(Hero) == 300
    assert await stored.count(Team) == 7


async def test_sample_data_is_the_same_on_both_databases(
    sqlite_url: str, postgres_url: str
) -> None:
    held = []
    for url in (sqlite_url, postgres_url):
        done = await asyncio.to_thread(run, "sample", "--heroes=200", "--teams=30", url=url)
        assert done.returncode == 0, done.stderr
        database = connect(Settings(database_url=url))
        stored = Stored(database)
        held.append([row.model_dump() for row in await stored.all(Team) + await stored.all(Hero)])
        await database.close()
    assert held[0] == held[1]


@pytest.mark.parametrize("has_history", [True, False], ids=["history", "no history"])
async def test_sample_data_needs_neither_indexes_nor_history(
    empty_url: str, *, has_history: bool
) -> None:
    other = Admin(
        admin.resources,
        database=empty_url,
        sample=SAMPLE,
        history=has_history,
        authenticate=None if has_history else lambda _: None,
    )
    database = connect(other.settings())
    async with database.writing.begin() as connection:
        await connection.run_sync(lambda sync: SQLModel.metadata.create_all(sync, TABLES))

    def call(*arguments: str) -> str:
        done = CliRunner().invoke(commands, arguments, obj=other, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    await asyncio.to_thread(call, "migrate")
    done = await asyncio.to_thread(call, "sample", "--heroes=30", "--teams=2")
    assert done == "Added 30 heroes and 2 teams.\n"
    assert await Stored(database).count(Hero) == 30
    # What comes later is found all the same.
    await asyncio.to_thread(call, "doctor", "--fix")
    assert await asyncio.to_thread(call, "doctor") == "All indexes are in place.\n"
    await database.close()


async def test_sample_data_is_not_mixed_with_other_data(
    session: AsyncSession, stored: Stored, database_url: str
) -> None:
    await a_team(session)
    done = await asyncio.to_thread(run, "sample", url=database_url)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Nothing added: there are already heroes or teams")
    assert await stored.count(Hero) == 0


def test_sample_heroes_need_no_team(sqlite_url: str) -> None:
    assert run("sample", "--heroes=3", "--teams=0", url=sqlite_url).returncode == 0
    assert len(names_in(sqlite_url)) == 3


@pytest.mark.parametrize("option", ["--heroes=-1", "--heroes=1.5", "--teams=-1", "--teams=100001"])
def test_an_impossible_number_of_sample_data_is_refused(sqlite_url: str, option: str) -> None:
    assert option.partition("=")[2] in refusal_of("sample", option, url=sqlite_url)
    assert names_in(sqlite_url) == []


def test_sample_data_that_cannot_be_added_leaves_nothing(sqlite_url: str) -> None:
    with opened(sqlite_url) as connection:
        connection.execute(
            "CREATE TRIGGER full BEFORE INSERT ON hero WHEN (SELECT count(*) FROM hero) = 5500"
            " BEGIN SELECT RAISE(ABORT, 'there are too many heroes'); END"
        )
    assert "there are too many heroes" in refusal_of("sample", "--heroes=6000", url=sqlite_url)
    assert names_in(sqlite_url) == []


def test_sample_data_interrupted_by_ctrl_c_leaves_nothing(sqlite_url: str, tmp_path: Path) -> None:
    with subprocess.Popen(
        [*WEBAPP, "sample", "--heroes=10000000"],
        cwd=PROJECT,
        env=os.environ | {"WEBAPP_DATABASE_URL": sqlite_url},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_interrupts,  # noqa: PLW1509 - it takes no lock
    ) as process:
        try:
            journal = tmp_path / "heroes.db-wal"
            wait_until(lambda: journal.exists() and journal.stat().st_size > 1_000_000)
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=END_SECONDS)
        finally:
            process.kill()
    assert process.returncode == 130
    assert "Traceback" not in said
    assert names_in(sqlite_url) == []
