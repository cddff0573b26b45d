"""Computed checks: mistakes in the computed columns of a resource."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, PrimaryKeyConstraint, UniqueConstraint
from sqlalchemy.orm import QueryableAttribute

from hero_admin.model.computed import Column, count, counted_field, sql_of
from hero_admin.model.computed_fields import ComputedField
from hero_admin.model.fields import Field
from hero_admin.model.resource import Resource
from hero_admin.model.rules import parameter_count

UNIQUE = PrimaryKeyConstraint, UniqueConstraint
TAKES = "takes SQL about the model, count(Model.foreign_key), or a function of a record"


def wrong_computed(resource: Resource) -> Iterator[str]:
    """Yield the mistakes in computed columns; they are made only if there is none."""
    columns = _given(resource)
    taken = _taken_names(resource)
    for column in columns:
        # Arguments may have any type.
        label: object = column.label
        if not isinstance(label, str):
            yield 'Column() takes a label first, as in Column("Deck area", Ship.length * Ship.beam)'
        elif not column.key.isidentifier():
            yield f"{column} needs a label that begins with a letter, as it names it in URLs"
        elif column.key in taken:
            who = taken[column.key]
            yield f"{column} goes by the name {column.key}, which {who} has: rename it"
        else:
            taken[column.key] = str(column)
            yield from _wrong_value(resource, column)
    first = next(iter(resource.columns), None)
    if isinstance(first, Column):
        yield f"columns= begins with a column of the model, which leads to the record, not {first}"


def wrong_uses(resource: Resource) -> Iterator[str]:
    """Yield the computed columns that the list cannot be sorted or filtered by, and why."""
    for field in resource.filter_fields:
        if isinstance(field, ComputedField) and not field.can_filter:
            yield f"filters= can't filter by “{field.label}”, as {_reason(field)}"
    sorted_by = resource.by_any_name.get(resource.default_sort.removeprefix("-"))
    if isinstance(sorted_by, ComputedField) and not sorted_by.is_sortable:
        yield f"sort={resource.sort!r} can't sort by “{sorted_by.label}”, as {_reason(sorted_by)}"


def wrong_reads(resource: Resource, resources: Sequence[Resource]) -> Iterator[str]:
    """Yield what would show masked values, or let the database read a table for each row."""
    made = {each.model for each in resources if not each.read_only}
    masked = {
        field.column: field.name for each in resources for field in each.fields if field.is_masked
    }
    for field in resource.computed:
        for column in field.columns_read & masked.keys():
            yield f"Column({field.label!r}) would show {masked[column]}, which is masked"
        counted = field.counted
        # Related lists need the index, so `doctor --fix` creates it for administered models.
        if counted is None or _is_indexed(counted):
            continue
        model = next((each.model for each in resources if each.table is counted.column.table), None)
        if model not in made:
            table = counted.column.table.name
            yield f"“{field.label}” counts by {table}.{counted.name}, which needs index=True"


def _given(resource: Resource) -> list[Column]:
    given = dict.fromkeys((*resource.columns, *(resource.filters or ())))
    return [each for each in given if isinstance(each, Column)]


def _taken_names(resource: Resource) -> dict[str, str]:
    """Return who has each name in the API, in URLs or in CSV."""
    taken: dict[str, str] = {}
    for field in resource.fields:
        for name in (field.name, field.public_name):
            taken[name] = f"the column {field.name}"
        if field.relation:
            short = field.name.removesuffix("_id")
            taken |= dict.fromkeys((short, f"{short}_title"), f"the title of {field.name}")
    return taken | {link.name: f"the link {link.name}" for link in resource.many_to_many}


def _wrong_value(resource: Resource, column: Column) -> Iterator[str]:
    value: Any = column.value
    if isinstance(value, count):
        yield from _wrong_count(resource, column, counted_field(value))
        return
    expression = sql_of(value)
    if expression is not None:
        yield from _wrong_sql(resource, column, expression)
        return
    try:
        is_function = not isinstance(value, type) and parameter_count(value) == 1
    # Whatever is no function, or one of C that does not tell.
    except (TypeError, ValueError):
        is_function = False
    if not is_function:
        yield f"{column} {TAKES}, and {value!r} is none of these"


def _wrong_count(resource: Resource, column: Column, counted: Field | None) -> Iterator[str]:
    model = resource.model.__name__
    if counted is None or counted.relation is None:
        yield f"{column} counts by a foreign key, such as count(Other.{model.lower()}_id)"
    elif not issubclass(resource.model, counted.relation.target):
        yield f"{column} counts by {counted.name}, which doesn't refer to {model}"


def _wrong_sql(resource: Resource, column: Column, expression: ColumnElement[Any]) -> Iterator[str]:
    others = [each for each in expression._from_objects if each is not resource.table]  # noqa: SLF001
    if others:
        yield (
            f"{column} reads {others[0]}, so make it a subquery:"
            " select(…).where(…).scalar_subquery()"
        )
    if isinstance(column.value, QueryableAttribute):
        own = resource.by_name.get(column.value.key)
        if own is not None and (own.relation or own.is_bytes):
            yield f"{column} is {own.name} itself: name that in columns="


def _is_indexed(field: Field) -> bool:
    """Whether a model declares an index that begins with a column."""
    column, table = field.column, field.column.table
    unique = [each for each in table.constraints if isinstance(each, UNIQUE)]
    firsts = [next(iter(each.columns), None) for each in (*table.indexes, *unique)]
    return bool(column.unique) or any(first is column for first in firsts)


def _reason(field: ComputedField) -> str:
    if field.function is not None:
        return "it is made in Python, where the database can't look"
    if field.counted is not None:
        return "it is counted for each row that is shown, and no index has that order"
    if not field.input.is_range and field.ordered is None:
        return "only numbers, dates and times have an order here; keep other values in a column"
    if field.ordered is not None:
        return "it has too many values"
    return (
        "no index of the model has it: declare Index(name, expression, key), or keep it in a"
        " generated column"
    )
