"""Removal: deletes records, and does to those that point at them what was asked for."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from webapp.admin.consequences import (
    ROWS_PER_STEP,
    Doomed,
    effect_of,
    lock_doomed,
    points_at,
)
from webapp.admin.keys import Key, key_condition, key_text
from webapp.admin.resource import Resource
from webapp.admin.site import Referrer, Site
from webapp.admin.snapshots import kept_text, snapshot_of
from webapp.errors import Invalid
from webapp.history import Entry, Kind, Operation, record


async def lock(
    session: AsyncSession,
    site: Site,
    resource: Resource,
    keys: Sequence[Key],
    heirs: Mapping[str, Any],
) -> int:
    """Keep others from changing these records, and from pointing at them; return how many exist.

    Their heirs are locked in one go: two who give records to each other take turns.
    """
    columns = _key_columns(resource)
    wanted = [key_condition(resource, keys)]
    for referrer in site.referrers(resource):
        if referrer.name in heirs and referrer.field.relation:
            target = resource.by_name[referrer.field.relation.target_column]
            wanted.append(target.column == heirs[referrer.name])
    locked = select(*columns).where(or_(*wanted)).order_by(*columns).with_for_update()
    found = {tuple(row) for row in await session.execute(locked)}
    return sum(key in found for key in keys)


def gone_sentence(resource: Resource, gone: int, asked: int) -> str:
    """Return what to say when `gone` of the records that were `asked` for are not there."""
    if asked == 1:
        return f"This {resource.label} is not there any more."
    verb = "is" if gone == 1 else "are"
    return f"{gone:,} of these {resource.label_plural} {verb} not there any more; nothing was done."


async def remove(
    session: AsyncSession,
    site: Site,
    resource: Resource,
    keys: Sequence[Key],
    operation: Operation,
    heirs: Mapping[str, Any] | None = None,
    *,
    is_consequence: bool = False,
) -> None:
    """Delete all of these records or, raising Invalid, none of them.

    Records that point at them lose that value, or get the one that `heirs` has under the referrer's
    name. Those that cannot be without it keep their record from being deleted, or are deleted as
    well if their model says so.
    """
    for referrer in site.referrers(resource):
        heir = (heirs or {}).get(referrer.name)
        if heir is not None:
            await _check_heir(session, resource, referrer, keys, heir)
    try:
        async with session.begin_nested():
            await _remove(
                session,
                site,
                resource,
                keys,
                operation,
                heirs or {},
                is_consequence=is_consequence,
            )
    except IntegrityError:
        raise Invalid({"": _needed_sentence(len(keys))}) from None


async def _remove(
    session: AsyncSession,
    site: Site,
    resource: Resource,
    keys: Sequence[Key],
    operation: Operation,
    heirs: Mapping[str, Any],
    *,
    is_consequence: bool,
) -> None:
    gone = len(keys) - await lock(session, site, resource, keys, heirs)
    if gone:
        raise Invalid({"": gone_sentence(resource, gone, len(keys))})
    *others, asked = await lock_doomed(session, site, resource, keys, heirs, {})
    for doomed in (*others, asked):
        for referrer in site.referrers(doomed.resource):
            heir = heirs.get(referrer.name) if doomed is asked else None
            if heir is not None or effect_of(referrer.field) == "cleared":
                await _release(session, doomed.resource, referrer, doomed.keys, operation, heir)
    # Before any of them goes: the database takes along by itself what still points at it.
    for doomed in (*others, asked):
        is_other = is_consequence or doomed is not asked
        await _record_deletions(session, doomed, operation, is_consequence=is_other)
    for doomed in (*others, asked):
        condition = key_condition(doomed.resource, doomed.keys)
        await session.execute(delete(doomed.resource.table).where(condition))


async def _record_deletions(
    session: AsyncSession, doomed: Doomed, operation: Operation, *, is_consequence: bool
) -> None:
    resource = doomed.resource
    columns = [field.column.label(f"_{place}") for place, field in enumerate(resource.fields)]
    rows = await session.execute(select(*columns).where(key_condition(resource, doomed.keys)))
    names = [field.name for field in resource.fields]
    values = [dict(zip(names, row, strict=True)) for row in rows]
    entries = [
        _deletion(resource, each, is_consequence=is_consequence)
        for each in _pointing_first(resource, values)
    ]
    await record(session, operation, entries)


def _pointing_first(
    resource: Resource, records: Sequence[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Yield records that point at others of them before these, as they have to come back after."""
    relations = [
        (field.name, field.relation.target_column)
        for field in resource.fields
        if field.relation and field.relation.target is resource.model
    ]
    while records:
        pointed = {(each[name], column) for each in records for name, column in relations}
        first: list[dict[str, Any]] = []
        last: list[dict[str, Any]] = []
        for each in records:
            is_pointed = any((each[column], column) in pointed for _, column in relations)
            (last if is_pointed else first).append(each)
        if not first:
            # A ring: there is no order.
            first, last = last, first
        yield from first
        records = last


