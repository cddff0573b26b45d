"""`serve`: how a server starts, what it prints, and how it stops."""

import os
import re
import signal
import socket
import urllib.request
from pathlib import Path

import httpx
import pytest

from hero_admin.listing.search.connect import connect
from hero_admin.settings import Settings
from tests.commands import (
    END_SECONDS,
    HERO,
    half_sent_hero,
    is_listening,
    is_running,
    names_in,
    read_json,
    refusal_of,
    run,
    serving,
    wait_until,
)
from tests.factories import a_team
from tests.postgres import children_of

SENT = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/json"}
each_number_of_workers = pytest.mark.parametrize("workers", [1, 2])


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
