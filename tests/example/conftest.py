"""The record shop on both databases, filled, fresh for every test."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from hero_admin.cli.main import commands
from hero_admin.testing import AdminClient, Client, client_of, client_on
from tests.example.shops import PASSWORD, Shop, shop_on, upgrade
from tests.postgres import PostgresServer

TEMPLATE = "record_shop_template"
WORKING_COPY = "record_shop"


@pytest.fixture(scope="session")
def sqlite_shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the tables of the shop and its data."""
    path = tmp_path_factory.mktemp("shop") / "record_shop.db"
    _make(f"sqlite+aiosqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_shop(postgres: PostgresServer) -> str:
    """The same as a database of the PostgreSQL server."""
    asyncio.run(postgres.create_database(TEMPLATE))
    _make(postgres.url(TEMPLATE))
    return TEMPLATE


@pytest.fixture(params=["sqlite", "postgresql"])
def shop_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a copy for one test."""
    if request.param == "sqlite":
        path = shutil.copy(request.getfixturevalue("sqlite_shop"), tmp_path / "record_shop.db")
        return f"sqlite+aiosqlite:///{path}"
    server: PostgresServer = request.getfixturevalue("postgres")
    template: str = request.getfixturevalue("postgres_shop")

    async def copy() -> None:
        await server.drop_database(WORKING_COPY)
        await server.create_database(WORKING_COPY, template=template)

    asyncio.run(copy())
    return server.url(WORKING_COPY)


@pytest.fixture
def shop(shop_url: str) -> Iterator[Shop]:
    with shop_on(shop_url) as shop:
        yield shop


@pytest.fixture
async def visitor(shop: Shop) -> AsyncIterator[Client]:
    """A client of the shop who is not signed in."""
    async with client_of(shop.app) as client:
        yield client
    await shop.close()


@pytest.fixture
async def admin(visitor: Client) -> Client:
    """The same client, signed in as the owner."""
    form = (await visitor.get("/login")).form(press="Sign in")
    await visitor.submit(form, email="ada@shop.example", password=PASSWORD)
    return visitor


@pytest.fixture
async def staff(shop: Shop) -> AsyncIterator[AdminClient]:
    """Somebody at its admin, signed in as the owner by the sign-in of the shop."""
    async with client_on(shop.admin, shop.url, app=shop.app, start=shop.start) as client:
        form = (await client.browser.get("/login")).form(press="Sign in")
        await client.browser.submit(form, email="ada@shop.example", password=PASSWORD)
        yield client
    await shop.close()


def _make(url: str) -> None:
    async def fill(shop: Shop) -> None:
        await shop.fill()
        await shop.engine.dispose()

    with shop_on(url) as shop:
        upgrade()
        asyncio.run(fill(shop))
        done = CliRunner().invoke(commands, ["migrate"], obj=shop.admin)
        assert done.exit_code == 0, done.output
