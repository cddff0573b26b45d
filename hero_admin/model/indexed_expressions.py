"""Indexed expressions: SQL whose values an index of its table has in order, or a column keeps."""

import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import BindParameter, Column, ColumnElement, Index, Table, bindparam
from sqlalchemy.exc import CompileError
from sqlalchemy.sql.visitors import replacement_traverse
from sqlmodel import SQLModel

from hero_admin.model.fields import Field


def stored_field(expression: ColumnElement[Any], fields: Sequence[Field]) -> Field | None:
    """Return the sortable field with the values of an expression: itself, or a generated column."""
    for field in fields:
        table, computed = field.column.table, field.column.computed
        text = text_of(expression, table)
        is_same = field.column is expression or (
            computed is not None and text != "" and text_of(computed.sqltext, table) == text
        )
        if is_same and field.is_sortable and field.relation is None:
            return field
    return None


def indexed_expression(
    expression: ColumnElement[Any], model: type[SQLModel]
) -> ColumnElement[Any] | None:
    """Return an expression if it comes first in an index that the model declares for all rows."""
    table = model.__table__  # type: ignore[attr-defined]  # SQLModel does not declare it
    assert isinstance(table, Table)
    return _with_literals(expression) if index_of(expression, table) is not None else None


def index_of(expression: ColumnElement[Any], table: Table) -> Index | None:
    """Return the index of all rows of a table in which an expression comes first."""
    text = text_of(expression, table)
    for index in table.indexes:
        first = next(iter(index.expressions), None)
        is_whole = not any(options.get("where") is not None for options in _options(index))
        is_column = first is None or isinstance(first, Column)
        if is_whole and not is_column and text and text_of(first, table) == text:
            return index
    return None


def _with_literals(expression: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return an expression whose constants are written out, as no index matches a parameter."""

    # Any: what SQLAlchemy calls elements.
    def written(element: Any, **_: Any) -> Any:
        if isinstance(element, BindParameter):
            return bindparam(None, element.value, element.type, literal_execute=True)
        return None

    found: ColumnElement[Any] = replacement_traverse(expression, {}, written)
    return found


# Any: an index, or anything else with options of dialects.
def _options(index: Any) -> list[Any]:
    return list(index.dialect_options.values())


# Any: an expression, or its text.
def text_of(expression: Any, table: Table) -> str:
    """Return SQL without the name of its table, quotes, spaces and outer parentheses.

    It is empty for SQL that differs by dialect.
    """
    try:
        text = str(expression.compile(compile_kwargs={"literal_binds": True}))
    except (CompileError, NotImplementedError):
        return ""
    text = re.sub(r'["\s]', "", text)
    names = [table.name] if table.schema is None else [f"{table.schema}.{table.name}", table.name]
    for name in names:
        text = re.sub(rf"\b{re.escape(name)}\.", "", text)
    while text.startswith("(") and _closes_at_end(text):
        text = text[1:-1]
    return text


def _closes_at_end(text: str) -> bool:
    """Whether the first parenthesis of a text is closed by its last character."""
    depth = 0
    for position, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if not depth:
            return position == len(text) - 1
    return False
