"""Schemas: their base class, and schemas derived from a model."""

import math
import re
from base64 import b64encode
from collections.abc import Collection, Iterable, Iterator, Mapping
from copy import copy
from datetime import date, datetime, time
from decimal import Decimal
from functools import cache, reduce
from operator import or_
from types import NoneType
from typing import Annotated, Any, Literal, Self, TypeVar, get_args, get_origin

from pydantic import (
    AwareDatetime,
    BaseModel,
    FutureDate,
    FutureDatetime,
    GetJsonSchemaHandler,
    NaiveDatetime,
    PastDate,
    PastDatetime,
    ValidationInfo,
    create_model,
    field_validator,
)
from pydantic.fields import FieldInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticUndefined, to_jsonable_python
from sqlmodel import SQLModel
from sqlmodel._compat import SQLModelConfig

from hero_admin.model.annotations import alias_of
from hero_admin.model.blobs import Blob
from hero_admin.model.sentences import OTHER_KIND
from hero_admin.model.stored_values import readable
from hero_admin.model.texts import clean_text

Validated = TypeVar("Validated", bound=BaseModel)
# A number is one of these by convention only.
NO_NUMBERS = frozenset({bool, date, datetime, time})
# Pydantic reads digits as seconds since 1970: 20240131 would be in August of that year.
MOMENTS = frozenset({date, datetime, time})
# Any: they are types only to a type checker.
LIMITED_MOMENTS: Mapping[Any, type] = {
    NaiveDatetime: datetime,
    AwareDatetime: datetime,
    PastDatetime: datetime,
    FutureDatetime: datetime,
    PastDate: date,
    FutureDate: date,
}
DIGITS = re.compile(r"\s*[+-]?[0-9._]+\s*")


