"""Fields: what is known of each column of a model, derived from the model alone."""

import enum
import math
import types
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, Union, get_args, get_origin

from annotated_types import Ge, Le
from pydantic.fields import FieldInfo
from sqlalchemy import BigInteger, Column, DateTime, SmallInteger, String, Text
from sqlalchemy import inspect as sqlalchemy_inspect
from sqlalchemy.orm import Mapper
from sqlalchemy.types import TypeDecorator, TypeEngine
from sqlmodel import SQLModel

from webapp.admin.inputs import EXACT_DECIMAL_DIGITS, Input, check_json, in_zone, input_for
from webapp.admin.schemas import clean_text

LONG_TEXT_CHARACTERS = 500
LONGEST_DURATION_DAYS = 700_000


@dataclass(frozen=True)
class Relation:
    """A column that points at one record of another model."""

    target: type[SQLModel]
    target_column: str
    back_name: str | None


@dataclass(frozen=True, eq=False)
class Field:
    """One column of a model and how people and programs read and write it."""

    name: str
    label: str
    column: Column[Any]
    info: FieldInfo
    input: Input
    relation: Relation | None
    is_key: bool
    is_generated: bool
    is_masked: bool = False

    @property
    def is_sortable(self) -> bool:
        """Whether a list can be sorted by it; the order of masked values would tell them."""
        return self.input.is_sortable and not self.is_masked

    @property
    def is_optional(self) -> bool:
        """Whether the field may stay empty."""
        return bool(self.column.nullable)

    @property
    def display(self) -> str:
        """The kind of value that a page shows: an instant is no mere reading of a clock."""
        if self.relation:
            return "relation"
        if self.input.kind == "datetime" and not is_aware(self.column.type):
            return "clock"
        return self.input.kind

    @property
    def is_text(self) -> bool:
        return self.input.kind in {"text", "long_text"} and isinstance(
            unwrapped_type(self.column.type), String
        )

    @cached_property
    def attributes(self) -> dict[str, str]:
        """The HTML attributes that tell a browser what this field takes."""
        found: dict[str, str] = {}
        for limit in self.info.metadata:
            match limit:
                case Ge(bound) if self.input.is_range:
                    found["min"] = self.input.format(bound)
                case Le(bound) if self.input.is_range:
                    found["max"] = self.input.format(bound)
        if self.input.kind == "integer":
            found["step"] = "1"
        elif self.input.kind in {"number", "time", "datetime"}:
            found["step"] = "any"
        return found

    def clean(self, value: Any) -> Any:
        """Return `value` as its column keeps it on every database.

        Raises ValueError with a sentence for what one of them could not keep exactly.
        """
        # A member of an enum may be a text or a number at the same time.
        if value is None or isinstance(value, bool | enum.Enum):
            return value
        if self.input.kind == "json":
            check_json(value)
            return value
        match value:
            case int():
                self._check_integer(value)
            case float() if not math.isfinite(value):
                raise ValueError("Enter a finite number.")
            case Decimal():
                self._check_decimal(value)
            case str():
                value = clean_text(value)
                length = getattr(unwrapped_type(self.column.type), "length", None)
                if length is not None and len(value) > length:
                    raise ValueError(f"Use at most {length:,} characters.")
            case datetime():
                return self._clean_moment(value)
            case timedelta() if abs(value.days) > LONGEST_DURATION_DAYS:
                raise ValueError(f"Enter at most {LONGEST_DURATION_DAYS:,} days.")
        return value

    def _clean_moment(self, value: datetime) -> datetime:
        try:
            return in_zone(value, is_aware(self.column.type))
        except OverflowError:
            raise ValueError("Enter a date that is not so far away.") from None

    def _check_integer(self, value: int) -> None:
        kind = unwrapped_type(self.column.type)
        bits = 63 if isinstance(kind, BigInteger) else 15 if isinstance(kind, SmallInteger) else 31
        if not -(2**bits) <= value < 2**bits:
            raise ValueError(f"Enter a number from {-(2**bits):,} to {2**bits - 1:,}.")

    def _check_decimal(self, value: Decimal) -> None:
        kind = unwrapped_type(self.column.type)
        digits = getattr(kind, "precision", None) or EXACT_DECIMAL_DIGITS
        scale = getattr(kind, "scale", None)
        if not value.is_finite():
            raise ValueError("Enter a finite number.")
        _, written, exponent = value.as_tuple()
        assert isinstance(exponent, int)
        significant = "".join(map(str, written)).rstrip("0")
        exponent += len(written) - len(significant)
        places, whole = max(0, -exponent), max(0, len(significant) + exponent)
        if scale is not None and places > scale:
            raise ValueError(f"Use at most {scale} decimal places.")
        if whole > digits - (scale or 0) or whole + places > digits:
            raise ValueError(f"Use at most {digits} digits.")


