"""Checks of the layout of a resource: sections, formats, controls, read-only and hidden fields."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from pydantic_core import PydanticUndefined

from hero_admin.model.controls import Control
from hero_admin.model.fields import Field
from hero_admin.model.formatting import form_text
from hero_admin.model.named_columns import is_of, shown, wrong_columns
from hero_admin.model.resource import Resource

EXAMPLES = {
    "sections": '{"Name": (Hero.name, Hero.age)}',
    "show": "{Hero.age: str}",
    "inputs": '{Hero.age: Control(help="In years")}',
}
LOCKING = ("read_only_fields", "hidden")


def wrong_layout_types(resource: Resource) -> Iterator[str]:
    """Yield what is wrong before the columns of the model are known."""
    for argument, example in EXAMPLES.items():
        value = getattr(resource, argument)
        if not isinstance(value, Mapping):
            yield f"{argument}= takes a dict, such as {example}, not {shown(value)}"
    sections: Mapping[Any, Any] = resource.sections
    for title, columns in sections.items():
        if not isinstance(title, str):
            yield f"sections= takes headings, and {shown(title)} isn't a text"
        elif not isinstance(columns, tuple | list):
            yield f"sections= takes columns for {title!r}, such as (Hero.name,) with a comma"
    if not isinstance(getattr(resource, "tabs"), bool):  # noqa: B009 - as it was written
        yield f"tabs= takes True or False, not {shown(resource.tabs)}"
    if resource.tabs and len(resource.sections) < 2:
        yield "tabs= needs sections= with at least two"


def wrong_layout(resource: Resource, names: Collection[str]) -> Iterator[str]:
    """Yield the mistakes in how the fields and links with these names are laid out."""
    columns = [column for section in resource.sections.values() for column in section]
    # Computed columns stand on the page of a record only.
    placed = {*names, *resource.by_any_name}
    yield from wrong_columns(resource, "sections", columns, placed)
    fields = {field.name: field for field in resource.fields}
    shown_fields = resource.by_any_name
    yield from wrong_columns(resource, "show", resource.show, shown_fields)
    yield from wrong_columns(resource, "inputs", resource.inputs, fields)
    for column, given in resource.show.items():
        yield from _wrong_format(shown_fields[column.key], given)
    for column, control in resource.inputs.items():
        yield from _wrong_control(resource, fields[column.key], control, fields)
    hidden = {column.key for column in resource.hidden}
    for argument in ("columns", "filters", "sections"):
        named = columns if argument == "sections" else getattr(resource, argument) or ()
        for column in named:
            if column.key in hidden:
                yield f"hidden= names {column.key}, which {argument}= shows"
    if not resource.read_only:
        for argument in LOCKING:
            for column in getattr(resource, argument):
                yield from _wrongly_locked(resource, argument, fields[column.key])


# Any: an argument of any type.
def _wrong_format(field: Field, given: Any) -> Iterator[str]:
    if not callable(given):
        yield f"show= takes a function of a value for {field.name}, not {shown(given)}"
    elif field.relation is not None:
        yield f"show= can't format {field.name}, which is shown as a link"
    elif field.is_masked:
        yield f"show= can't format {field.name}, which is masked"


def _wrong_control(
    resource: Resource, field: Field, control: Any, names: Collection[str]
) -> Iterator[str]:
    if not isinstance(control, Control):
        hint = f"; did you mean {control.__name__}()?" if isinstance(control, type) else ""
        yield (
            f'inputs= takes a control for {field.name}, such as Control(help="In years"),'
            f" not {shown(control)}{hint}"
        )
        return
    is_chosen = field.relation is not None or field.is_masked or field.is_bytes
    if (control.template or control.has_parser) and (is_chosen or field.is_key):
        yield f"inputs= can't replace the control of {field.name}, only describe it"
    is_typed = not is_chosen and field.input.kind not in {"bool", "choice"}
    if control.placeholder and not is_typed:
        yield f"inputs= has a placeholder for {field.name}, which isn't typed"
    yield from _wrong_dependency(resource, field, control, names)


def _wrong_dependency(
    resource: Resource, field: Field, control: Control, names: Collection[str]
) -> Iterator[str]:
    other, values = control.dependency
    if other is None:
        return
    if isinstance(control.depends_on, tuple) and not values:
        yield f"inputs= lets {field.name} depend on values, but names none"
    elif not is_of(resource, other, names):
        yield f"inputs= lets {field.name} depend on {shown(other)}, which isn't of the model"
    elif other.key == field.name:
        yield f"inputs= lets {field.name} depend on itself"
    elif resource.by_name[other.key].is_masked or resource.by_name[other.key].is_bytes:
        yield f"inputs= lets {field.name} depend on {other.key}, whose value no form has"
    else:
        for value in values:
            if not _can_have(resource.by_name[other.key], value):
                yield f"inputs= lets {field.name} depend on {value!r}, which {other.key} never is"


# Any: a value of any type.
def _can_have(field: Field, value: Any) -> bool:
    """Whether the control of a field can have a value."""
    try:
        return value is None or field.clean(field.typed(form_text(field, value))) is not None
    # The formats of types raise anything for values of others.
    except Exception:  # noqa: BLE001
        return False


def _wrongly_locked(resource: Resource, argument: str, field: Field) -> Iterator[str]:
    has_default = (
        field.info.default not in (None, PydanticUndefined)
        or field.info.default_factory is not None
        or (field.takes_nothing and not field.info.is_required())
    )
    is_made = field.is_generated or field.is_computed or field.has_column_default
    # A hook may fill it in.
    if not (has_default or is_made or resource.before is not None):
        yield f"{argument}= names {field.name}, without which nothing can be created"
    for schema in ("create", "update"):
        taken = getattr(getattr(resource, schema), "model_fields", ())
        if argument == "read_only_fields" and field.name in taken:
            yield f"read_only_fields= names {field.name}, which {schema}= takes"
