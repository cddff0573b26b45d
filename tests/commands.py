"""Commands as operators run them: processes of their own, and what they print and leave."""

import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.forking import run_forked
from tests.server import PATIENT, PROJECT, WEBAPP, end_with_parent

END_SECONDS = 60.0
HERO = b'{"name": "Slow Motion", "secret_name": "Ada Lagg"}'


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
