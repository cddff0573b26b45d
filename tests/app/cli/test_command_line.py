"""What all commands do: settings, options and databases out of reach are named in one sentence."""

import asyncio
import re
import socket
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.commands import refusal_of, run
from tests.postgres import PostgresServer


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


async def test_a_role_without_rights_is_reported_by_name(
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
    for command in ("serve", "worker", "migrate", "sample", "revision", "user"):
        assert re.search(rf"^  {command}  ", done.stdout, re.MULTILINE)
