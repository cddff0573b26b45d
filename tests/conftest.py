"""Fixtures for all tests: two databases, fresh for every test, and the application on them."""

import asyncio
import gc
import math
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from copy import copy
from functools import partial
from pathlib import Path
from types import CodeType

import httpx
import hypothesis
import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI
from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.applications import Starlette
from starlette.datastructures import State

from hero_admin import application
from hero_admin.accounts import passwords
from hero_admin.accounts.auth import limits_for
from hero_admin.api.application import create_api
from hero_admin.cli.index_check import fix_indexes
from hero_admin.database.engines import Database
from hero_admin.listing.search.connect import connect
from hero_admin.migrations import migrate
from hero_admin.model.site import Site
from hero_admin.person import Role
from hero_admin.settings import PREFIX, Settings
from hero_admin.testing import Client
from hero_admin.testing.databases import PostgresTemplate, make_template
from hero_admin.web import templating
from tests.postgres import PostgresServer, postgres_server
from tests.serving import client_of, serving
from tests.signing_in import sign_in_by
from tests.statements import Statements, all_statements
from tests.stored import Stored
from webapp.app import admin

pytest_plugins = ["hero_admin.testing", "pytester"]

# The same examples in every run, however slow the machine is at that moment.
hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None)
hypothesis.settings.load_profile("repeatable")

TEMPLATE = "hero_admin_template"
# A file system in memory, where Linux has one, and what has to be free in it.
MEMORY = Path("/dev/shm")
MEMORY_BYTES = 2 * 1024**3


def pytest_configure() -> None:
    """Keep what a test writes in memory: on a disk each commit to SQLite waits for the disk.

    There PostgreSQL too empties its tables in a third of the time, as each is several files.
    And look for garbage seldom: every parsed page is some, and what is imported stays.
    """
    gc.set_threshold(20_000, 20, 50)
    if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > MEMORY_BYTES:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


def pytest_collection_finish() -> None:
    """Never look for garbage in what was imported: that took a sixth of the time."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Half as many again as there are cores: tests also wait, for servers and for browsers."""
    return math.ceil((os.cpu_count() or 1) * 1.5)


@pytest.fixture(scope="session", autouse=True)
def no_settings_of_the_developer() -> Iterator[None]:
    """The tests say themselves what is set."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(PREFIX)]:
            patch.delenv(name)
        yield


@pytest.fixture(scope="session", autouse=True)
def templates_compiled_once() -> Iterator[None]:
    """Each test builds an application of its own; compiling its templates took half the time."""
    with pytest.MonkeyPatch.context() as patch:
        remembering = partial(Environment, bytecode_cache=_Compiled())
        patch.setattr(templating, "Environment", remembering)
        yield


@pytest.fixture(scope="session", autouse=True)
def apis_made_once() -> Iterator[None]:
    """FastAPI looks at each route for long; that of the same resources is the same in each test."""
    made: dict[tuple[object, ...], FastAPI] = {}

    def remembering(site: Site, title: str, *, has_accounts: bool) -> FastAPI:
        key = (*site.resources, title, has_accounts, site.has_history)
        if key not in made:
            made[key] = create_api(site, title, has_accounts=has_accounts)
        api = copy(made[key])
        # Of its own is what belongs to the application: its site, its settings and what it started.
        api.state, api.middleware_stack = State({"site": site}), None
        return api

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(application, "create_api", remembering)
        yield


@pytest.fixture(scope="session", autouse=True)
def passwords_hashed_quickly() -> Iterator[None]:
    """What guards nothing takes no time; the hasher itself has its tests."""
    with pytest.MonkeyPatch.context() as patch:
        quick = partial(PasswordHasher, time_cost=1, memory_cost=16, parallelism=1)
        patch.setattr(passwords, "PasswordHasher", quick)
        yield


# The databases. Migrating takes a hundred times as long as a copy, so it is done once.


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A running PostgreSQL server; who stops or freezes it starts it again."""
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the tables and nothing in them."""
    path = tmp_path_factory.mktemp("template") / "heroes.db"
    asyncio.run(_migrate(f"sqlite+aiosqlite:///{path}"))
    assert not path.with_name("heroes.db-wal").exists(), "the template is not all in one file"
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres: PostgresServer) -> PostgresTemplate:
    """A database that has nothing in its tables."""
    return make_template(postgres.url("postgres"), TEMPLATE, _migrate)


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The address of a SQLite database of this test's own."""
    path = shutil.copy(sqlite_template, tmp_path / "heroes.db")
    return f"sqlite+aiosqlite:///{path}"