def fields_of(model: type[SQLModel]) -> tuple[Field, ...]:
    """Return the fields of a table model, in the order in which the model declares them."""
    mapper = sqlalchemy_inspect(model)
    return tuple(
        _field_of(model, mapper, name) for name in model.model_fields if name in mapper.columns
    )


def unwrapped_type(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    """Return the plain column type inside a `TypeDecorator`; SQLModel's own string type is one."""
    while isinstance(kind, TypeDecorator):
        kind = kind.impl_instance
    return kind


def is_aware(kind: TypeEngine[Any]) -> bool:
    """Whether a column keeps instants rather than readings of a clock."""
    plain = unwrapped_type(kind)
    return isinstance(plain, DateTime) and plain.timezone


def plain_annotation(annotation: Any) -> Any:
    """Return an annotation without `Optional` and `Annotated`."""
    if get_origin(annotation) is Annotated:
        return plain_annotation(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        options = [option for option in get_args(annotation) if option is not types.NoneType]
        return plain_annotation(options[0]) if len(options) == 1 else annotation
    return annotation


def _field_of(model: type[SQLModel], mapper: Mapper[Any], name: str) -> Field:
    column = mapper.columns[name]
    info = model.model_fields[name]
    annotation = plain_annotation(info.annotation)
    kind = unwrapped_type(column.type)
    length = getattr(kind, "length", None)
    is_long = isinstance(kind, Text) or (length is not None and length > LONG_TEXT_CHARACTERS)
    relation = _relation_of(mapper, column)
    is_counted = relation is None and column.table.autoincrement_column is column
    is_generated = column.primary_key and (is_counted or info.default_factory is not None)
    if isinstance(kind, DateTime) and annotation is not timedelta:
        # Pydantic’s NaiveDatetime is no class of datetimes, and SQLAlchemy’s Interval stores one.
        annotation = datetime
    return Field(
        name=name,
        label=info.title or _label_of(name, is_relation=relation is not None),
        column=column,
        info=info,
        input=input_for(annotation, is_long=is_long, is_aware=is_aware(column.type)),
        relation=relation,
        is_key=column.primary_key,
        is_generated=is_generated,
    )


def _relation_of(mapper: Mapper[Any], column: Column[Any]) -> Relation | None:
    for key in column.foreign_keys:
        # A key of several columns is no picker: each of its columns alone points at no record.
        if key.constraint is None or len(key.constraint.columns) != 1:
            continue
        for other in mapper.registry.mappers:
            if other.local_table is key.column.table:
                target = other.class_
                name = other.get_property_by_column(key.column).key
                return Relation(target, name, _back_name_of(mapper, other, column))
    return None


def _back_name_of(mapper: Mapper[Any], target: Mapper[Any], column: Column[Any]) -> str | None:
    for relationship in target.relationships:
        if relationship.mapper is mapper and column in relationship.remote_side:
            return relationship.key
    return None


def _label_of(name: str, *, is_relation: bool) -> str:
    words = (name.removesuffix("_id") if is_relation else name).replace("_", " ").strip()
    if words.lower() in {"id", "uuid", "url", "ip"}:
        return words.upper()
    return words[:1].upper() + words[1:]
