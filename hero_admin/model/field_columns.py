"""Field columns: how SQL reads, binds and writes the values of a field, without loss."""

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from sqlalchemy import BindParameter, Column, ColumnElement, FromClause, bindparam, type_coerce
from sqlalchemy.types import TypeEngine

from hero_admin.audit_log.blobs import select_data
from hero_admin.model import inputs
from hero_admin.model.blobs import BlobType, FileData
from hero_admin.model.column_types import example_of, is_text
from hero_admin.model.exact_columns import exactly
from hero_admin.model.exact_types import ExactType
from hero_admin.model.inputs import Input
from hero_admin.model.storable import storable, unwrapped_type


@dataclass(frozen=True, eq=False, kw_only=True)
class FieldColumn:
    """The column of a field, and the input of its values."""

    column: Column[Any]
    input: Input

    @property
    def is_optional(self) -> bool:
        """Whether its column is nullable."""
        return bool(self.column.nullable)

    @property
    def is_text(self) -> bool:
        return is_text(self.column.type, self.input)

    @property
    def is_bytes(self) -> bool:
        """Whether its values are files; pages show their type and size."""
        return self.input.kind == "bytes"

    @property
    def is_read_by_database(self) -> bool:
        """Whether only the database can parse and check its values."""
        return self.input is inputs.DATABASE_TEXT

    @property
    def example(self) -> str:
        """An example of its values, for an error message."""
        return example_of(unwrapped_type(self.column.type))

    @cached_property
    def exact_type(self) -> TypeEngine[Any]:
        """The type that reads and binds its values without loss."""
        if self.is_bytes:
            return BlobType()
        number = None
        if self.input.kind == "number":
            number = Decimal if self.input.parse is inputs.DECIMAL.parse else float
        return ExactType(self.column.type, self.input, number)

    @cached_property
    def exact(self) -> ColumnElement[Any]:
        return exactly(self.column, self.exact_type)

    def exact_in(self, rows: FromClause) -> ColumnElement[Any]:
        """Return the same column of an alias of its table."""
        return exactly(rows.c[self.column.key], self.exact_type)

    def given(self, name: str, *, is_list: bool = False) -> BindParameter[Any]:
        """Return a parameter of its exact type."""
        return bindparam(name, type_=self.exact_type, expanding=is_list)

    @cached_property
    def whole(self) -> ColumnElement[Any]:
        """The column as records have it: files as their digest, type and size."""
        return type_coerce(self.column, BlobType(has_digest=True)) if self.is_bytes else self.exact

    def written(self, name: str, *, is_recorded: bool) -> ColumnElement[Any]:
        """Return the expression to store for the parameter `name`.

        is_recorded: whether it is a file that the history has a copy of.
        """
        if is_recorded:
            return select_data(self.given(name)).scalar_subquery()
        return bindparam(name, type_=FileData()) if self.is_bytes else self.given(name)

    def clean(self, value: Any) -> Any:
        """Return `value` as its column stores it on every database.

        Raises ValueError with a sentence for what one of them could not store exactly.
        """
        return storable(value, self.column.type, self.input)
