"""A model of one's own, as README.md says it: its very commands, on a database never migrated."""

import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from hero_admin.testing import Page
from tests.server import PROJECT

END_SECONDS = 60.0
CHAPTER = (PROJECT / "README.md").read_text("utf-8").partition("## Your own model")[2]
CHAPTER = CHAPTER.partition("\n## ")[0]


def blocks(language: str) -> list[str]:
    """The blocks of code in the chapter."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^\1```", CHAPTER, re.MULTILINE | re.DOTALL)
    return [textwrap.dedent(block) for _, block in found]


MODEL, APPLICATION, RESOURCE = blocks("python")
COMMANDS = blocks("sh")[0].splitlines()
MAKE_RUN = "make run"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A fresh copy of the project, with the model of the README."""
    copy = tmp_path / "project"
    for name in ("hero_admin", "webapp", "templates", "static"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(PROJECT / name, copy / name, ignore=ignored)
    for name in ("Makefile", "requirements.txt"):
        shutil.copy(PROJECT / name, copy / name)
    (copy / ".venv").symlink_to(sys.prefix)
    (copy / "webapp" / "villains.py").write_text(MODEL)
    (copy / "webapp" / "app.py").write_text(APPLICATION)
    return copy


def run(project: Path, command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", command],
        check=False,
        cwd=project,
        env=os.environ | {"WEBAPP_PORT": "0", "WEBAPP_AUTH": "off"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=END_SECONDS,
    )


@contextmanager
def running(project: Path, command: str) -> Iterator[httpx.Client]:
    """A client of the server that a command starts."""
    # Its dependencies are those of the tests.
    command = command.replace(MAKE_RUN, "make --old-file=.venv/ready-to-run run")
    with subprocess.Popen(
        ["sh", "-c", command],
        cwd=project,
        env=os.environ | {"WEBAPP_PORT": "0", "WEBAPP_AUTH": "off"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        try:
            printed = ""
            for line in process.stdout:
                printed += line
                if found := re.search(r"running at (http://\S+) ", line):
                    break
            else:
                pytest.fail(printed)
            with httpx.Client(base_url=found[1], timeout=END_SECONDS) as client:
                yield client
        finally:
            os.killpg(process.pid, signal.SIGTERM)


def test_the_commands_of_the_readme_give_the_pages_of_its_model(project: Path) -> None:
    assert COMMANDS[-1] == MAKE_RUN
    for command in COMMANDS[:-1]:
        done = run(project, command)
        assert done.returncode == 0, done.stderr
    with running(project, COMMANDS[-1]) as client:
        made = client.post(
            "/api/villains/",
            json={"name": "Zoë Doom", "nemesis_id": 1},
            headers={"Sec-Fetch-Site": "same-origin"},
        )
        assert made.status_code == 201
        assert Page(client.get("/villains")).column("Name") == ["Zoë Doom"]
        assert [each["name"] for each in client.get("/api/villains/").json()] == ["Zoë Doom"]
        assert Page(client.get("/teams/1/villains")).column("Name") == ["Zoë Doom"]
    # Then what the README says of other defaults.
    (project / "webapp" / "villains.py").write_text(f"{MODEL}\n\n{RESOURCE}")
    named = APPLICATION.replace("Resource(Villain)", "villains").replace("Villain\n", "villains\n")
    (project / "webapp" / "app.py").write_text(named)
    with running(project, COMMANDS[-1]) as client:
        assert Page(client.get("/evil?q=zoe")).column("Name") == ["Zoë Doom"]


def test_whatever_is_run_first_works_or_says_what_to_run(project: Path) -> None:
    python = ".venv/bin/python -m webapp"
    first = run(project, f"{python} serve --sample")
    missing = "There is no table “villain” in the database:"
    sentence = f'{missing} run `python -m webapp revision "add villain"` first.\n'
    assert (first.returncode, first.stderr) == (2, sentence)
    # The search of a table that is there changes while the new one is not there yet.
    teams = project / "webapp" / "teams.py"
    searched = "search=(Team.name, Team.headquarters)"
    teams.write_text(teams.read_text().replace(searched, "search=(Team.name,)"))
    for command in ("migrate", "revision villains", "migrate", "doctor"):
        done = run(project, f"{python} {command}")
        assert (done.returncode, done.stderr) == (0, ""), command
    # And a mistake in a resource is a sentence.
    file = project / "webapp" / "app.py"
    file.write_text(APPLICATION.replace("Resource(Villain)", 'Resource(Villain, sort="threatt")'))
    done = run(project, f"{python} serve")
    assert (done.returncode, done.stderr) == (
        2,
        "Resource(Villain): sort='threatt' is not a column of the model; did you mean 'threat'?\n",
    )
