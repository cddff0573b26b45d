"""Mapped fields: the fields of a model, derived from its mapper alone."""

from typing import Any, get_args

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from sqlalchemy import Column, Table
from sqlalchemy import inspect as sqlalchemy_inspect
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import Mapper
from sqlmodel import SQLModel

from hero_admin.model import inputs
from hero_admin.model.annotations import is_secret
from hero_admin.model.column_types import input_for
from hero_admin.model.fields import Field
from hero_admin.model.labels import label_of
from hero_admin.model.prose import short_texts
from hero_admin.model.relations import Relation, relation_of


def fields_of(model: type[SQLModel]) -> tuple[Field, ...]:
    """Return the fields of a table model, in the order of its declaration."""
    mapper = sqlalchemy_inspect(model)
    columns = {name: mapper.columns[name] for name in model.model_fields if name in mapper.columns}
    short = short_texts(columns)
    return tuple(_field_of(model, mapper, name, is_short=name in short) for name in columns)


def _field_of(model: type[SQLModel], mapper: Mapper[Any], name: str, *, is_short: bool) -> Field:
    column = mapper.columns[name]
    info = model.model_fields[name]
    given = input_for(column.type, info.annotation)
    relation = relation_of(mapper, column, given)
    if given is inputs.BYTES and (column.primary_key or relation):
        given = inputs.HEXADECIMAL
    if given is inputs.LONG_TEXT and is_short:
        given = inputs.TEXT
    return Field(
        name=name,
        label=info.title or label_of(name, is_relation=relation is not None),
        column=column,
        info=info,
        input=given,
        relation=relation,
        is_key=column.primary_key,
        is_generated=_is_generated(info, column, relation),
        is_masked=is_secret(info.annotation),
    )


def _is_generated(info: FieldInfo, column: Column[Any], relation: Relation | None) -> bool:
    """Whether the model or the database generates a key; people give any other one.

    SQLAlchemy lets the database count every integer key. A model that requires the number
    (`number: int`) means one that people give, such as that of an invoice.
    """
    if not column.primary_key:
        return False
    if info.default_factory is not None or column.identity or column.computed:
        return True
    if column.autoincrement is True and relation is None:
        return True
    if column.default is not None and not column.default.is_scalar:
        return True
    is_counted = relation is None and column.table.autoincrement_column is column
    is_left_out = not info.is_required() or type(None) in get_args(info.annotation)
    has_none = is_left_out and info.get_default() in (None, PydanticUndefined)
    return has_none and (is_counted or column.server_default is not None)


def never_reuse_keys(table: Table) -> None:
    """Let SQLite never reuse the key of a deleted row: the history knows a record by its key."""
    counted = table.autoincrement_column
    if counted is None or len(table.primary_key.columns) > 1:
        return
    # SQLite counts only a key of type INTEGER.
    if counted.type.compile(sqlite.dialect()) == "INTEGER":
        table.dialect_options["sqlite"]["autoincrement"] = True
