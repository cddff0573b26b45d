"""Column types: the input of a column, by its database type first, then by its model.

The annotation of a model may say more than the type (a text is an e-mail address), or something
else (a date in a text column): the typed value must be one of the column.
"""

import enum
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Literal, get_args, get_origin
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    JSON,
    Boolean,
    Date,
    DateTime,
    Enum,
    Integer,
    Interval,
    LargeBinary,
    Numeric,
    PickleType,
    String,
    Text,
    Time,
    Uuid,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql.ranges import AbstractMultiRange, AbstractSingleRange
from sqlalchemy.types import Float, TypeDecorator, TypeEngine
from sqlmodel import AutoString
from sqlmodel.sql.sqltypes import UTCDateTime

from hero_admin.model import inputs
from hero_admin.model.annotations import plain_annotation
from hero_admin.model.arrays import array_of
from hero_admin.model.choices import choice_of_members, choice_of_values
from hero_admin.model.inputs import Input, datetime_input, input_of_python, time_input
from hero_admin.model.storable import is_aware, unwrapped_type

LONG_TEXT_CHARACTERS = 500
# Decorators with the values of the type inside them.
PLAIN_DECORATORS = (AutoString, UTCDateTime)
# The classes that a decorator of the application has if its model says so.
PLAIN_PYTHON = (str, bool, int, float, Decimal, datetime, date, time, timedelta, UUID, dict, list)
# The text form of types that only PostgreSQL has.
EXAMPLES: dict[type[TypeEngine[Any]], str] = {
    postgresql.INET: "an address like 192.0.2.1/24",
    postgresql.CIDR: "a network like 192.0.2.0/24",
    postgresql.MACADDR: "a MAC address like 08:00:2b:01:02:03",
    postgresql.MACADDR8: "a MAC address like 08:00:2b:01:02:03:04:05",
    AbstractMultiRange: "ranges like {[1,5), [8,9)}",
    AbstractSingleRange: "a range like [1,5)",
    postgresql.TSVECTOR: "words like 'fat':2 'rat':3",
    postgresql.TSQUERY: "a query like 'fat' & 'rat'",
    postgresql.BIT: "as many bits as there are, like 101",
    postgresql.MONEY: "an amount like 12.34",
    postgresql.OID: "a whole number",
}


def example_of(kind: TypeEngine[Any]) -> str:
    """Return an example of a text that only the database can parse."""
    return next(text for known, text in EXAMPLES.items() if isinstance(kind, known))


def is_text(kind: TypeEngine[Any], given: Input) -> bool:
    """Whether the values of a column are texts that can be searched."""
    plain = unwrapped_type(kind)
    is_string = isinstance(plain, String) and not isinstance(plain, Enum)
    return is_string and given.kind in {"text", "long_text"}


def input_for(kind: TypeEngine[Any], annotation: Any = Any) -> Input:
    """Return the input of a column whose model has this annotation."""
    plain = plain_annotation(annotation)
    if _is_pickled(kind):
        # Never unpickle what others may have written.
        return inputs.PICKLED
    if isinstance(kind, TypeDecorator) and not isinstance(kind, (*PLAIN_DECORATORS, Interval)):
        return _input_of_decorator(kind, plain)
    column = kind if isinstance(kind, Interval) else unwrapped_type(kind)
    if isinstance(column, Enum):
        return (
            choice_of_members(column.enum_class)
            if column.enum_class
            else choice_of_values(column.enums)
        )
    if isinstance(column, String | Integer):
        choice = _choice_of(plain)
        if choice:
            return choice
    if isinstance(column, ARRAY):
        item = input_for(column.item_type)
        return inputs.READ_ONLY if item.kind == "bytes" else array_of(item, column.item_type)
    for column_types, make in _BY_COLUMN:
        if isinstance(column, column_types):
            return make(column, plain)
    return inputs.READ_ONLY


def _is_pickled(kind: TypeEngine[Any]) -> bool:
    """Whether a column holds pickles, also within a decorator of the application."""
    while isinstance(kind, TypeDecorator) and not isinstance(kind, PickleType):
        kind = kind.impl_instance
    return isinstance(kind, PickleType)


def _input_of_decorator(kind: TypeDecorator[Any], plain: Any) -> Input:
    """Return the input of a decorator of the application, by the annotation of the model."""
    if not isinstance(plain, type):
        plain = get_origin(plain)
    if isinstance(plain, type) and issubclass(plain, enum.Enum):
        return choice_of_members(plain)
    if isinstance(plain, type) and issubclass(plain, PLAIN_PYTHON):
        aware = is_aware(kind)
        return input_of_python(plain, is_long=_is_long(unwrapped_type(kind)), is_aware=aware)
    return inputs.READ_ONLY


def _choice_of(plain: Any) -> Input | None:
    """Return the choices to which a model limits a plain column, None without a limit."""
    if get_origin(plain) is Literal:
        return choice_of_values([value for value in _literal_values(plain) if value is not None])
    is_enum = isinstance(plain, type) and issubclass(plain, enum.Enum)
    # A flag may combine members.
    if is_enum and not issubclass(plain, enum.Flag):
        return choice_of_members(plain, is_raw=True)
    return None


def _literal_values(literal: Any) -> list[Any]:
    """Return the values of a literal and of nested literals."""
    return [
        value
        for each in get_args(literal)
        for value in (_literal_values(each) if get_origin(each) is Literal else [each])
    ]


def _is_long(column: Any) -> bool:
    length = getattr(column, "length", None)
    # CITEXT is a Text, but not a long one.
    is_long = isinstance(column, Text) and not isinstance(column, postgresql.CITEXT)
    return is_long or (length is not None and length > LONG_TEXT_CHARACTERS)


def has_collation(column: TypeEngine[Any]) -> bool:
    """Whether a column has a collation of its own."""
    is_named = isinstance(column, String) and bool(column.collation)
    return is_named or isinstance(column, postgresql.CITEXT)


# Any: column types with attributes of their own, and annotations.
Make = Callable[[Any, Any], Input]
_BY_COLUMN: tuple[tuple[tuple[type[TypeEngine[Any]], ...], Make], ...] = (
    ((String,), lambda column, _: inputs.LONG_TEXT if _is_long(column) else inputs.TEXT),
    ((Boolean,), lambda *_: inputs.BOOL),
    ((Integer,), lambda _, plain: inputs.BOOL if plain is bool else inputs.INTEGER),
    ((Numeric, Float), lambda column, _: inputs.DECIMAL if column.asdecimal else inputs.FLOAT),
    ((Interval, postgresql.INTERVAL), lambda *_: inputs.DURATION_INPUT),
    ((DateTime,), lambda column, _: datetime_input(is_aware=column.timezone)),
    ((Date,), lambda *_: inputs.DATE),
    ((Time,), lambda column, _: time_input(is_aware=column.timezone)),
    ((Uuid,), lambda column, _: inputs.UUID_INPUT if column.as_uuid else inputs.TEXT),
    ((JSON, postgresql.HSTORE), lambda *_: inputs.JSON),
    ((LargeBinary,), lambda *_: inputs.BYTES),
    (tuple(EXAMPLES), lambda *_: inputs.DATABASE_TEXT),
)
