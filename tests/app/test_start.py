"""The start: what takes long and is not needed for a page is left for later."""

import asyncio
import subprocess
import sys
from unittest.mock import Mock

import httpx
import pytest
from fastapi import FastAPI

from hero_admin.api import application, later
from hero_admin.model.site import Site
from hero_admin.person import Role
from hero_admin.settings import Settings
from tests.server import PROJECT
from tests.serving import serving
from webapp.app import admin

START = """
import sys
from hero_admin.settings import Settings
from webapp.app import admin

admin.application(Settings())
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
    async with serving(admin.application(settings), role=Role.VIEWER) as client:
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
    async with serving(admin.application(settings)), asyncio.timeout(60):
        await is_made.wait()


async def test_an_api_that_cannot_be_made_leaves_the_pages_alone(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: object) -> None:
        raise TypeError("no schema for that")

    monkeypatch.setattr(application, "create_api", fail)
    monkeypatch.setattr(later, "PREPARE_SECONDS", 0)
    async with serving(admin.application(settings), role=Role.VIEWER) as client:
        answer: httpx.Response = await client.get("/api/heroes/")
        assert answer.status_code == 500
        assert list(answer.json()) == ["detail"]
        assert (await client.get("/heroes")).status_code == 200
    assert "The API cannot be made" in caplog.text