@pytest.fixture
def postgres_url(postgres_template: PostgresTemplate) -> str:
    """The address of a PostgreSQL database of this test's own."""
    return asyncio.run(postgres_template.copy())


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The address of a fresh database: the test runs twice, once on each kind."""
    fixture = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    url: str = request.getfixturevalue(fixture)
    return url


# The application.


@pytest.fixture
def settings(database_url: str) -> Settings:
    # A slow machine is no busy database; the tests of that have settings of their own.
    return Settings(database_url=database_url, request_timeout_seconds=60)


@pytest.fixture
def app(settings: Settings) -> Starlette:
    return admin.application(settings)


@pytest.fixture
async def client(app: Starlette, session: AsyncSession) -> AsyncIterator[Client]:
    """A client of the app, signed in as an owner.

    It keeps cookies, follows no redirect and lets no error pass.
    """

    async def check_session(_: httpx.Request) -> None:
        # On SQLite the app would wait for the test's transaction until it gives up.
        assert not session.in_transaction(), "commit the test's session before asking the app"

    async with serving(app, role=Role.OWNER) as client:
        client.http.event_hooks = {"request": [check_session]}
        yield client


@pytest.fixture
async def editor(
    app: Starlette, client: Client, settings: Settings, database: Database
) -> AsyncIterator[Client]:
    """A client of the same app, signed in as an editor."""
    async with client_of(app) as other:
        await sign_in_by(database, other, Role.EDITOR, limits_for(settings))
        yield other


@pytest.fixture
async def viewer(
    app: Starlette, client: Client, settings: Settings, database: Database
) -> AsyncIterator[Client]:
    """A client of the same app, signed in as a viewer."""
    async with client_of(app) as other:
        await sign_in_by(database, other, Role.VIEWER, limits_for(settings))
        yield other


@pytest.fixture
async def anonymous(app: Starlette, client: Client) -> AsyncIterator[Client]:
    """A client of the same app that is not signed in."""
    async with client_of(app) as other:
        yield other


@pytest.fixture
def statements() -> Statements:
    """`with statements() as executed:` lists the SQL statements that the app executes inside."""
    return all_statements


# The database past the application.


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    """The test's own connections, beside those of the app."""
    database = connect(settings)
    yield database
    await database.close()


@pytest.fixture
async def session(database: Database) -> AsyncIterator[AsyncSession]:
    """A writing session to arrange data with; the factories commit."""
    async with database.session(is_read_only=False) as session:
        yield session


@pytest.fixture
def stored(database: Database) -> Stored:
    """What the database holds now."""
    return Stored(database)


class _Compiled(BytecodeCache):
    """The compiled templates, in memory; they hold URLs, which begin with a prefix."""

    def __init__(self) -> None:
        self._compiled: dict[tuple[object, str, str], CodeType | None] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._compiled.get(_compiled_key(bucket))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._compiled[_compiled_key(bucket)] = bucket.code


def _compiled_key(bucket: Bucket) -> tuple[object, str, str]:
    # The key of a bucket tells the name and its checksum the source.
    return bucket.environment.globals["prefix"], bucket.key, bucket.checksum


async def _migrate(url: str) -> None:
    database = connect(Settings(database_url=url))
    try:
        await migrate(database, admin.chain)
        await fix_indexes(database, admin.resources)
    finally:
        await database.close()