class Schema(SQLModel):
    """Base of form and API schemas: text is trimmed, storable, and blank text is empty text."""

    # A field with an alias is set by either name.
    model_config = SQLModelConfig(str_strip_whitespace=True, populate_by_name=True)

    # SQLModel's own allows no field named `cls`.
    def __new__(cls, /, **_: Any) -> Self:  # Any: the values, which `__init__` gets too
        made: Self = super().__new__(cls)
        return made

    @field_validator("*", mode="before")
    @classmethod
    def check_text(cls, value: Any) -> Any:  # Any: the raw input of any field
        return clean_text(value) if isinstance(value, str) else value

    @field_validator("*", mode="before")
    @classmethod
    def check_kind(cls, value: Any, info: ValidationInfo) -> Any:  # Any: the same
        """Refuse what pydantic would coerce: true is not an age, and 5 is not a day."""
        kinds = _kinds_of(cls, str(info.field_name))
        if kinds and not _is_of_kind(value, kinds):
            raise ValueError(OTHER_KIND)
        return value

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Give the length limits of files in characters of Base64 instead of bytes."""
        document = handler(schema)
        for each in handler.resolve_ref_schema(document).get("properties", {}).values():
            for option in (each, *each.get("anyOf", ())):
                if option.get("contentEncoding") == "base64":
                    for limit in {"minLength", "maxLength"} & option.keys():
                        option[limit] = -(-option[limit] // 3) * 4
        return document


# 0.3 kB for each field of each schema, and schemas are made with the Admin. Without it each value
# of a request takes 1.5 µs longer.
@cache
def _kinds_of(schema: type[Schema], name: str) -> frozenset[type]:
    """Return the types of a field; none if it takes any JSON."""
    kinds = frozenset(_leaves(schema.model_fields[name].annotation))
    return frozenset() if kinds & {dict, list, object} else kinds


# Any: an annotation of any kind.
def _leaves(annotation: Any) -> Iterator[type]:
    parts = get_args(annotation)
    if annotation is Any or get_origin(annotation) is dict:
        yield object
    elif get_origin(annotation) is Literal:
        yield from map(type, parts)
    elif parts:
        for part in parts[:1] if get_origin(annotation) is Annotated else parts:
            yield from _leaves(part)
    elif annotation is not type(None):
        kind = LIMITED_MOMENTS.get(annotation, annotation)
        yield kind if isinstance(kind, type) else object


def _is_of_kind(value: object, kinds: frozenset[type]) -> bool:
    if isinstance(value, bool):
        return bool in kinds
    if isinstance(value, int | float):
        return not kinds <= NO_NUMBERS
    if isinstance(value, str):
        return not (kinds <= MOMENTS and DIGITS.fullmatch(value))
    if isinstance(value, list | tuple | set):
        return all(_is_of_kind(each, kinds) for each in value)
    return True


# Any: annotations of any kind.
def derive(
    model: type[SQLModel],
    name: str,
    annotations: Mapping[str, Any],
    defaults: Mapping[str, Any] | None = None,
    demanded: Collection[str] = (),
    left_out: Collection[str] = (),
) -> type[SQLModel]:
    """Return a validating schema called `name` of a table model.

    annotations: of its fields. defaults: those that differ from the model's.
    demanded: the fields that are required here, though not in the model.
    left_out: the fields that are optional here, though required in the model.
    """
    definitions: dict[str, Any] = {}
    for field, annotation in annotations.items():
        info = model.model_fields[field]
        default = (defaults or {}).get(field)
        if default is not None and default is not info.default:
            info = FieldInfo.merge_field_infos(info, default=default)
        if isinstance(info.default, bytes):
            # Validated as Base64, it would change.
            info = _with_factory(info, info.default)
        definitions[field] = (annotation, info)
        if field in demanded:
            definitions[field] = _demanded(annotation, info)
        elif field in left_out and info.is_required():
            definitions[field] = (annotation, _optional(info)[1])
    return create_model(name, __base__=Schema, __module__=model.__module__, **definitions)


def partial(schema: type[SQLModel], name: str) -> type[SQLModel]:
    """Return `schema` with every field optional: absent means unchanged, null is still checked."""
    return with_optional(schema, name, schema.model_fields)


def with_optional(schema: type[SQLModel], name: str, fields: Iterable[str]) -> type[SQLModel]:
    """Return `schema`, called `name`, with these fields optional."""
    definitions = {field: _optional(schema.model_fields[field]) for field in fields}
    return create_model(name, __base__=schema, __module__=schema.__module__, **definitions)


def dumped(
    schema: type[SQLModel],
    record: Mapping[str, Any],
    masked: Collection[str] = (),
    hidden: Collection[str] = (),
) -> dict[str, Any]:
    """Return a record as JSON values by alias, as it is stored, even if it is invalid.

    Fields that are `masked` for the reader are null; `hidden` ones are left out, and so are files
    whose bytes were not fetched. A value that its type cannot read is a text, and so are
    "Infinity", "-Infinity" and "NaN".
    """
    left_out = set(hidden)
    values: dict[str, Any] = {}
    for name in schema.model_fields:
        value = None if name in masked or name in hidden else _spelled(record.get(name))
        if isinstance(value, Blob):
            left_out.add(name)
        values[name] = value
    shown = schema.model_construct()
    # By name, which may be the alias of another field; in the order of the model.
    shown.__dict__ = values
    return shown.model_dump(
        mode="json", by_alias=True, exclude=left_out, warnings=False, fallback=str
    )


# Any: values of any field, and JSON.
def dumped_values(values: Iterable[Any]) -> list[Any]:
    """Return values as `dumped` has those of fields."""
    found: list[Any] = to_jsonable_python([*map(_spelled, values)], fallback=str)
    return found


def _spelled(value: Any) -> Any:
    """Return a stored value, as a text where JSON or its type has no other way to write it."""
    value = readable(value)
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if isinstance(value, float | Decimal) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    # Not “0E-10”.
    return f"{value:f}" if isinstance(value, Decimal) else value


def named_values(schema: type[Validated], values: Mapping[str, Any]) -> Validated:
    """Validate values given by the names of their fields instead of their aliases."""
    infos = schema.model_fields
    return schema.model_validate(
        {alias_of(name, infos[name]): value for name, value in values.items()}
    )


def _demanded(annotation: Any, info: FieldInfo) -> Any:
    demanded = copy(info)
    demanded.default = PydanticUndefined
    options = get_args(annotation)
    if NoneType in options:
        # Any: annotations are known only at run time.
        others: list[Any] = [option for option in options if option is not NoneType]
        annotation = reduce(or_, others)
    return (annotation, demanded)


def _optional(info: FieldInfo) -> Any:
    optional = _with_factory(info, None)
    return (optional.annotation, optional)


def _with_factory(info: FieldInfo, default: Any) -> FieldInfo:
    """Return a field with a default that OpenAPI does not document."""
    made = FieldInfo.merge_field_infos(info, default=default)
    made.default = PydanticUndefined
    made.default_factory = lambda: default
    return made
