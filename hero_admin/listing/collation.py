"""Collation: how lists sort text, whatever its case. A column with a collation of its own keeps it.

Each database has its own sort key, in which the search backend writes what stands here.
"""

from typing import Any, Self

from sqlalchemy import Boolean, ColumnElement, String, func, select, table
from sqlalchemy import column as column_named
from sqlalchemy.sql.functions import FunctionElement

from hero_admin.model.column_types import has_collation
from hero_admin.model.exact_columns import AsText
from hero_admin.model.fields import Field
from hero_admin.model.storable import unwrapped_type


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


class _Predicate(FunctionElement[bool]):
    """A predicate that each database writes in the form that its index serves."""

    type = Boolean()

    # Any: SQLAlchemy's operators. Where there are no booleans it would become `… = 1`.
    def self_group(self, against: Any = None) -> Self:  # noqa: ARG002
        return self


class IsMissing(_Predicate):
    """There is no text."""

    name = "is_missing_text"
    inherit_cache = True


class IsThere(_Predicate):
    """There is a text, and with it the least key of all."""

    name = "is_text"
    inherit_cache = True


def is_missing(value: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return the predicate that a row has no sort value, in a form that an index serves."""
    return IsMissing(*value.clauses) if isinstance(value, SortKey) else value.is_(None)


def is_there(value: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return the predicate that a row has a sort value, in a form that an index serves."""
    if not isinstance(value, SortKey):
        return value.is_not(None)
    (text,) = value.clauses
    return IsThere(text, _least_key(text))


def is_collated(field: Field) -> bool:
    """Whether lists sort a field by the key of its text rather than as the database does."""
    has_own = has_collation(unwrapped_type(field.column.type))
    return field.is_text and field.relation is None and not has_own


def sorted_as(field: Field, column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return what lists are sorted by, for the column of a field in some table or alias."""
    return SortKey(column) if is_collated(field) else column


# Any: a column of a table, or of an alias of one.
def _least_key(column: Any) -> ColumnElement[Any]:
    # Behind a type that the column is read by.
    column = getattr(column, "clause", column)
    column = next(iter(column.clauses)) if isinstance(column, AsText) else column
    origin = getattr(column.table, "element", column.table)
    # A table of the same name, so that whoever takes the column for another one leaves it alone.
    own = table(origin.name, column_named(column.name), schema=origin.schema)
    return select(func.min(SortKey(own.c[column.name]))).scalar_subquery()
