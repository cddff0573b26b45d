"""Computed columns, as they are given: SQL, a count, or a function under a label."""

import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column as TableColumn
from sqlalchemy import ColumnElement, Select
from sqlalchemy.orm import QueryableAttribute
from sqlalchemy.sql.visitors import replacement_traverse
from sqlalchemy.util import immutabledict
from sqlmodel import SQLModel

from hero_admin.model.fields import Field
from hero_admin.model.mapped_fields import fields_of


@dataclass(frozen=True, eq=False)
class count:  # noqa: N801 - it reads as the function of SQL
    """The number of records that refer to one: `count(Hero.team_id)`, by the foreign key."""

    # Any: an attribute of a model is typed as the value it holds.
    column: Any


@dataclass(frozen=True, eq=False)
class Column:
    """A computed column: `Column("Heroes", count(Hero.team_id))`.

    label: its heading; in the API, in URLs and in CSV it goes by the same words, as `heroes`.
    value: SQL over the columns of the model, `Line.price * Line.quantity`, a scalar subquery or
        `count(…)`; or a function of a record, which gets no masked values.
    """

    label: str
    # Any: SQL of any type, or a function of a record of any model.
    value: Any

    @property
    def key(self) -> str:
        """Its name in the API, in URLs and in CSV."""
        return re.sub(r"\W+", "_", self.label.lower()).strip("_")

    def __str__(self) -> str:
        return f"Column({self.label!r})"


def counted_field(counted: count) -> Field | None:
    """Return the foreign key whose rows are counted; None for anything else."""
    attribute = counted.column
    owner = getattr(attribute, "class_", None)
    if not isinstance(attribute, QueryableAttribute) or not isinstance(owner, type):
        return None
    if not issubclass(owner, SQLModel):
        return None
    found = (field for field in fields_of(owner) if field.name == attribute.key)
    return next((field for field in found if field.relation is not None), None)


# Any: the argument of a column.
def sql_of(value: Any) -> ColumnElement[Any] | None:
    """Return a value as SQL about tables, None if it is no SQL."""
    if isinstance(value, QueryableAttribute):
        value = value.expression
    if isinstance(value, Select):
        value = value.scalar_subquery()
    if not isinstance(value, ColumnElement):
        return None

    # Any: what SQLAlchemy calls elements.
    def column_of(element: Any, **_: Any) -> Any:
        is_own = isinstance(element, TableColumn) and element.table is not None
        return element.table.c[element.key] if is_own and element._annotations else None  # noqa: SLF001

    found: ColumnElement[Any] = replacement_traverse(value, {}, column_of)
    # Otherwise the ORM would compile the statement.
    found._propagate_attrs = immutabledict()  # noqa: SLF001 - it has no other setter
    return found
