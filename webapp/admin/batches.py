"""Batches: creates and changes many records in a few statements, and writes it down."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import bindparam, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from webapp.admin.changes import actual_differences, checked_values, is_same_value
from webapp.admin.fields import Field
from webapp.admin.keys import Key, key_condition, key_text
from webapp.admin.refusals import REFUSALS, fetch_refusal
from webapp.admin.resource import Resource
from webapp.admin.site import Site
from webapp.history import Entry, Kind, Operation, record


async def fetch_states(
    session: AsyncSession, resource: Resource, keys: Sequence[Key]
) -> dict[str, dict[str, Any]]:
    """Fetch the values of those of these records that are there, by key, and lock them."""
    columns = [field.column.label(f"_{place}") for place, field in enumerate(resource.fields)]
    own = [field.column for field in resource.key]
    rows = select(*columns).where(key_condition(resource, keys)).order_by(*own).with_for_update()
    names = [field.name for field in resource.fields]
    states = [dict(zip(names, row, strict=True)) for row in await session.execute(rows)]
    return {
        key_text(resource, tuple(state[field.name] for field in resource.key)): state
        for state in states
    }


async def fetch_targets(
    session: AsyncSession, site: Site, field: Field, values: Collection[Any]
) -> set[Any]:
    """Fetch which of the values of a relation lead to a record, and keep these from going."""
    assert field.relation is not None
    if not values:
        return set()
    column = site.target_of(field).by_name[field.relation.target_column].column
    there = select(column).where(column.in_(values)).order_by(column)
    return set(await session.scalars(there.with_for_update(read=True, key_share=True)))


async def lock_targets(
    session: AsyncSession, site: Site, resource: Resource, values: Mapping[str, Any]
) -> None:
    """Keep those from going that records will point at."""
    for field in resource.fields:
        if field.relation and values.get(field.name) is not None:
            await fetch_targets(session, site, field, {values[field.name]})


async def fetch_owners(
    session: AsyncSession,
    resource: Resource,
    fields: Sequence[Field],
    values: Collection[tuple[Any, ...]],
) -> dict[tuple[Any, ...], str]:
    """Fetch the key of the record that has each of these values in a set of unique fields."""
    if not values:
        return {}
    columns = [field.column for field in fields]
    if len(columns) == 1:
        is_any = columns[0].in_([value for (value,) in values])
    else:
        is_any = tuple_(*columns).in_(list(values))
    shown = [field.column for field in resource.key] + columns
    labelled = [column.label(f"_{place}") for place, column in enumerate(shown)]
    count = len(resource.key)
    return {
        tuple(row[count:]): key_text(resource, tuple(row[:count]))
        for row in await session.execute(select(*labelled).where(is_any))
    }


async def change_many(
    session: AsyncSession,
    site: Site,
    resource: Resource,
    keys: Sequence[Key],
    values: Mapping[str, Any],
    operation: Operation,
) -> int:
    """Change the same fields of many records; return how many had other values.

    Raises Invalid with a sentence for each field that cannot be stored; then none is changed.
    Fields that have to be unique are not among `values`.
    """
    checked = await checked_values(session, site, resource, values, {}, None)
    states = await fetch_states(session, resource, keys)
    changed = []
    for state in states.values():
        differing = {
            name: value
            for name, value in checked.items()
            if not is_same_value(resource.by_name[name], state[name], value)
        }
        if differing:
            changed.append((tuple(state[field.name] for field in resource.key), differing))
    async with _refusing(session, resource, checked):
        await _write(session, resource, changed)
    entries = []
    for text, after in (await fetch_states(session, resource, [key for key, _ in changed])).items():
        differences = actual_differences(resource, states[text], after)
        if differences:
            title = resource.title_among(after)
            entries.append(Entry(resource.name, text, title, Kind.CHANGED, differences))
    await record(session, operation, entries)
    return len(entries)


async def create_many(
    session: AsyncSession,
    resource: Resource,
    rows: Sequence[Mapping[str, Any]],
    operation: Operation,
    entries: Sequence[Entry],
) -> None:
    """Create records of whole rows, and write down the entries; all or, raising Invalid, none."""
    async with _refusing(session, resource):
        written = [field.name for field in resource.fields if not field.column.computed]
        for row in rows:
            made = resource.model()
            for name in written:
                if name in row:
                    setattr(made, name, row[name])
            session.add(made)
    await record(session, operation, entries)


async def change_each(
    session: AsyncSession,
    resource: Resource,
    changed: Sequence[tuple[Key, Mapping[str, Any]]],
    operation: Operation,
    entries: Sequence[Entry],
) -> None:
    """Give each of the locked records values that it had; all or, raising Invalid, none."""
    async with _refusing(session, resource):
        await _write(session, resource, changed, is_exact=True)
    await record(session, operation, entries)


async def _write(
    session: AsyncSession,
    resource: Resource,
    changed: Sequence[tuple[Key, Mapping[str, Any]]],
    *,
    is_exact: bool = False,
) -> None:
    """Give each record values of its own; if `is_exact`, an `onupdate` changes no others."""
    batches: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for key, values in changed:
        own = {f"key_{place}": part for place, part in enumerate(key)}
        written = {
            name: value
            for name, value in values.items()
            if not resource.by_name[name].column.computed
        }
        given = {f"new_{name}": value for name, value in written.items()}
        batches.setdefault(tuple(written), []).append(own | given)
    own_conditions = [
        field.column == bindparam(f"key_{place}") for place, field in enumerate(resource.key)
    ]
    kept = [field.column for field in resource.fields if is_exact and field.column.onupdate]
    for names, parameters in batches.items():
        new: dict[Any, Any] = {
            resource.by_name[name].column: bindparam(f"new_{name}") for name in names
        }
        if new:
            whole = {column: column for column in kept} | new
            changes = update(resource.table).where(*own_conditions).values(whole)
            await session.execute(changes, parameters)


@asynccontextmanager
async def _refusing(
    session: AsyncSession, resource: Resource, values: Mapping[str, Any] | None = None
) -> AsyncIterator[None]:
    """Raise Invalid for what only the database finds, having undone what was done inside."""
    try:
        async with session.begin_nested():
            yield
    except REFUSALS as error:
        noun = f"for one of the {resource.label_plural}"
        raise await fetch_refusal(session, resource, values or {}, error, noun) from None
