"""The walls of the house: which room may import which, and what only some rooms may do."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent.parent
LIBRARY = PROJECT / "hero_admin"
APPLICATIONS = (PROJECT / "webapp", *PROJECT.glob("examples/*/"))
# The rooms of the library, each of which imports only from those after it.
ROOMS = (
    "cli",
    "admin",
    "application",
    "sample",
    "migrations",
    "api",
    "accounts",
    "pages",
    "history",
    "forms",
    "writes",
    "listing",
    "model",
    "audit_log",
    "web",
    "database",
    "person",
    "settings",
)
ALL = "**/*.py"
SEES_REQUESTS = ("pages/*.py", "api/*.py", "accounts/*.py", "web/*.py")
WRITES = ("writes/*.py", "history/*.py", "audit_log/*.py", "accounts/*.py")
WRITING = {"insert", "update", "delete"}
# The rooms that do not know which database it is, but for the modules that are about one.
KNOWS_NO_DIALECT = (
    *("api/*.py", "accounts/*.py", "pages/*.py", "history/*.py", "forms/*.py", "writes/*.py"),
    *("listing/**/*.py", "web/*.py", "admin.py", "application.py", "sample.py", "person.py"),
)
KNOWS_ITS_DIALECT = (
    *("listing/search/sqlite*.py", "listing/search/postgresql.py"),
    *("writes/catalog_sqlite.py", "writes/catalog_postgresql.py"),
)
# Those that have both.
CHOOSES_A_DIALECT = ("listing/search/connect.py", "writes/catalog.py")
A_DIALECT = re.compile("sqlite|postgres|asyncpg|pragma|dialect\\.name", re.IGNORECASE)


def names(paths: Iterator[Path] | list[Path]) -> list[str]:
    return sorted(path.relative_to(PROJECT).as_posix() for path in paths)


def matched(globs: tuple[str, ...]) -> set[str]:
    return {name for glob in globs for name in names(LIBRARY.glob(glob))}


def imports_of(name: str) -> Iterator[tuple[str, str]]:
    """What a file imports: modules, and names from them; not what only its types need."""
    yield from _imports_in(ast.parse((PROJECT / name).read_text("utf-8")))


MODULES = names(LIBRARY.glob(ALL))
each_module = pytest.mark.parametrize("module", MODULES)


@each_module
def test_a_room_imports_only_from_those_below_it(module: str) -> None:
    room = module.split("/")[1].removesuffix(".py")
    if room == "__init__":
        return
    for origin, name in imports_of(module):
        package, _, path = origin.partition(".")
        assert package not in ("webapp", "tests", "benchmarks"), f"the library imports {origin}"
        if package == LIBRARY.name:
            other = (path or name).split(".")[0]
            is_below = ROOMS.index(other) > ROOMS.index(room)
            assert other == room or is_below, f"{room} must not import {origin}"


def test_every_room_has_its_place() -> None:
    found = {path.stem for path in LIBRARY.iterdir() if path.name[0] not in "._"}
    assert found == set(ROOMS)


@each_module
def test_only_what_answers_requests_sees_one(module: str) -> None:
    sees = ("starlette.requests", "Request") in imports_of(module)
    assert not sees or module in matched(SEES_REQUESTS)


@each_module
def test_only_what_keeps_an_audit_log_writes(module: str) -> None:
    writing = {
        name for origin, name in imports_of(module) if origin.split(".")[0] == "sqlalchemy"
    } & WRITING
    assert not writing or module in matched(WRITES), f"{module} imports {writing}"


@pytest.mark.parametrize(
    "module",
    sorted(matched(KNOWS_NO_DIALECT) - matched(KNOWS_ITS_DIALECT) - matched(CHOOSES_A_DIALECT)),
)
def test_only_what_is_about_a_database_knows_which_one_it_is(module: str) -> None:
    # Without comments; docstrings may say why something is as it is.
    tree = ast.parse((PROJECT / module).read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            node.value.value = ""
    found = [line for line in ast.unparse(tree).splitlines() if A_DIALECT.search(line)]
    assert not found, f"{module} names a database"


def test_an_application_imports_only_what_the_library_exports() -> None:
    exported = ast.literal_eval(
        next(
            node.value
            for node in ast.parse((LIBRARY / "__init__.py").read_text()).body
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
        )
    )
    for package in APPLICATIONS:
        for module in names(package.glob(ALL)):
            for origin, name in imports_of(module):
                if origin.split(".")[0] == LIBRARY.name:
                    assert origin == LIBRARY.name, f"{module} imports {origin}"
                    assert name in exported, f"{module} imports {name}, which is not exported"


def _imports_in(tree: ast.AST) -> Iterator[tuple[str, str]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.ImportFrom):
            yield from ((node.module or "", alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        else:
            yield from _imports_in(node)
