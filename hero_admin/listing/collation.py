"""Collation: lists sort text by a sort key that ignores case.

A column with an explicit collation keeps it. The search backends compile these constructs.
"""

from typing import Any

from sqlalchemy import ColumnElement, String, func, select, table
from sqlalchemy import column as column_named
from sqlalchemy.sql.functions import FunctionElement

from hero_admin.model.column_types import has_collation
from hero_admin.model.exact_columns import AsText
from hero_admin.model.fields import Field
from hero_admin.model.index_predicate import IndexPredicate
from hero_admin.model.storable import unwrapped_type


class SortKey(FunctionElement[str]):
    """The sort key of a text, by which it is sorted and compared.

    The sort key of a sort key is the same.
    """

    name = "sort_key"
    inherit_cache = True

    def __init__(self, text: ColumnElement[Any]) -> None:
        super().__init__(text)
        self.type = text.type


class ReadSortKey(FunctionElement[str]):
    """A sort key selected by a subquery, as an ORDER BY expression."""

    name = "read_sort_key"
    type = String()
    inherit_cache = True


class IsMissing(IndexPredicate):
    """The text is NULL."""

    name = "is_missing_text"
    inherit_cache = True


class IsThere(IndexPredicate):
    """The text is not NULL; the second clause is the least sort key of the column."""

    name = "is_text"
    inherit_cache = True


def is_missing(value: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return the predicate that the sort value is NULL, in a form that uses an index."""
    return IsMissing(*value.clauses) if isinstance(value, SortKey) else value.is_(None)


def is_there(value: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return the predicate that the sort value is not NULL, in a form that uses an index."""
    if not isinstance(value, SortKey):
        return value.is_not(None)
    (text,) = value.clauses
    return IsThere(text, _least_key(text))


def is_collated(field: Field) -> bool:
    """Whether lists sort a field by the sort key of its text."""
    has_own = has_collation(unwrapped_type(field.column.type))
    return field.is_text and field.relation is None and not has_own


def sorted_as(field: Field, column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return the ORDER BY expression of a field, for its column in a table or alias."""
    return SortKey(column) if is_collated(field) else column


# Any: a column of a table, or of an alias of one.
def _least_key(column: Any) -> ColumnElement[Any]:
    # Unwrap the type by which the column is read.
    column = getattr(column, "clause", column)
    column = next(iter(column.clauses)) if isinstance(column, AsText) else column
    origin = getattr(column.table, "element", column.table)
    # A table object of its own, so that `adapted` does not replace the column.
    own = table(origin.name, column_named(column.name), schema=origin.schema)
    return select(func.min(SortKey(own.c[column.name]))).scalar_subquery()
