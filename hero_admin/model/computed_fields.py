"""Computed fields: what lists, pages, exports and the API show beside the fields of a model."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pydantic.fields import FieldInfo
from sqlalchemy import Column as TableColumn
from sqlalchemy import ColumnElement, Integer, String, func, literal, select
from sqlalchemy.sql.visitors import iterate
from sqlalchemy.types import TypeEngine
from sqlmodel import SQLModel

from hero_admin.model.column_types import input_for
from hero_admin.model.computed import Column, count, counted_field, sql_of
from hero_admin.model.exact_columns import exactly
from hero_admin.model.exact_types import ComputedDecimal
from hero_admin.model.fields import Field
from hero_admin.model.indexed_expressions import indexed_expression, stored_field
from hero_admin.model.inputs import DECIMAL
from hero_admin.model.rules import detached
from hero_admin.model.stored_values import readable

# Any: annotations. What the API documents of the values of each kind of input.
JSON_TYPES: dict[str, Any] = {
    "integer": int | None,
    "bool": bool | None,
    "date": date | None,
    "datetime": datetime | None,
    "time": time | None,
    "duration": timedelta | None,
    "uuid": UUID | None,
    "text": str | None,
    "long_text": str | None,
}


@dataclass(frozen=True, eq=False)
class ComputedField(Field):
    """A computed column of a resource, as a field that nobody sets.

    expression: its SQL, None for one made in Python. function: the one that makes it.
    counted, own: the foreign key whose rows are counted, and the field that it refers to.
    ordered: what has its values in an index, by which lists sort and filter: the SQL, or a field.
    """

    expression: ColumnElement[Any] | None = None
    function: Callable[[Any], Any] | None = None
    counted: Field | None = None
    own: Field | None = None
    ordered: ColumnElement[Any] | Field | None = None

    @property
    def is_sortable(self) -> bool:
        return self.ordered is not None

    @property
    def can_filter(self) -> bool:
        return self.ordered is not None and self.input.is_range

    @property
    def is_editable(self) -> bool:
        return False

    @property
    def is_computed(self) -> bool:
        return True

    # Any: an annotation.
    @cached_property
    def read_annotation(self) -> Any:
        return JSON_TYPES.get(self.input.kind, Any)

    @cached_property
    def exact(self) -> ColumnElement[Any]:
        """Its values as an index has them, for predicates and ORDER BY."""
        if isinstance(self.ordered, Field):
            return self.ordered.exact
        assert self.ordered is not None
        return exactly(self.ordered, self.exact_type)

    def selected(self, cap: int | None) -> ColumnElement[Any]:
        """Return its SQL for a statement of its table; a count ends one beyond `cap`."""
        if self.counted is not None and self.own is not None:
            return _count(self.counted, self.own, cap)
        assert self.expression is not None
        return exactly(self.expression, self._shown_type)

    # Any: the values of a column.
    @property
    def _shown_type(self) -> TypeEngine[Any]:
        is_stored = isinstance(self.ordered, Field) and not self.ordered.is_computed
        if is_stored or self.input is not DECIMAL:
            return self.exact_type
        return ComputedDecimal(self.column.type, self.input, Decimal)

    # Any: the values of a record.
    def made(self, model: type[SQLModel], values: Mapping[str, Any]) -> str | None:
        """Return what its function makes of a record; raises whatever that raises."""
        assert self.function is not None
        made = self.function(detached(model, {k: readable(v) for k, v in values.items()}))
        return None if made is None else str(made)

    @cached_property
    def columns_read(self) -> frozenset[TableColumn[Any]]:
        """The columns that its SQL reads, of any table."""
        fields = {each.column for each in (self.counted, self.own) if each is not None}
        parts = iterate(self.expression) if self.expression is not None else ()
        return frozenset(fields | {each for each in parts if isinstance(each, TableColumn)})


class ComputedColumns:
    """The computed columns of a resource, by its arguments and its fields."""

    if TYPE_CHECKING:
        # What a resource has. Any: attributes of the model, and computed columns.
        @property
        def model(self) -> type[SQLModel]: ...
        @property
        def columns(self) -> tuple[Any, ...]: ...
        @property
        def filters(self) -> tuple[Any, ...] | None: ...
        @property
        def fields(self) -> tuple[Field, ...]: ...
        @property
        def list_fields(self) -> tuple[Field, ...]: ...
        @property
        def by_name(self) -> dict[str, Field]: ...
        @property
        def unseen(self) -> frozenset[str]: ...
        def laid_out(self, fields: Iterable[Field]) -> tuple[Field, ...]: ...

    @cached_property
    def computed(self) -> tuple[ComputedField, ...]:
        """The computed columns, which are read by a statement of their own."""
        given = dict.fromkeys((*self.columns, *(self.filters or ())))
        columns = [each for each in given if isinstance(each, Column)]
        made = (_field(self.model, each, self.fields) for each in columns)
        seen = [each for each in made if each.name not in self.unseen]
        # With the formats of `show=`.
        laid_out = self.laid_out(seen) if seen else ()
        return tuple(each for each in laid_out if isinstance(each, ComputedField))

    @cached_property
    def by_any_name(self) -> dict[str, Field]:
        """The fields and the computed columns, by name."""
        return {**self.by_name, **{each.name: each for each in self.computed}}

    @cached_property
    def list_columns(self) -> tuple[Field, ...]:
        """What the list shows: its fields, and the computed columns in their places."""
        if not self.computed:
            return self.list_fields
        named = [
            self.by_any_name[each.key] for each in self.columns if each.key in self.by_any_name
        ]
        return tuple(dict.fromkeys((*self.list_fields[:1], *named)))

    @cached_property
    def function_fields(self) -> tuple[Field, ...]:
        """What the functions of computed columns may read; none without one."""
        if all(each.function is None for each in self.computed):
            return ()
        return tuple(each for each in self.fields if not (each.is_masked or each.is_bytes))


def _field(model: type[SQLModel], column: Column, fields: Sequence[Field]) -> ComputedField:
    if isinstance(column.value, count):
        counted = counted_field(column.value)
        relation = counted.relation if counted else None
        own = next(
            (field for field in fields if relation and field.name == relation.target_column), None
        )
        return _made(column, Integer(), counted=counted, own=own)
    expression = sql_of(column.value)
    if expression is None:
        return _made(column, String(), function=column.value)
    stored = stored_field(expression, fields)
    ordered = stored or indexed_expression(expression, model)
    made = _made(column, expression.type, expression=expression, ordered=ordered)
    # Texts are sorted by keys of their own, which only the index of a column has.
    return (
        made
        if stored or made.input.is_range
        else _made(column, expression.type, expression=expression)
    )


# Any: parts of a computed field.
def _made(column: Column, kind: TypeEngine[Any], **parts: Any) -> ComputedField:
    given = input_for(kind)
    stored = parts.get("ordered")
    return ComputedField(
        name=column.key,
        label=column.label,
        column=stored.column if isinstance(stored, Field) else TableColumn(column.key, kind),
        info=FieldInfo(default=None, title=column.label, json_schema_extra={"readOnly": True}),
        input=stored.input if isinstance(stored, Field) else given,
        relation=None,
        is_key=False,
        is_generated=False,
        **parts,
    )


def _count(counted: Field, own: Field, cap: int | None) -> ColumnElement[int]:
    """Return the number of rows that refer to a row, read from the index of the foreign key."""
    rows = counted.column.table.alias("counted")
    same = own.exact == counted.exact_in(rows)
    if cap is None:
        whole = select(func.count()).select_from(rows).where(same)
        return whole.correlate(own.column.table).scalar_subquery()
    some = select(literal(1).label("one")).select_from(rows).where(same).limit(cap + 1)
    some = some.correlate(own.column.table)
    return select(func.count()).select_from(some.subquery("some")).scalar_subquery()
