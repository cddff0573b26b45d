"""The commands as operators run them: processes of their own, and what they print and leave."""

import asyncio
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.listing.search.connect import connect
from hero_admin.settings import Settings
from tests.factories import a_team
from tests.forking import run_forked
from tests.postgres import PostgresServer, children_of
from tests.server import PATIENT, PROJECT, WEBAPP, end_with_parent
from tests.stored import Stored
from webapp.heroes import Hero
from webapp.teams import Team

END_SECONDS = 60.0
REVISIONS = sorted(path.name[:4] for path in PROJECT.glob("webapp/migrations/versions/[0-9]*.py"))
HERO = b'{"name": "Slow Motion", "secret_name": "Ada Lagg"}'
SENT = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/json"}

each_number_of_workers = pytest.mark.parametrize("workers", [1, 2])


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest) -> str:
    """The address of a database without any table; the SQLite file does not even exist."""
    fixture = "empty_sqlite_url" if request.param == "sqlite" else "empty_postgres_url"
    url: str = request.getfixturevalue(fixture)
    return url


@pytest.fixture
def empty_sqlite_url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path}/not/there/yet.db"


@pytest.fixture
def empty_postgres_url(postgres: PostgresServer) -> Iterator[str]:
    asyncio.run(postgres.create_database("hero_admin_empty"))
    yield postgres.url("hero_admin_empty")
    asyncio.run(postgres.drop_database("hero_admin_empty"))


# serve


@each_number_of_workers
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl+C"])
def test_a_server_told_to_stop_finishes_what_it_is_doing(
    sqlite_url: str, tmp_path: Path, workers: int, number: signal.Signals
) -> None:
    with serving(sqlite_url, tmp_path, f"--workers={workers}") as (process, port):
        with half_sent_hero(port) as connection:
            serving_processes = children_of(process.pid) if workers > 1 else [process.pid]
            assert any(is_listening(pid, port) for pid in serving_processes)
            # Ctrl+C reaches the workers too, as the terminal sends it to all of them.
            (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
            wait_until(lambda: not any(is_listening(pid, port) for pid in serving_processes))
            connection.sendall(HERO[10:])
            assert connection.recv(1000).startswith(b"HTTP/1.1 201")
        assert process.wait(END_SECONDS) == 0
    assert names_in(sqlite_url) == ["Slow Motion"]
    assert "Traceback" not in (tmp_path / "stderr").read_text()


def test_a_server_told_to_stop_does_not_wait_for_ever_for_a_client_that_says_nothing(
    sqlite_url: str, tmp_path: Path
) -> None:
    with serving(sqlite_url, tmp_path) as (process, port), half_sent_hero(port):
        process.terminate()
        assert process.wait(END_SECONDS) == 0
    assert names_in(sqlite_url) == []
    assert "Traceback" not in (tmp_path / "stderr").read_text()


def test_workers_stop_when_their_supervisor_is_killed(sqlite_url: str, tmp_path: Path) -> None:
    with serving(sqlite_url, tmp_path, "--workers=2") as (process, _):
        workers = children_of(process.pid)
        assert len(workers) >= 2
        process.kill()
        wait_until(lambda: not any(is_running(pid) for pid in workers))


@each_number_of_workers
def test_the_printed_address_answers_at_once_and_every_worker_has_the_fast_loop_and_parser(
    sqlite_url: str, tmp_path: Path, workers: int
) -> None:
    with serving(sqlite_url, tmp_path, f"--workers={workers}") as (process, port):
        ready = f"http://127.0.0.1:{port}/readyz"
        with urllib.request.urlopen(ready, timeout=END_SECONDS) as response:
            assert response.status == 200
            assert "server" not in response.headers
        found = [
            Path(f"/proc/{pid}/maps").read_text()
            for pid in (process.pid, *children_of(process.pid))
        ]
    serving_processes = [maps for maps in found if "httptools" in maps and "uvloop" in maps]
    assert len(serving_processes) >= workers


def test_every_worker_leaves_what_stays_out_of_the_search_for_garbage(sqlite_url: str) -> None:
    ask = (
        "import gc; from hero_admin.cli.server import application; application();"
        " print(gc.get_freeze_count() > 10_000, *gc.get_threshold())"
    )
    done = subprocess.run(
        [sys.executable, "-c", ask],
        check=True,
        cwd=PROJECT,
        env=os.environ | {"WEBAPP_DATABASE_URL": sqlite_url, "HERO_ADMIN_APP": "webapp.app:admin"},
        capture_output=True,
        text=True,
    )
    assert done.stdout == "True 20000 20 50\n"


def test_the_first_start_makes_the_embedded_database(empty_sqlite_url: str, tmp_path: Path) -> None:
    with serving(empty_sqlite_url, tmp_path) as (_, port):
        assert read_json(port, "/api/heroes/") == []


def test_each_request_is_a_line_of_the_log(sqlite_url: str, tmp_path: Path) -> None:
    with serving(sqlite_url, tmp_path) as (_, port):
        read_json(port, "/api/heroes/?limit=1")
        read_json(port, "/api/teams/")
    first, second = (tmp_path / "stderr").read_text().splitlines()
    assert re.fullmatch(
        r"\S+ INFO hero_admin.access method=GET path=/api/heroes/ status=200"
        r" duration_ms=\d+\.\d statements=\d+ address=127\.0\.0\.1 user=(Anyone|\"\"|\".*\")",
        first,
    )
    assert "path=/api/teams/" in second


def test_the_options_reach_every_worker(sqlite_url: str, tmp_path: Path) -> None:
    environment = {"WEBAPP_MAX_BODY_BYTES": "20", "WEBAPP_WORKERS": "7"}
    with serving(sqlite_url, tmp_path, "--workers=2", environment=environment) as (_, port):
        for _ in range(8):
            answer = httpx.post(f"http://127.0.0.1:{port}/api/heroes/", content=HERO, headers=SENT)
            assert answer.status_code == 413


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("webapp", "it must be package.module:name"),
        (":admin", "it must be package.module:name"),
        ("../webapp:admin", "it must be package.module:name"),
        ("webapp.shop:admin", "there is no module webapp.shop"),
        ("webapp.app:nobody", "webapp.app has no Admin of that name"),
        ("webapp.app:heroes", "webapp.app has no Admin of that name"),
    ],
)
def test_a_name_of_no_admin_is_one_sentence(name: str, reason: str) -> None:
    done = run("--app", name, "doctor")
    sentence = f"“{name}” names no Admin: {reason}.\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", sentence)


