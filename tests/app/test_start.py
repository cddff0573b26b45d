"""The start: what takes long and is not needed for a page is left for later."""

import asyncio
import errno
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest.mock import Mock

import httpx
import pytest
from fastapi import FastAPI
from jinja2 import Environment

from tests.server import PROJECT
from tests.serving import serving
from webapp.admin.site import Site
from webapp.api import application, later
from webapp.app import create_app
from webapp.identity import Role
from webapp.settings import Settings

START = """
import sys
import webapp.cli
from webapp.app import create_app
from webapp.settings import Settings

create_app(Settings())
print(*{"fastapi", "alembic"} & set(sys.modules))
"""


def test_a_start_waits_for_neither_fastapi_nor_alembic() -> None:
    done = subprocess.run(
        [sys.executable, "-c", START], check=True, cwd=PROJECT, capture_output=True, text=True
    )
    assert done.stdout.split() == []


async def test_the_api_is_made_once_for_all_who_ask_meanwhile(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Mock(wraps=application.create_api)
    monkeypatch.setattr(application, "create_api", made)
    async with serving(create_app(settings), role=Role.VIEWER) as client:
        urls = ["/api/heroes/", "/api/openapi.json", "/api/docs", "/api/teams/"]
        answers = await asyncio.gather(*(client.get(url) for url in urls))
    assert [answer.status_code for answer in answers] == [200] * 4
    assert made.call_count == 1


async def test_the_api_is_there_without_being_asked_for(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_made = asyncio.Event()
    loop, create_api = asyncio.get_running_loop(), application.create_api

    def create(site: Site) -> FastAPI:
        loop.call_soon_threadsafe(is_made.set)
        return create_api(site)

    monkeypatch.setattr(application, "create_api", create)
    monkeypatch.setattr(later, "PREPARE_SECONDS", 0)
    async with serving(create_app(settings)), asyncio.timeout(60):
        await is_made.wait()


async def test_an_api_that_cannot_be_made_leaves_the_pages_alone(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: object) -> None:
        raise TypeError("no schema for that")

    monkeypatch.setattr(application, "create_api", fail)
    monkeypatch.setattr(later, "PREPARE_SECONDS", 0)
    async with serving(create_app(settings), role=Role.VIEWER) as client:
        answer: httpx.Response = await client.get("/api/heroes/")
        assert answer.status_code == 500
        assert list(answer.json()) == ["detail"]
        assert (await client.get("/heroes")).status_code == 200
    assert "The API cannot be made" in caplog.text


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where a start keeps what it has compiled."""
    directory = tmp_path / "temporary"
    directory.mkdir()
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(tempfile, "tempdir", str(directory))
    return directory


def test_templates_are_compiled_once_for_all_starts(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, temporary: Path
) -> None:
    create_app(settings)
    compiling = Mock(side_effect=AssertionError("compiled again"))
    monkeypatch.setattr(Environment, "_compile", compiling)
    create_app(settings)
    (directory,) = temporary.iterdir()
    assert directory.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("is_full", [True, False], ids=["full disk", "somebody else's directory"])
def test_where_they_cannot_be_kept_they_are_compiled_each_time(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, temporary: Path, *, is_full: bool
) -> None:
    if is_full:
        full = Mock(side_effect=OSError(errno.ENOSPC, "No space left on device"))
        monkeypatch.setattr(tempfile, "NamedTemporaryFile", full)
    else:
        (temporary / f"_jinja2-cache-{os.getuid()}").symlink_to(temporary)
    create_app(settings)
    assert [path for path in temporary.rglob("*") if path.is_file()] == []
