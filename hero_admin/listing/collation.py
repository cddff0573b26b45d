"""Collation: how lists sort text, whatever its case, on both databases.

SQLite has NOCASE built in, which knows the case of ASCII letters only; any program can write to a
table with such an index. On PostgreSQL it is the function that folds text for searching, so accents
are neighbours, too, on servers with and without ICU. A column with a collation of its own keeps it.
"""

from typing import Any, Self

from sqlalchemy import Boolean, ColumnElement, String, literal_column
from sqlalchemy.dialects.postgresql import CITEXT
from sqlalchemy.dialects.sqlite import dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from hero_admin.model.column_types import LONG_TEXT_CHARACTERS
from hero_admin.model.exact_types import AsText
from hero_admin.model.fields import Field
from hero_admin.model.storable import unwrapped_type

DIALECT = dialect()
SQLITE_COLLATION = "NOCASE"
# Folding may make a text longer, and PostgreSQL refuses to store what does not fit into an index.
MAX_KEY_CHARACTERS = LONG_TEXT_CHARACTERS


class SortKey(FunctionElement[str]):
    """What stands for a text where texts are sorted and compared in that order.

    The key of a key is the key itself.
    """

    name = "sort_key"
    inherit_cache = True

    def __init__(self, text: ColumnElement[Any]) -> None:
        super().__init__(text)
        self.type = text.type


class ReadSortKey(FunctionElement[str]):
    """A sort key that a subquery has read already, sorted in the same order."""

    name = "read_sort_key"
    type = String()
    inherit_cache = True


class _Condition(FunctionElement[bool]):
    """A condition that each database writes in its own way, so that its index tells."""

    type = Boolean()

    # Any: SQLAlchemy's operators. SQLite has no booleans and would get `… = 1`.
    def self_group(self, against: Any = None) -> Self:  # noqa: ARG002
        return self


class _IsMissing(_Condition):
    """There is no text: SQLite finds NULL by the column alone."""

    name = "is_missing_text"
    inherit_cache = True


class _IsThere(_Condition):
    """There is a text: SQLite skips NULL by the least key that it has."""

    name = "is_text"
    inherit_cache = True


def is_missing(value: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return the condition that a row has no value to be sorted by, which an index tells."""
    return _IsMissing(*value.clauses) if isinstance(value, SortKey) else value.is_(None)


def is_there(value: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return the condition that a row has a value to be sorted by, which an index tells."""
    if not isinstance(value, SortKey):
        return value.is_not(None)
    (text,) = value.clauses
    return _IsThere(text, literal_column(_least_key_sql(text), type_=text.type))


def is_collated(field: Field) -> bool:
    """Whether lists sort a field by the key of its text rather than as the database does."""
    kind = unwrapped_type(field.column.type)
    has_own = isinstance(kind, CITEXT) or (isinstance(kind, String) and bool(kind.collation))
    return field.is_text and field.relation is None and not has_own


def sorted_as(field: Field, column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return what lists are sorted by, for the column of a field in some table or alias."""
    return SortKey(column) if is_collated(field) else column


def sort_key_sql(text: str, dialect: str) -> str:
    """Return the sort key of a text in the words of a database, as an index has it."""
    if dialect == "postgresql":
        return f"left(fold({text}), {MAX_KEY_CHARACTERS})"
    return f"{text} COLLATE {SQLITE_COLLATION}"


# Any: what SQLAlchemy passes on to the compiler.
@compiles(SortKey)
def _write_sort_key(element: SortKey, compiler: SQLCompiler, **options: Any) -> str:
    text = compiler.process(element.clauses, **options)
    return f"({sort_key_sql(text, compiler.dialect.name)})"


@compiles(ReadSortKey)
def _write_read_sort_key(element: ReadSortKey, compiler: SQLCompiler, **options: Any) -> str:
    text = compiler.process(element.clauses, **options)
    is_folded = compiler.dialect.name == "postgresql"
    return text if is_folded else f"({text} COLLATE {SQLITE_COLLATION})"


@compiles(_IsMissing)
def _write_is_missing(element: _IsMissing, compiler: SQLCompiler, **options: Any) -> str:
    text = compiler.process(element.clauses, **options)
    is_folded = compiler.dialect.name == "postgresql"
    return f"({sort_key_sql(text, 'postgresql') if is_folded else text} IS NULL)"


@compiles(_IsThere)
def _write_is_there(element: _IsThere, compiler: SQLCompiler, **options: Any) -> str:
    text, least = (compiler.process(each, **options) for each in element.clauses)
    key = sort_key_sql(text, compiler.dialect.name)
    is_folded = compiler.dialect.name == "postgresql"
    return f"({key} IS NOT NULL)" if is_folded else f"({key} >= {least})"


# Any: a column of a table, or of an alias of one.
def _least_key_sql(column: Any) -> str:
    # Behind a type that the column is read by.
    column = getattr(column, "clause", column)
    column = next(iter(column.clauses)) if isinstance(column, AsText) else column
    table, preparer = getattr(column.table, "element", column.table), DIALECT.identifier_preparer
    key = sort_key_sql(preparer.quote(column.name), "sqlite")
    return f"(SELECT min({key}) FROM {preparer.format_table(table)})"  # noqa: S608 - quoted