def test_a_start_with_sample_data_fills_an_empty_database_once(
    empty_sqlite_url: str, tmp_path: Path
) -> None:
    for _ in range(2):
        with serving(empty_sqlite_url, tmp_path, "--sample") as (_, port):
            assert len(read_json(port, "/api/heroes/?skip=4999&limit=10")) == 1
            assert len(read_json(port, "/api/teams/")) == 20


async def test_a_start_with_sample_data_leaves_other_data_alone(
    sqlite_url: str, tmp_path: Path
) -> None:
    database = connect(Settings(database_url=sqlite_url))
    async with database.session(is_read_only=False) as session:
        await a_team(session)
    await database.close()
    with serving(sqlite_url, tmp_path, "--sample") as (_, port):
        assert read_json(port, "/api/heroes/") == []
        assert len(read_json(port, "/api/teams/")) == 1


def test_a_port_in_use_is_named(sqlite_url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        said = refusal_of("serve", f"--port={port}", url=sqlite_url)
    assert (
        said == f"Port {port} of 127.0.0.1 is in use: stop what uses it, or choose another --port."
    )


@pytest.mark.parametrize("host", ["192.0.2.1", "no such host", "a..b"])
def test_a_host_that_is_not_of_this_machine_is_named(sqlite_url: str, host: str) -> None:
    environment = {"WEBAPP_SECRET_KEY": "x" * 32}
    said = refusal_of("serve", "--host", host, "--port=0", url=sqlite_url, environment=environment)
    assert host in said


# migrate


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
    said = refusal_of("migrate", url=url)
    assert said.startswith("The database has a table “team” of another program")


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


# doctor


async def test_the_doctor_says_what_is_missing_and_makes_it_when_told_to(
    database_url: str, session: AsyncSession
) -> None:
    assert (await asyncio.to_thread(run, "doctor", url=database_url)).stdout == (
        "All indexes are in place.\n"
    )
    await session.execute(text("DROP INDEX list_hero_age"))
    await session.commit()
    done = await asyncio.to_thread(run, "doctor", url=database_url)
    said = "No index for sorting hero by age."
    assert done.returncode == 1
    assert done.stdout == f"{said}\nRun `python -m webapp doctor --fix` to fix this.\n"
    done = await asyncio.to_thread(run, "doctor", "--fix", url=database_url)
    assert (done.returncode, done.stdout) == (0, f"{said} Fixed.\n")
    assert (await asyncio.to_thread(run, "doctor", url=database_url)).returncode == 0


# sample


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


# revision


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


# What all commands do


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"WEBAPP_PORT": "http"}, "WEBAPP_PORT must be a port from 0 to 65535"),
        ({"WEBAPP_DATABASE_URL": "mysql://u:geheim@h/d"}, "WEBAPP_DATABASE_URL must be"),
        ({"WEBAPP_DATABSE_URL": "x"}, "did you mean WEBAPP_DATABASE_URL?"),
        (
            {"WEBAPP_DATABASE_READ_URL": "postgresql://u:geheim@h/d"},
            "WEBAPP_DATABASE_READ_URL names a replica of a PostgreSQL server",
        ),
        (
            {"WEBAPP_DATABASE_URL": "postgresql://h/d", "WEBAPP_DATABASE_READ_URL": "geheim"},
            "WEBAPP_DATABASE_READ_URL must be postgresql+asyncpg://… of a replica, or nothing.",
        ),
        ({"WEBAPP_DATABASE_POOLER": "session"}, "WEBAPP_DATABASE_POOLER must be none, or"),
        ({"WEBAPP_AUTH": "no"}, "WEBAPP_AUTH must be on or off, not “no”."),
        ({"WEBAPP_AUTH": "off", "WEBAPP_HOST": "0.0.0.0"}, "WEBAPP_AUTH=off turns off sign-in"),
        ({"WEBAPP_HOST": "0.0.0.0", "WEBAPP_SECRET_KEY": "geheim"}, "WEBAPP_SECRET_KEY must be"),
        ({"WEBAPP_HOST": "::"}, "at least 32 characters to listen on ::"),
    ],
)
def test_a_wrong_setting_is_named(environment: Mapping[str, str], said: str) -> None:
    sentence = refusal_of("serve", environment=environment)
    assert said in sentence
    assert "geheim" not in sentence


