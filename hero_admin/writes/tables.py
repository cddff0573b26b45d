"""Stored tables: tables and foreign keys as the database has them, whatever models say."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from sqlalchemy import FromClause, TableClause, column
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import UserDefinedType

from hero_admin.web.texts import ngettext

Action = Literal["CASCADE", "SET NULL", "SET DEFAULT", "RESTRICT", "NO ACTION"]
# The prefix of a table in the history; no name of a resource has a colon.
MARK = "table:"

QUOTED = r'"(?:[^"]|"")+"|\[[^\]]+\]|`[^`]+`'
# A string, a quoted name, or a name that is not that of a function.
_NAMES = re.compile(rf"'(?:[^']|'')*'|({QUOTED})|\b([^\W\d]\w*)\b(?!\s*\()")


class Native(UserDefinedType[Any]):
    """The values of the driver, without conversion."""

    cache_ok = True


class TableName(NamedTuple):
    """The schema and name of a table; SQLite has no schemas."""

    schema: str | None
    name: str


@dataclass(frozen=True)
class TableColumn:
    """A column; `type` and `default` are SQL of the database.

    `type` is empty where a column may hold values of any type.
    """

    name: str
    type: str
    is_nullable: bool
    is_generated: bool
    default: str | None


@dataclass(frozen=True)
class ForeignKey:
    """Columns of `table` that refer to a row of `target`.

    cleared: the columns that SET NULL or SET DEFAULT changes.
    is_declared: whether the database declares it, and not only a model.
    """

    table: TableName
    columns: tuple[str, ...]
    target: TableName
    target_columns: tuple[str, ...]
    action: Action
    cleared: tuple[str, ...]
    is_declared: bool = True


class _Only(TableClause):
    """A table of PostgreSQL without those that inherit from it, which no foreign key includes."""

    inherit_cache = True


@compiles(_Only)
def _compile_only(element: _Only, compiler: SQLCompiler, **options: Any) -> str:
    # SQLAlchemy's compilers are untyped.
    return f"ONLY {compiler.visit_table(element, **options)}"  # type: ignore[no-untyped-call]


@dataclass(frozen=True, eq=False)
class StoredTable:
    """A table.

    label: its name for people.
    identity: the columns that identify a row within a transaction.
    triggers: the names of triggers, each with INSERT, UPDATE or DELETE.
    is_usable: whether its rows can be read, written and identified.
    has_hidden_rows: whether row-level security hides rows from us, but not from cascades.
    is_only: whether the rows of tables that inherit from it are excluded.
    """

    name: TableName
    label: str
    columns: tuple[TableColumn, ...]
    key: tuple[str, ...]
    identity: tuple[str, ...]
    unique_sets: tuple[tuple[str, ...], ...] = ()
    triggers: frozenset[tuple[str, str]] = frozenset()
    is_usable: bool = True
    has_hidden_rows: bool = False
    is_only: bool = False

    @property
    def mark(self) -> str:
        """The name of its rows in the history."""
        return f"{MARK}{self.label}"

    @property
    def writable(self) -> tuple[TableColumn, ...]:
        return tuple(each for each in self.columns if not each.is_generated)

    def column(self, name: str) -> TableColumn:
        return next(each for each in self.columns if each.name == name)

    def clause(self, alias: str | None = None) -> FromClause:
        """Return a clause for statements, whose values are not converted by types."""
        names = dict.fromkeys([*(each.name for each in self.columns), *self.identity])
        kind = _Only if self.is_only else TableClause
        clause = kind(self.name.name, *map(column, names), schema=self.name.schema)
        return clause.alias(alias) if alias else clause

    def rows_text(self, count: int) -> str:
        """Return “3 rows of playlist_track”."""
        counted = ngettext("{count:,} row of {table}", "{count:,} rows of {table}", count)
        return counted.format(count=count, table=self.label)


# Any: values of any columns.
RowId = tuple[Any, ...]


def identity_of(stored: StoredTable, clause: FromClause) -> Sequence[Any]:
    """Return the columns of a clause that identify a row."""
    return [clause.c[name] for name in stored.identity]


def names_in(parts: Iterable[str]) -> set[str]:
    """Return the names in SQL expressions, such as those of an index: columns and others."""
    found = [match for part in parts for match in _NAMES.finditer(part)]
    quoted = {match[1][1:-1].replace('""', '"') for match in found if match[1]}
    return quoted | {match[2] for match in found if match[2]}