async def _release(
    session: AsyncSession,
    resource: Resource,
    referrer: Referrer,
    keys: Sequence[Key],
    operation: Operation,
    heir: Any,
) -> None:
    """Let all that point at these records point at their heir, or at none."""
    other, field = referrer.resource, referrer.field
    points = points_at(resource, referrer, keys)
    while rows := await _lock_some(session, referrer, points):
        others = [tuple(row[: len(other.key)]) for row in rows]
        changed = update(other.table).where(key_condition(other, others))
        await session.execute(changed.values({field.column: heir}))
        new = kept_text(field, heir)
        entries = [
            Entry(
                other.name,
                key_text(other, key),
                other.title_text(row[-2]),
                Kind.CHANGED,
                {field.name: (kept_text(field, row[-1]), new)},
                is_consequence=True,
            )
            for key, row in zip(others, rows, strict=True)
        ]
        await record(session, operation, entries)


async def _lock_some(
    session: AsyncSession, referrer: Referrer, points: ColumnElement[bool]
) -> Sequence[Sequence[Any]]:
    """Fetch key, title and value of the next records that point somewhere, and lock them."""
    other = referrer.resource
    columns: list[ColumnElement[Any]] = [
        *_key_columns(other),
        other.title_field.column,
        referrer.field.column,
    ]
    labelled = [column.label(f"_{place}") for place, column in enumerate(columns)]
    some = select(*labelled).where(points).order_by(*_key_columns(other)).limit(ROWS_PER_STEP)
    return (await session.execute(some.with_for_update())).all()


def _key_columns(resource: Resource) -> list[ColumnElement[Any]]:
    return [field.column for field in resource.key]


def _deletion(resource: Resource, values: dict[str, Any], *, is_consequence: bool) -> Entry:
    key = tuple(values[field.name] for field in resource.key)
    return Entry(
        resource.name,
        key_text(resource, key),
        resource.title_text(values[resource.title_field.name]),
        Kind.DELETED,
        {name: (text, None) for name, text in snapshot_of(resource, values).items()},
        is_consequence,
    )


async def _check_heir(
    session: AsyncSession,
    resource: Resource,
    referrer: Referrer,
    keys: Sequence[Key],
    heir: Any,
) -> None:
    relation = referrer.field.relation
    assert relation is not None
    column = resource.by_name[relation.target_column].column
    is_kept = select(column).where(column == heir, ~key_condition(resource, keys))
    if (await session.execute(is_kept)).first() is None:
        sentence = (
            f"Choose a {resource.label} that is there and stays for the {referrer.label.lower()}."
        )
        raise Invalid({"": sentence})


def _needed_sentence(asked: int) -> str:
    if asked == 1:
        return "Other records need it, so it was not deleted."
    return "Other records need one of them, so nothing was deleted."
