"""Chains: the migrations of an application or of the library, and the revision of a database."""

import ast
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from hero_admin.database.identifiers import shortened
from hero_admin.database.own_tables import PREFIX
from hero_admin.listing.search.trigram_index import index_name
from hero_admin.listing.sort_indexes import sort_indexes
from hero_admin.model.resource import Resource
from hero_admin.model.site import Site

HERE = Path(__file__).parent
VERSION_TABLE = "alembic_version"
# Used where another program has, or may get, the first one.
SECOND_VERSION_TABLE = f"{PREFIX}version"
LIBRARY_VERSION_TABLE = f"{PREFIX}alembic_version"
VERSION_TABLES = {VERSION_TABLE, SECOND_VERSION_TABLE, LIBRARY_VERSION_TABLE}
# The first table of a chain that once created the tables of the library, too.
LEGACY_TABLE = "submission"
# The suffixes of the tables that FTS5 creates for an index.
FTS_TABLES = ("config", "content", "data", "docsize", "idx")

# A table: its schema, and its name.
Name = tuple[str | None, str]


@dataclass(frozen=True)
class Chain:
    """The migrations of an application.

    versions: their folder; None for an application that migrates its tables otherwise.
    program: the command that runs them, for messages.
    has_history: whether the library has tables, which it migrates, too.
    """

    versions: Path | None = None
    resources: tuple[Resource, ...] = ()
    program: str = ""
    has_history: bool = True

    @property
    def chains(self) -> tuple["Chain", ...]:
        """This chain, and that of the library's tables if it has any."""
        return (self, LIBRARY) if self.has_history else (self,)

    def revisions(self) -> list[str]:
        """Return the revisions, oldest first."""
        return [path.name.partition("_")[0] for path in self._files("[0-9]*_*.py")]

    def created_tables(self) -> set[Name]:
        """Return the tables that the migrations create, also under names that are changed later."""
        return {new for _, new in self._names()}

    def lasting_tables(self) -> set[Name]:
        """Return the tables that exist after all migrations."""
        lasting: set[Name] = set()
        for old, new in self._names():
            lasting = lasting - {old} | {new}
        return lasting

    def renamed_tables(self) -> list[tuple[Name, Name]]:
        """Return the tables that the migrations rename: the old and the new names."""
        return [(old, new) for old, new in self._names() if old is not None]

    @cached_property
    def recorded(self) -> tuple[Resource, ...]:
        """The resources whose tables have to exist, also those that only link others."""
        return Site(self.resources).recorded

    @cached_property
    def former_names(self) -> frozenset[str]:
        """What earlier versions called the indexes and tables of the doctor, without the prefix.

        They have it once `migrate` has brought the database over.
        """
        sorting = sort_indexes(Site(self.resources))
        names = {shortened(f"list_{each.table.name}_{each.column.name}") for each in sorting}
        for resource in self.resources:
            if resource.search_fields and not resource.read_only:
                names |= {index_name(resource, kind) for kind in ("searched_", "unsearched_")}
                index = index_name(resource, "search_")
                names |= {index, *(f"{index}_{part}" for part in FTS_TABLES)}
        return frozenset(names)

    def version_table(self, existing: Collection[str]) -> str:
        """Return the version table in a database with these tables.

        An application without migrations leaves `alembic_version` to other programs that migrate
        the database. The first choice of `migrate` stays.
        """
        if SECOND_VERSION_TABLE in existing:
            return SECOND_VERSION_TABLE
        if VERSION_TABLE not in existing:
            return VERSION_TABLE if self.revisions() else SECOND_VERSION_TABLE
        is_ours = LIBRARY_VERSION_TABLE in existing or (
            LEGACY_TABLE in existing and (None, LEGACY_TABLE) in self.created_tables()
        )
        return VERSION_TABLE if is_ours else SECOND_VERSION_TABLE

    def _files(self, pattern: str) -> list[Path]:
        return [] if self.versions is None else sorted(self.versions.glob(pattern))

    def _names(self) -> Iterator[tuple[Name | None, Name]]:
        """Yield each created table, with None, or renamed one, with its old name; in order."""
        for path in self._files("*.py"):
            for statement in ast.parse(path.read_text("utf-8")).body:
                if isinstance(statement, ast.FunctionDef) and statement.name == "downgrade":
                    continue
                for node in ast.walk(statement):
                    if isinstance(node, ast.Call):
                        yield from _names_in(node)


class LibraryChain(Chain):
    """The migrations of the library's own tables."""

    def version_table(self, _: Collection[str]) -> str:
        return LIBRARY_VERSION_TABLE


LIBRARY = LibraryChain(HERE / "versions")


def current_revision(connection: Connection, chain: Chain) -> str | None:
    """Return the revision of a database in a chain, None before the first."""
    if chain.versions is None:
        return None
    existing = inspect(connection).get_table_names()
    name = chain.version_table(existing)
    if name not in existing:
        return None
    return connection.execute(text(f"SELECT version_num FROM {name}")).scalar_one_or_none()  # noqa: S608 - one of three


def _names_in(call: ast.Call) -> Iterator[tuple[Name | None, Name]]:
    schemas = [each.value for each in call.keywords if each.arg == "schema"]
    values = [each.value for each in schemas if isinstance(each, ast.Constant)]
    schema = str(values[0]) if values and values[0] else None
    match call:
        case ast.Call(
            func=ast.Attribute(attr="create_table"), args=[ast.Constant(value=str(name)), *_]
        ):
            yield None, (schema, name)
        case ast.Call(
            func=ast.Attribute(attr="rename_table"),
            args=[ast.Constant(value=str(old)), ast.Constant(value=str(new)), *_],
        ):
            yield (schema, old), (schema, new)
