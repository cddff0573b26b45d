"""Fields: what is known of each column of a model, derived from the model alone."""

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any, get_args

from annotated_types import Ge, Le, MaxLen
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from sqlalchemy import BindParameter, Column, ColumnElement, FromClause, bindparam, type_coerce
from sqlalchemy import inspect as sqlalchemy_inspect
from sqlalchemy.orm import Mapper
from sqlalchemy.types import TypeEngine
from sqlmodel import SQLModel

from hero_admin.audit_log.blobs import select_data
from hero_admin.model import inputs
from hero_admin.model.blobs import BlobType
from hero_admin.model.column_types import (
    example_of,
    input_for,
    is_secret,
    is_text,
    plain_annotation,
    takes_none,
)
from hero_admin.model.exact_types import ExactType, exactly
from hero_admin.model.inputs import Input
from hero_admin.model.labels import label_of
from hero_admin.model.schemas import FileText, file_annotation, is_encoded, text_annotation
from hero_admin.model.storable import is_aware, rounded, storable, unwrapped_type


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
    # Whether its numbers are sums of money.
    is_money: bool = False

    @property
    def public_name(self) -> str:
        """What programs call it when they read it: in the API and in exports."""
        return self.info.serialization_alias or self.info.alias or self.name

    @property
    def is_sortable(self) -> bool:
        """Whether a list can be sorted by it; the order of masked values would tell them."""
        # A key has an order, whatever its type: an index holds it.
        return (self.input.is_sortable or self.is_key) and not self.is_masked

    @property
    def is_editable(self) -> bool:
        """Whether people and programs can give it a value here."""
        return self.input.is_editable and not self.is_computed

    @property
    def is_computed(self) -> bool:
        """Whether only the database gives it a value."""
        identity = self.column.identity
        is_always = identity is not None and bool(identity.always)
        return self.column.computed is not None or is_always

    @property
    def has_column_default(self) -> bool:
        """Whether its column fills it in where a new record leaves it out, unlike its model."""
        has_own = self.column.default is not None and self.info.is_required()
        return has_own or self.column.server_default is not None

    @property
    def is_optional(self) -> bool:
        """Whether its column may hold nothing."""
        return bool(self.column.nullable)

    @cached_property
    def takes_nothing(self) -> bool:
        """Whether a form may leave it empty: a model may ask for more than its table does."""
        return self.is_optional and takes_none(self.info.annotation)

    @property
    def is_demanded(self) -> bool:
        """Whether this part of a key has to be given, because nothing else makes it."""
        is_made = self.is_generated or self.has_column_default
        has_default = self.info.default not in (None, PydanticUndefined)
        return self.is_key and not (is_made or has_default)

    @property
    def display(self) -> str:
        """The kind of value that a page shows: an instant is no mere reading of a clock."""
        if self.relation:
            return "relation"
        if self.input.kind == "datetime" and not is_aware(self.column.type):
            return "clock"
        if self.input.kind == "time" and is_aware(self.column.type):
            return "zoned_time"
        return self.input.kind

    @property
    def is_text(self) -> bool:
        return is_text(self.column.type, self.input)

    @cached_property
    def exact_type(self) -> TypeEngine[Any]:
        """The type by which its values come and go as they are stored."""
        if self.is_bytes:
            return BlobType()
        number = None
        if self.input.kind == "number":
            number = Decimal if self.input.parse is inputs.DECIMAL.parse else float
        return ExactType(self.column.type, self.input, number)

    @cached_property
    def exact(self) -> ColumnElement[Any]:
        """The column, read and compared by that type."""
        return exactly(self.column, self.exact_type)

    def exact_in(self, rows: FromClause) -> ColumnElement[Any]:
        """Return the same of an alias of its table."""
        return exactly(rows.c[self.column.name], self.exact_type)

    def given(self, name: str, *, is_list: bool = False) -> BindParameter[Any]:
        """Return a parameter that takes its values."""
        return bindparam(name, type_=self.exact_type, expanding=is_list)

    @cached_property
    def default(self) -> Any:
        """The value that a new record has if none is given, as its column keeps it; or None."""
        # A factory is left to run when the record is made: a time or a UUID is none to look at.
        if self.info.is_required() or self.info.default_factory is not None:
            return None
        default = rounded(self.info.default, self.column.type)
        try:
            return self.clean(default)
        except ValueError:
            # What it says stands beside the field, should it be left so.
            return default

    @cached_property
    def written_annotation(self) -> Any:
        """What a schema checks of a value; what has passed is of the type that the column takes."""
        if self.is_bytes:
            return file_annotation(self.info)
        if self.is_read_by_database:
            return str | None if self.is_optional else str
        is_plain = plain_annotation(self.info.annotation) is str and not is_encoded(self.info)
        return self.info.annotation if is_plain or not self.is_text else text_annotation(self.info)

    @cached_property
    def read_annotation(self) -> Any:
        """What a schema says of a value that is stored, of whatever type that is."""
        if self.is_bytes:
            return FileText | None if self.is_optional else FileText
        if self.is_read_by_database:
            return self.written_annotation
        if self.is_text and self.written_annotation is not self.info.annotation:
            return str | None if self.is_optional else str
        return self.info.annotation if self.is_editable else Any

    @property
    def is_bytes(self) -> bool:
        """Whether its values are files, of which pages show what is known of them."""
        return self.input.kind == "bytes"

    @property
    def is_read_by_database(self) -> bool:
        """Whether only the database knows what is a value, so that it has to be asked."""
        return self.input is inputs.DATABASE_TEXT

    @property
    def example(self) -> str:
        """What such a value is like."""
        return example_of(unwrapped_type(self.column.type))

    @cached_property
    def whole(self) -> ColumnElement[Any]:
        """The column as records have it, who know the digests of bytes."""
        return type_coerce(self.column, BlobType(has_digest=True)) if self.is_bytes else self.exact

    def written(self, name: str) -> ColumnElement[Any]:
        """Return what is written into the column for the value of a parameter."""
        given = self.given(name)
        return select_data(given).scalar_subquery() if self.is_bytes else given

    @cached_property
    def attributes(self) -> dict[str, str]:
        """The HTML attributes that tell a browser what this field takes."""
        found: dict[str, str] = {}
        for limit in self.info.metadata:
            match limit:
                case MaxLen(bound) if self.is_bytes:
                    # Of a file that a script looks at before it is sent.
                    found["data-most"] = str(bound)
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
        return storable(value, self.column.type, self.input)