@pytest.mark.parametrize("command", [("migrate",), ("sample",), ("revision", "More")])
def test_a_wrong_setting_stops_every_command(command: tuple[str, ...]) -> None:
    refusal_of(*command, environment={"WEBAPP_WORKERS": "none"})


@pytest.mark.parametrize(
    "arguments",
    [
        ("serve", "--prot=8000"),
        ("serve", "--port=65536"),
        ("serve", "--workers=0"),
        ("serve", "--host="),
        ("serve", "again"),
        ("revision",),
        ("sevre",),
    ],
    ids=" ".join,
)
def test_a_wrong_option_is_refused_in_one_sentence(
    sqlite_url: str, arguments: tuple[str, ...]
) -> None:
    refusal_of(*arguments, url=sqlite_url)


@pytest.mark.parametrize("command", [("serve", "--port=0"), ("migrate",), ("sample",)])
def test_a_server_out_of_reach_is_named_without_its_password(command: tuple[str, ...]) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        said = refusal_of(*command, url=f"postgresql://me:geheim@127.0.0.1:{port}/heroes")
    assert f"127.0.0.1:{port}/heroes" in said
    assert "geheim" not in said


def test_a_database_that_does_not_exist_is_named(postgres: PostgresServer) -> None:
    said = refusal_of("serve", "--port=0", url=postgres.url("nowhere"))
    assert 'database "nowhere" does not exist' in said


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("Buy milk. " * 1000)
    said = refusal_of("serve", "--port=0", url=f"sqlite:///{tmp_path}/notes.txt")
    assert "notes.txt" in said
    assert "file is not a database" in said
    assert (tmp_path / "notes.txt").read_text().startswith("Buy milk. ")


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    said = refusal_of("serve", "--port=0", url=f"sqlite:///{tmp_path}")
    assert "unable to open database file" in said


async def test_a_role_without_rights_is_told_which(
    postgres: PostgresServer, empty_postgres_url: str
) -> None:
    async with postgres.connected("hero_admin_empty") as connection:
        await connection.execute("DROP ROLE IF EXISTS intern")
        await connection.execute("CREATE ROLE intern LOGIN")
    url = empty_postgres_url.replace("postgres@", "intern@")
    said = await asyncio.to_thread(refusal_of, "migrate", url=url)
    assert "permission denied for schema public" in said


