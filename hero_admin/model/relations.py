"""Relations: the fields that are foreign keys to one record of another model."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column
from sqlalchemy.orm import Mapper
from sqlmodel import SQLModel

from hero_admin.model import inputs
from hero_admin.model.column_types import input_for
from hero_admin.model.inputs import Input
from hero_admin.model.storable import unwrapped_type


@dataclass(frozen=True)
class Relation:
    """What a foreign key refers to: the model, its column, and the relationship back, if any."""

    target: type[SQLModel]
    target_column: str
    back_name: str | None


def relation_of(mapper: Mapper[Any], column: Column[Any], given: Input) -> Relation | None:
    """Return the relation of a column with a given input; None if it is a plain value."""
    for key in column.foreign_keys:
        # A column of a composite foreign key refers to no record by itself.
        if key.constraint is None or len(key.constraint.columns) != 1:
            continue
        for other in mapper.registry.mappers:
            if other.local_table is key.column.table:
                target = other.class_
                name = other.get_property_by_column(key.column).key
                theirs = input_for(key.column.type, target.model_fields[name].annotation)
                if not _can_point(given, theirs, key.column):
                    return None
                return Relation(target, name, _back_name_of(mapper, other, column))
    return None


def _can_point(own: Input, theirs: Input, target: Column[Any]) -> bool:
    """Whether two columns have the same kind of values in Python, which can be looked up.

    SQLite lets a text refer to a date, and PostgreSQL has keys that are objects or lists: such a
    field is a plain value here. Integers may refer to a decimal column without decimal places.
    """
    if theirs.kind in {"json", "other"}:
        return False
    is_whole = getattr(unwrapped_type(target.type), "scale", None) == 0
    if own.kind == "integer" and theirs is inputs.DECIMAL and is_whole:
        return True
    return _value_kind(own) == _value_kind(theirs)


def _value_kind(given: Input) -> str:
    """Return the kind of a column's values, for choices that of the value that they stand for."""
    if given.choices:
        value = given.parse(given.choices[0][0])
        return {str: "text", int: "integer"}.get(type(value), given.kind)
    if given is inputs.DECIMAL:
        return "decimal"
    return "text" if given.is_plain_text else given.kind


def _back_name_of(mapper: Mapper[Any], target: Mapper[Any], column: Column[Any]) -> str | None:
    for relationship in target.relationships:
        if relationship.mapper is mapper and column in relationship.remote_side:
            return relationship.key
    return None