def fields_of(model: type[SQLModel]) -> tuple[Field, ...]:
    """Return the fields of a table model, in the order in which the model declares them."""
    mapper = sqlalchemy_inspect(model)
    return tuple(
        _field_of(model, mapper, name) for name in model.model_fields if name in mapper.columns
    )


def _field_of(model: type[SQLModel], mapper: Mapper[Any], name: str) -> Field:
    column = mapper.columns[name]
    info = model.model_fields[name]
    given = input_for(column.type, info.annotation)
    relation = _relation_of(mapper, column, given)
    if given is inputs.BYTES and (column.primary_key or relation):
        given = inputs.HEXADECIMAL
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
    """Whether a key is made by the model or by the database; another one is asked for.

    SQLAlchemy would let the database count any whole number that is a key. A model that demands
    the number (`number: int`) means one that people give, such as that of an invoice.
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


def _relation_of(mapper: Mapper[Any], column: Column[Any], given: Input) -> Relation | None:
    for key in column.foreign_keys:
        # A key of several columns is no picker: each of its columns alone points at no record.
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
    """Whether the values of two columns are the same ones in Python, and can be looked up.

    SQLite lets a text point at a date, and PostgreSQL has keys that are objects or lists: these are
    plain values here. Whole numbers may be those of a decimal column.
    """
    if theirs.kind in {"json", "other"}:
        return False
    is_whole = getattr(unwrapped_type(target.type), "scale", None) == 0
    if own.kind == "integer" and theirs is inputs.DECIMAL and is_whole:
        return True
    return _values_of(own) == _values_of(theirs)


def _values_of(given: Input) -> str:
    """Return the kind of a column's values, whichever of them may be chosen."""
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
