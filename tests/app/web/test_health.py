"""Health checks: the process is up; the database answers."""

from pathlib import Path

import pytest

from hero_admin.settings import Settings
from hero_admin.testing import Client
from tests.server import free_port
from tests.serving import serving
from tests.statements import Statements
from webapp.app import admin


@pytest.fixture(params=["sqlite", "postgresql"])
def broken_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database that does not answer."""
    if request.param == "sqlite":
        # A folder is no file.
        return f"sqlite+aiosqlite:///{tmp_path}"
    return f"postgresql+asyncpg://nobody@127.0.0.1:{free_port()}/nothing"


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_a_server_whose_database_answers_is_well(client: Client, path: str) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.text) == (200, "ok\n")
    head = await client.head(path)
    assert (head.status_code, head.content) == (200, b"")


async def test_only_readiness_asks_the_database(client: Client, statements: Statements) -> None:
    with statements() as executed:
        await client.get("/healthz")
    assert executed == []
    with statements() as executed:
        await client.get("/readyz")
    assert len(executed) == 1


async def test_a_server_without_its_database_is_up_but_not_ready(broken_url: str) -> None:
    async with serving(admin.application(Settings(database_url=broken_url))) as client:
        assert (await client.get("/healthz")).status_code == 200
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_a_health_check_can_only_be_read(client: Client, path: str) -> None:
    answer = await client.post(path)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