def test_help_lists_the_commands() -> None:
    done = run("--help")
    assert done.returncode == 0
    for command in ("serve", "migrate", "sample", "revision", "user"):
        assert re.search(rf"^  {command}  ", done.stdout, re.MULTILINE)


def run(
    *arguments: str,
    url: str | None = None,
    environment: Mapping[str, str] | None = None,
    project: Path = PROJECT,
    typed: str = "",
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    settings = {"WEBAPP_DATABASE_URL": url} if url else {}
    environment = os.environ | settings | dict(environment or {})
    if project == PROJECT:
        return run_forked(arguments, environment, typed)
    return subprocess.run(
        [*WEBAPP, *arguments],
        check=False,
        cwd=project,
        env=environment,
        input=typed,
        capture_output=True,
        text=True,
        timeout=END_SECONDS,
    )


def refusal_of(
    *arguments: str, url: str | None = None, environment: Mapping[str, str] | None = None
) -> str:
    """What a command says that must refuse: one line, no traceback, exit code 2."""
    done = run(*arguments, url=url, environment=environment)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    (sentence,) = done.stderr.splitlines()
    return sentence


@contextmanager
def serving(
    url: str, folder: Path, *options: str, environment: Mapping[str, str] | None = None
) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A server on a free port from the moment it prints its address; its stderr in `folder`."""
    with (
        (folder / "stderr").open("w") as errors,
        subprocess.Popen(
            [*WEBAPP, "serve", "--port=0", *options],
            cwd=PROJECT,
            env=os.environ
            | PATIENT
            | {"WEBAPP_AUTH": "off", "WEBAPP_DATABASE_URL": url}
            | dict(environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
            preexec_fn=heed_interrupts,  # noqa: PLW1509 - it takes no lock
        ) as process,
    ):
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            printed = re.fullmatch(
                r"Hero Admin is running at http://127\.0\.0\.1:(\d+) \(press Ctrl\+C to stop\)\n",
                line,
            )
            assert printed, line + (folder / "stderr").read_text()
            yield process, int(printed[1])
        finally:
            stop(process)


@contextmanager
def half_sent_hero(port: int) -> Iterator[socket.socket]:
    """A connection on which the first ten bytes of HERO are sent, and more are asked for."""
    with socket.create_connection(("127.0.0.1", port), timeout=END_SECONDS) as connection:
        connection.sendall(
            b"POST /api/heroes/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Sec-Fetch-Site: same-origin\r\nExpect: 100-continue\r\n"
            b"Content-Length: %d\r\n\r\n" % len(HERO)
        )
        connection.sendall(HERO[:10])
        # The application has begun, and waits for the body.
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        yield connection


def is_running(pid: int) -> bool:
    """Whether there is such a process, and it has not ended."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def is_listening(pid: int, port: int) -> bool:
    """Whether a process has a socket that takes connections on a port of 127.0.0.1."""
    sockets = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    # By its number, for an address and a state in hexadecimal digits.
    numbers = {line[9] for line in sockets if line[1].endswith(f":{port:04X}") and line[3] == "0A"}
    try:
        files = [file.readlink().name for file in Path(f"/proc/{pid}/fd").iterdir()]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return not numbers.isdisjoint(file[8:-1] for file in files if file.startswith("socket:["))


def stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        # Its workers too.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def heed_interrupts() -> None:
    """Run in a new process: a shell lets what it runs in the background ignore Ctrl+C."""
    end_with_parent()
    signal.signal(signal.SIGINT, signal.default_int_handler)


def read_json(port: int, path: str) -> list[object]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=END_SECONDS) as response:
        answer: list[object] = json.load(response)
        return answer


@contextmanager
def opened(url: str) -> Iterator[sqlite3.Connection]:
    """A SQLite database past the application; what is done is committed."""
    connection = sqlite3.connect(url.removeprefix("sqlite+aiosqlite:///"))
    with connection:
        yield connection
    connection.close()


def names_in(url: str) -> list[str]:
    with opened(url) as connection:
        return [name for (name,) in connection.execute("SELECT name FROM hero ORDER BY id")]


def a_copy_of_the_project(folder: Path) -> Path:
    project = folder / "project"
    for name in ("hero_admin", "webapp", "templates", "static"):
        shutil.copytree(
            PROJECT / name, project / name, ignore=shutil.ignore_patterns("__pycache__")
        )
    return project


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + END_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
