"""The schemas of a resource: what its form and API take, and what its API answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import create_model
from sqlmodel import SQLModel

from hero_admin.model.computed_fields import ComputedField
from hero_admin.model.fields import Field
from hero_admin.model.schemas import derive, partial, with_optional


@dataclass(frozen=True, eq=False)
class ResourceSchemas:
    """The schemas of a resource, derived from the model where `given_…` is None.

    unseen, fixed: the names of what their reader may not read, and may not change.
    """

    model: type[SQLModel]
    fields: tuple[Field, ...]
    given_create: type[SQLModel] | None
    given_update: type[SQLModel] | None
    given_read: type[SQLModel] | None
    unseen: frozenset[str] = frozenset()
    fixed: frozenset[str] = frozenset()
    computed: tuple[ComputedField, ...] = ()

    @cached_property
    def create(self) -> type[SQLModel]:
        given = self.given_create
        if given is None:
            fields = [each for each in self.fields if each.is_editable and not each.is_generated]
            return self._derive("Create", fields)
        # Nobody is asked for what they may not set.
        others = self.fixed & given.model_fields.keys()
        return with_optional(given, given.__name__, others) if others else given

    @cached_property
    def update(self) -> type[SQLModel]:
        """The schema of changes to a record: every field is optional, its key is left out."""
        if self.given_update is not None:
            return self.given_update
        by_name = {field.name: field for field in self.fields}
        names = list(self.create.model_fields)
        unkeyed = [name for name in names if not (name in by_name and by_name[name].is_key)]
        schema = self.create
        if len(unkeyed) < len(names):
            schema = self._derive("Change", [by_name[name] for name in unkeyed])
        return partial(schema, f"{self.model.__name__}Update")

    @cached_property
    def read(self) -> type[SQLModel]:
        """The schema of what the API answers, with computed columns at its end."""
        read = self.given_read or self._derive_read()
        # Any: values of any type, as SQL computes them.
        definitions: dict[str, Any] = {
            each.name: (each.read_annotation, each.info)
            for each in self.computed
            if each.name not in read.model_fields
        }
        if not definitions:
            return read
        module = read.__module__
        return create_model(read.__name__, __base__=read, __module__=module, **definitions)

    def _derive_read(self) -> type[SQLModel]:
        annotations = {
            # Null for whoever may not read it.
            field.name: field.read_annotation | None if field.is_masked else field.read_annotation
            for field in self.fields
        }
        return derive(self.model, f"{self.model.__name__}Read", annotations)

    @cached_property
    def create_fields(self) -> tuple[Field, ...]:
        """The fields of the form for a new record."""
        return self._editable_in(self.create)

    @cached_property
    def edit_fields(self) -> tuple[Field, ...]:
        """The fields of the form for an existing record, whose key never changes."""
        return self._editable_in(self.update)

    def values_to_insert(self, valid: SQLModel) -> dict[str, Any]:
        """Return the values of a new record, without those that are left to column defaults."""
        values = {name: getattr(valid, name) for name in type(valid).model_fields}
        defaulted = {field.name for field in self.fields if field.has_column_default}
        return {
            name: value
            for name, value in values.items()
            if value is not None or name in valid.model_fields_set or name not in defaulted
            # What its sender did not set; `writes` refuses what they did.
            if not (
                name in self.unseen or (name in self.fixed and name not in valid.model_fields_set)
            )
        }

    def _editable_in(self, schema: type[SQLModel]) -> tuple[Field, ...]:
        return tuple(
            field
            for field in self.fields
            if field.name in schema.model_fields and field.is_editable and not field.is_hidden
        )

    def _derive(self, suffix: str, fields: Sequence[Field]) -> type[SQLModel]:
        annotations = {field.name: field.written_annotation for field in fields}
        defaults = {field.name: field.default for field in fields}
        # Nothing else makes such a key.
        demanded = {field.name for field in fields if field.is_demanded}
        left_out = {field.name for field in fields if field.has_column_default}
        name = f"{self.model.__name__}{suffix}"
        return derive(self.model, name, annotations, defaults, demanded, left_out)
