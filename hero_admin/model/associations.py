"""Associations: the models of the rows that link records, also of a table that has no model.

What writes models from a database, such as sqlacodegen, writes an association as a plain `Table`.
"""

import re
from types import new_class
from typing import Any

from sqlalchemy import Column, Table
from sqlalchemy.orm import Mapper, RelationshipProperty, registry
from sqlmodel import Field, SQLModel


def association_of(relationship: RelationshipProperty[Any]) -> type[SQLModel] | None:
    """Return the model of the rows that a relationship goes through, None if they have none.

    A table with a primary key gets one, where the application has not mapped it.
    """
    table, mapped = relationship.secondary, relationship.mapper.registry
    mappers: list[Mapper[Any]] = [each for each in mapped.mappers if each.local_table is table]
    if mappers:
        found = mappers[0].class_
        return found if issubclass(found, SQLModel) else None
    if isinstance(table, Table) and table.primary_key.columns:
        return _model_of(table, mapped)
    return None


def _model_of(table: Table, mapped: registry) -> type[SQLModel]:
    """Return a model of a table, with the models that it refers to in one registry."""
    taken = {mapper.class_.__name__ for mapper in mapped.mappers}
    name = "".join(word.capitalize() for word in re.findall(r"[^\W_]+", table.name))
    while name in taken or not name.isidentifier():
        name = f"Linked{name}"
    # Any: fields, and what declares a class.
    declared: dict[str, Any] = {"__module__": __name__, "__table__": table, "__annotations__": {}}
    for number, column in enumerate(table.columns):
        field = _name_of(column) or f"column_{number}"
        declared["__annotations__"][field] = _kind_of(column)
        declared[field] = _field_of(column)
    # A class with a registry is no table itself.
    parent = new_class("Linked", (SQLModel,), {"registry": mapped})
    made = new_class(name, (parent,), {"table": True}, lambda body: body.update(declared))
    assert issubclass(made, SQLModel)
    return made


def _name_of(column: Column[Any]) -> str:
    """Return the name of a column if a model may have such an attribute, else ""."""
    is_free = column.key.isidentifier() and not hasattr(SQLModel, column.key)
    return column.key if is_free and not column.key.startswith(("_", "model_")) else ""


def _kind_of(column: Column[Any]) -> Any:
    try:
        kind = column.type.python_type
    except NotImplementedError:
        return Any
    return kind | None if _may_be_left_out(column) else kind


def _field_of(column: Column[Any]) -> Any:
    title = None if _name_of(column) else column.key
    if _may_be_left_out(column):
        return Field(default=None, title=title, sa_column=column)
    return Field(title=title, sa_column=column)


def _may_be_left_out(column: Column[Any]) -> bool:
    is_counted = column.table.autoincrement_column is column
    has_default = column.default is not None or column.server_default is not None
    return bool(column.nullable or has_default or is_counted)
