"""Action forms: the fields that an action asks for, of any class of pydantic or SQLModel."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from sqlalchemy import Column
from sqlmodel.main import get_column_from_field

from hero_admin.model.actions import Action
from hero_admin.model.annotations import is_secret
from hero_admin.model.arguments import ResourceError
from hero_admin.model.column_types import input_for
from hero_admin.model.fields import Field
from hero_admin.model.labels import in_sentence, label_of
from hero_admin.model.relations import Relation
from hero_admin.model.resource import Resource


@dataclass(frozen=True, eq=False)
class ActionForm:
    """The form of an action; like a resource it has fields and labels, but no table.

    name: the path of the action below that of the Admin: “heroes/actions/transfer”.
    """

    name: str
    schema: type[BaseModel]
    fields: tuple[Field, ...]

    @cached_property
    def labels(self) -> dict[str, str]:
        """The label of each field as it stands within a sentence."""
        return {field.name: in_sentence(field.label) for field in self.fields}

    @cached_property
    def by_name(self) -> dict[str, Field]:
        return {field.name: field for field in self.fields}

    @property
    def has_files(self) -> bool:
        return any(field.is_bytes for field in self.fields)


@dataclass(frozen=True, eq=False)
class AskedField(Field):
    """A field of the form of an action."""

    # Any: the value of any type.
    @property
    def default(self) -> Any:
        """Its default value; what a factory makes, such as `date.today`, is there to be seen."""
        if self.info.default_factory is None or self.info.default_factory_takes_validated_data:
            return super().default
        return self.info.get_default(call_default_factory=True)


def action_form(action: Action, name: str, resources: Sequence[Resource]) -> ActionForm | None:
    """Return the form of an action, None without one.

    name: the path of the action. Raises ResourceError for a field that no form can have.
    """
    if action.form is None:
        return None
    fields = [
        _field_of(action, field, info, resources)
        for field, info in action.form.model_fields.items()
    ]
    return ActionForm(name, action.form, tuple(fields))


def _field_of(action: Action, name: str, info: FieldInfo, resources: Sequence[Resource]) -> Field:
    column = _column_of(action, name, info)
    relation = _relation_of(action, name, column, resources)
    given = input_for(column.type, info.annotation)
    if not given.is_editable:
        raise _refused(action, f"can't ask for {name}, whose type has no input")
    return AskedField(
        name=name,
        label=info.title or label_of(name, is_relation=relation is not None),
        column=column,
        info=info,
        input=given,
        relation=relation,
        is_key=False,
        is_generated=False,
        is_masked=is_secret(info.annotation),
    )


# Any: the values of a column.
def _column_of(action: Action, name: str, info: FieldInfo) -> Column[Any]:
    """Return the column that a field would have in a table, which tells its input."""
    try:
        column = get_column_from_field(info)
    except (ValueError, TypeError, RuntimeError):
        raise _refused(action, f"can't ask for {name}, whose type has no input") from None
    column.name = column.key = name
    return column


# Any: the same.
def _relation_of(
    action: Action,
    name: str,
    column: Column[Any],
    resources: Sequence[Resource],
) -> Relation | None:
    for key in column.foreign_keys:
        for resource in resources:
            for field in resource.fields:
                if f"{resource.table.fullname}.{field.column.name}" == key.target_fullname:
                    return Relation(resource.model, field.name, None)
        raise _refused(
            action, f"refers to {key.target_fullname} by {name}, which no resource administers"
        )
    return None


def _refused(action: Action, mistake: str) -> ResourceError:
    return ResourceError(f"action({action.label!r}): form= {mistake}.")
