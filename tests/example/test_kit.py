"""The test kit as an application uses it: the tests of the record shop, on both databases."""

import asyncio
import importlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator

import pytest

from hero_admin.testing.databases import UnsafeDatabaseError, create_database, drop_database
from tests.postgres import PostgresServer
from tests.server import PROJECT

NAME = "shop_of_somebody"
TESTS = "examples/record_shop/tests"


@pytest.fixture
async def address(postgres: PostgresServer) -> AsyncIterator[str]:
    """The address of a database that is nobody's to empty."""
    await postgres.create_database(NAME)
    yield postgres.url(NAME)
    await postgres.drop_database(NAME)


async def run(*arguments: str) -> str:
    """Run the tests of the shop as its developers do; what pytest prints."""
    environment = os.environ | {"PYTHONPATH": f"{PROJECT}{os.pathsep}{PROJECT / 'examples'}"}
    # The tests around this one may have workers.
    environment = {name: value for name, value in environment.items() if "PYTEST" not in name}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "pytest", "-q", "-p", "no:cacheprovider", TESTS, *arguments),
        cwd=PROJECT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    printed, _ = await process.communicate()
    return printed.decode()


async def names_of(postgres: PostgresServer) -> list[str]:
    async with postgres.connected() as connection:
        return [row["datname"] for row in await connection.fetch("SELECT datname FROM pg_database")]


async def test_the_tests_of_the_example_run_on_both_databases(
    postgres: PostgresServer, address: str
) -> None:
    before = await names_of(postgres)
    databases = ("--admin-database=sqlite", f"--admin-database={address}")
    printed = await run("--admin=record_shop.admin:admin", *databases)
    assert "6 passed" in printed, printed
    assert await names_of(postgres) == before


async def test_no_database_is_dropped_but_those_of_tests(address: str) -> None:
    made = f"{NAME}_made"
    await create_database(address, made)
    await drop_database(address, made)
    await drop_database(address, made)
    with pytest.raises(UnsafeDatabaseError, match=f"“{NAME}” was not made by tests"):
        await drop_database(address, NAME)


def test_an_admin_that_nobody_names_is_asked_for(pytester: pytest.Pytester) -> None:
    settings = "[pytest]\nasyncio_default_fixture_loop_scope = function\n"
    pytester.makeini(settings)
    pytester.makepyfile("def test_it(admin_app): ...")
    pytester.makeconftest('pytest_plugins = ["hero_admin.testing"]')
    asked = ["*Which Admin is tested? Name it in the settings*"]
    pytester.runpytest_inprocess().stdout.fnmatch_lines(asked)
    pytester.makeini(f"{settings}admin = nowhere:admin")
    unknown = ["*“nowhere:admin” names no Admin: there is no module*"]
    pytester.runpytest_inprocess().stdout.fnmatch_lines(unknown)
    pytester.runpytest_inprocess("--admin=webapp.app:admin").assert_outcomes(passed=1)


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bs4", None)
    monkeypatch.delitem(sys.modules, "hero_admin.testing")
    with pytest.raises(
        ModuleNotFoundError, match=r"needs bs4: pip install 'hero-admin\[testing\]'"
    ):
        importlib.import_module("hero_admin.testing")
