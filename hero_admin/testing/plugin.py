"""The fixtures of the test kit, and the options of pytest that they read."""

from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio

from hero_admin.admin import Admin
from hero_admin.cli.loading import LoadError, load_admin
from hero_admin.testing.admin_client import AdminClient, client_on
from hero_admin.testing.databases import SQLITE, MadeDatabases, MakeTables
from hero_admin.testing.tables import make_tables

NO_ADMIN = (
    'Which Admin is tested? Name it in the settings of pytest, admin = "package.module:name", or'
    " with --admin, or override the fixture admin_app."
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the kit."""
    group = parser.getgroup("hero_admin")
    name = "the Admin that is tested, as package.module:name"
    group.addoption("--admin", metavar="MODULE:NAME", help=name)
    parser.addini("admin", name, default="")
    group.addoption(
        "--admin-database",
        action="append",
        metavar="ADDRESS",
        help="sqlite, which is the default, or postgresql://USER@HOST/NAME: tests make and empty a"
        " database test_NAME beside it; given more than once, each test runs on each",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test once on each of several databases."""
    addresses: list[str] = metafunc.config.getoption("--admin-database") or []
    if len(addresses) > 1 and "admin_database" in metafunc.fixturenames:
        names = [address.partition(":")[0].partition("+")[0] for address in addresses]
        metafunc.parametrize("admin_database", addresses, ids=names, indirect=True)


@pytest.fixture
def admin_app(request: pytest.FixtureRequest) -> Admin:
    """The Admin that is tested: override it where the settings cannot name it."""
    name = request.config.getoption("--admin") or request.config.getini("admin")
    if not name:
        raise pytest.UsageError(NO_ADMIN)
    try:
        return load_admin(name)
    except LoadError as error:
        raise pytest.UsageError(str(error)) from None


@pytest.fixture
def admin_tables(admin_app: Admin) -> MakeTables:
    """A function that makes the tables in an empty database, whose address it gets.

    By default these are the tables of the models, or those that the application's own `migrations`
    make, and those of the library. Override it to run migrations of another kind, or to fill the
    database with what every test finds in it. It is called once for all tests of an Admin; unless
    it is a coroutine function, while there is no event loop.
    """
    return partial(make_tables, admin_app)


@pytest.fixture(scope="session")
def made_databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MadeDatabases]:
    """The databases that were made for tests, which are gone in the end."""
    made = MadeDatabases(tmp_path_factory.mktemp("admin"))
    yield made
    made.drop()


@pytest.fixture
def admin_database(
    request: pytest.FixtureRequest,
    admin_app: Admin,
    admin_tables: MakeTables,
    made_databases: MadeDatabases,
    tmp_path: Path,
) -> str:
    """The address of a database for one test, which holds what `admin_tables` makes."""
    given = request.config.getoption("--admin-database") or [SQLITE]
    address = getattr(request, "param", given[0])
    return made_databases.copy(address, admin_app, admin_tables, tmp_path)


@pytest_asyncio.fixture
async def admin(admin_app: Admin, admin_database: str) -> AsyncIterator[AdminClient]:
    """A client of the Admin on a clean database, whom nobody has signed in yet."""
    async with client_on(admin_app, admin_database) as client:
        yield client
