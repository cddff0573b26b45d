"""Rows of records: inserts and updates them with checked values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from sqlalchemy import ColumnElement, CursorResult, Insert, Update, insert, update
from sqlalchemy.engine.interfaces import ExecutionContext
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.schema import CallableColumnDefault

from hero_admin.database.identifiers import numbered
from hero_admin.database.insert_again import InsertAgain
from hero_admin.model.blobs import is_recorded
from hero_admin.model.primary_keys import Key
from hero_admin.model.resource import Resource

# A record, and its new values. Any: values of any fields.
Change = tuple[Key, Mapping[str, Any]]
# The names of given fields, and whether each is a file that the history has a copy of.
Shape = tuple[tuple[str, bool], ...]


async def insert_record(
    session: AsyncSession, resource: Resource, values: Mapping[str, Any], *, is_back: bool = False
) -> Key | None:
    """Insert a record and return its key, None where a trigger has prevented it.

    is_back: whether the record is restored.
    """
    own = numbered(field.exact for field in resource.key)
    if not is_back:
        values = _called(resource, "default", values) | dict(values)
    written = _written(resource, values)
    new = InsertAgain(resource.table) if is_back else insert(resource.table)
    statement = new.values(_given(resource, written)).returning(*own)
    made = (await session.execute(statement, _named(written))).one_or_none()
    return None if made is None else tuple(made)


async def insert_records(
    session: AsyncSession, resource: Resource, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Insert records, by one statement for all that have the same fields."""
    whole = [_called(resource, "default", row) | dict(row) for row in rows]
    await _insert_batches(session, resource, whole, insert(resource.table))


async def insert_again(
    session: AsyncSession, resource: Resource, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Insert restored records, by one statement for all that have the same fields."""
    await _insert_batches(session, resource, rows, InsertAgain(resource.table))


async def _insert_batches(
    session: AsyncSession, resource: Resource, rows: Sequence[Mapping[str, Any]], new: Insert
) -> None:
    batches: dict[Shape, list[Mapping[str, Any]]] = {}
    for row in rows:
        written = _written(resource, row)
        batches.setdefault(_shape(written), []).append(written)
    for batch in batches.values():
        statement = new.values(_given(resource, batch[0]))
        await session.execute(statement, [_named(row) for row in batch])


async def update_records(
    session: AsyncSession, resource: Resource, changed: Sequence[Change], *, is_exact: bool = False
) -> bool:
    """Set new values in each record, by one statement for all that change the same fields.

    is_exact: whether columns with `onupdate` stay as they are. Return False if a single record was
    not updated, as when a trigger prevents it.
    """
    batches: dict[Shape, list[Change]] = {}
    for key, values in changed:
        written = _changed(resource, values, is_exact=is_exact)
        if written:
            batches.setdefault(_shape(written), []).append((key, written))
    for batch in batches.values():
        statement = _update(resource, batch[0][1], is_exact=is_exact)
        parameters = [_keyed(key) | _named(values) for key, values in batch]
        # For several parameter sets drivers report no row count.
        if len(changed) == 1:
            updated = await session.execute(statement, parameters[0])
            return cast(CursorResult[Any], updated).rowcount != 0
        await session.execute(statement, parameters)
    return True


async def update_returning(
    session: AsyncSession,
    resource: Resource,
    changed: Change,
    columns: Sequence[ColumnElement[Any]],
    *,
    is_exact: bool = False,
) -> Sequence[Any] | None:
    """Update a record; return some columns of its row then, None if it was not updated."""
    key, values = changed
    written = _changed(resource, values, is_exact=is_exact)
    statement = _update(resource, written, is_exact=is_exact).returning(*numbered(columns))
    rows = await session.execute(statement, _keyed(key) | _named(written))
    return rows.one_or_none()


def _changed(resource: Resource, values: Mapping[str, Any], *, is_exact: bool) -> Mapping[str, Any]:
    written = _written(resource, values)
    if is_exact or not written:
        return written
    return _called(resource, "onupdate", written) | written


def _update(resource: Resource, values: Mapping[str, Any], *, is_exact: bool) -> Update:
    unchanged = [field.column for field in resource.fields if is_exact and field.column.onupdate]
    own = [
        field.exact == field.given(f"key_{position}") for position, field in enumerate(resource.key)
    ]
    new = {column: column for column in unchanged} | _given(resource, values)
    return update(resource.table).where(*own).values(new)


def _keyed(key: Key) -> dict[str, Any]:
    return {f"key_{position}": part for position, part in enumerate(key)}


@dataclass(frozen=True)
class _Context:
    """The execution context of a default function: the other values of its row.

    SQLAlchemy's own has them by the names of parameters, which here differ from the columns.
    """

    current_column: ColumnElement[Any]
    current_parameters: Mapping[str, Any]

    def get_current_parameters(self, *_: bool, **__: bool) -> dict[str, Any]:
        return dict(self.current_parameters)


def _called(
    resource: Resource, kind: Literal["default", "onupdate"], values: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the values of column default functions for a record."""
    found = {}
    for field in resource.fields:
        made = field.column.default if kind == "default" else field.column.onupdate
        if field.name not in values and isinstance(made, CallableColumnDefault):
            given = {resource.by_name[name].column.key: value for name, value in values.items()}
            # Such functions call only what `_Context` has.
            found[field.name] = made.arg(cast(ExecutionContext, _Context(field.column, given)))
    return found


def _written(resource: Resource, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values without those of computed columns."""
    computed = {field.name for field in resource.fields if field.column.computed is not None}
    return {name: value for name, value in values.items() if name not in computed}


def _shape(values: Mapping[str, Any]) -> Shape:
    """Return what the values of one statement have in common."""
    return tuple((name, is_recorded(value)) for name, value in values.items())


# Any: the keys are columns.
def _given(resource: Resource, values: Mapping[str, Any]) -> dict[Any, Any]:
    fields = [(resource.by_name[name], copied) for name, copied in _shape(values)]
    return {
        each.column: each.written(f"new_{each.name}", is_recorded=copied) for each, copied in fields
    }


def _named(values: Mapping[str, Any]) -> dict[str, Any]:
    return {f"new_{name}": value for name, value in values.items()}
