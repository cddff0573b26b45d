"""The walls of the house: which room may import which, and what only some rooms may do."""

import ast
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

PROJECT = Path(__file__).parent.parent.parent
LIBRARY = PROJECT / "hero_admin"
APPLICATIONS = (PROJECT / "webapp", *PROJECT.glob("examples/*/"))
# The rooms of the library, each of which imports only from those after it.
ROOMS = (
    "testing",
    "cli",
    "admin",
    "mounted",
    "application",
    "sample",
    "migrations",
    "api",
    "accounts",
    "pages",
    "jobs",
    "history",
    "forms",
    "writes",
    "listing",
    "model",
    "audit_log",
    "web",
    "database",
    "rights",
    "person",
    "settings",
)
ALL = "**/*.py"
SEES_REQUESTS = ("pages/*.py", "api/*.py", "accounts/**/*.py", "web/*.py")
WRITES = ("writes/*.py", "history/*.py", "jobs/*.py", "audit_log/*.py", "accounts/**/*.py")
WRITING = {"insert", "update", "delete"}
# The rooms that do not know which database it is, but for the modules that are about one.
KNOWS_NO_DIALECT = (
    *("api/*.py", "accounts/**/*.py", "pages/*.py", "jobs/*.py", "history/*.py"),
    *("forms/*.py", "writes/*.py"),
    *(
        "listing/**/*.py",
        "web/*.py",
        "admin.py",
        "mounted.py",
        "application.py",
        "sample.py",
        "person.py",
    ),
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


@lru_cache(None)
def imports_of(name: str) -> frozenset[tuple[str, str]]:
    """What a file imports: modules, and names from them; not what only its types need."""
    return frozenset(_imports_in(ast.parse((PROJECT / name).read_text("utf-8"))))


# One test for all modules: for each of hundreds pytest takes longer than the test itself.
MODULES = names(LIBRARY.glob(ALL))


def test_a_room_imports_only_from_those_below_it() -> None:
    wrong = []
    for module in MODULES:
        room = module.split("/")[1].removesuffix(".py")
        for origin, name in imports_of(module) if room != "__init__" else ():
            package, _, path = origin.partition(".")
            is_outside = package in ("webapp", "tests", "benchmarks")
            other = (path or name).split(".")[0]
            is_above = package == LIBRARY.name and ROOMS.index(other) < ROOMS.index(room)
            if is_outside or is_above:
                wrong.append(f"{module} must not import {origin}")
    assert wrong == []


def test_every_room_has_its_place() -> None:
    found = {path.stem for path in LIBRARY.iterdir() if path.name[0] not in "._"}
    assert found == set(ROOMS)


def test_only_what_answers_requests_sees_one() -> None:
    seeing = {each for each in MODULES if ("starlette.requests", "Request") in imports_of(each)}
    assert seeing <= matched(SEES_REQUESTS)


def test_only_what_keeps_an_audit_log_writes() -> None:
    writing = {
        module
        for module in MODULES
        for origin, name in imports_of(module)
        if origin.split(".")[0] == "sqlalchemy" and name in WRITING
    }
    assert writing <= matched(WRITES)


def test_only_what_is_about_a_database_knows_which_one_it_is() -> None:
    found = []
    for module in (
        matched(KNOWS_NO_DIALECT) - matched(KNOWS_ITS_DIALECT) - matched(CHOOSES_A_DIALECT)
    ):
        # Without comments; docstrings may say why something is as it is.
        tree = ast.parse((PROJECT / module).read_text("utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                node.value.value = ""
        lines = ast.unparse(tree).splitlines()
        found += [f"{module}: {line}" for line in lines if A_DIALECT.search(line)]
    assert found == []


def exported_by(package: Path) -> set[str]:
    tree = ast.parse((package / "__init__.py").read_text("utf-8"))
    names: list[str] = ast.literal_eval(
        next(
            node.value
            for node in tree.body
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
        )
    )
    return set(names)


def test_an_application_imports_only_what_the_library_exports() -> None:
    exported = {LIBRARY.name: exported_by(LIBRARY)}
    exported |= {f"{LIBRARY.name}.testing": exported_by(LIBRARY / "testing")}
    for package in APPLICATIONS:
        for module in names(package.glob(ALL)):
            for origin, name in imports_of(module):
                if origin.split(".")[0] == LIBRARY.name:
                    assert origin in exported, f"{module} imports {origin}"
                    assert name in exported[origin], (
                        f"{module} imports {name}, which is not exported"
                    )


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
