"""Removal: deletes records, and does to those that point at them what was asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, Row, delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from webapp.admin.fields import Field
from webapp.admin.keys import Key, key_condition, key_text
from webapp.admin.resource import Resource
from webapp.admin.site import Referrer, Site
from webapp.admin.snapshots import kept_text, snapshot_of
from webapp.admin.total import COUNT_CAP, Total
from webapp.errors import Invalid
from webapp.history import Entry, Kind, Operation, record

ROWS_PER_STEP = 1_000
# Far more than models that delete each other in turn.
DEEPEST_CASCADE = 20


@dataclass(frozen=True)
class Consequence:
    """What deleting does to the records of one `referrer`."""

    referrer: Referrer
    total: Total
    effect: Literal["cleared", "deleted", "kept"]


async def fetch_consequences(
    session: AsyncSession, site: Site, resource: Resource, keys: Sequence[Key]
) -> tuple[Consequence, ...]:
    """Count the records that point at those to be deleted, and say what becomes of them."""
    found = []
    for referrer in site.referrers(resource):
        some = select(referrer.resource.key[0].column).where(_points_at(resource, referrer, keys))
        counted = select(func.count()).select_from(some.limit(COUNT_CAP + 1).subquery())
        count = (await session.execute(counted)).scalar_one()
        if count:
            total = Total(min(count, COUNT_CAP), is_capped=count > COUNT_CAP)
            found.append(Consequence(referrer, total, _effect(referrer.field)))
    return tuple(found)


async def lock(session: AsyncSession, resource: Resource, keys: Sequence[Key]) -> int:
    """Keep others from changing these records, and from pointing at them; return how many exist."""
    columns = _key_columns(resource)
    locked = select(*columns).where(key_condition(resource, keys)).order_by(*columns)
    return len((await session.execute(locked.with_for_update())).all())


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
            depth = 1 if is_consequence else 0
            await _remove(session, site, resource, keys, operation, heirs or {}, depth=depth)
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
    depth: int,
) -> None:
    gone = len(keys) - await lock(session, resource, keys)
    if gone:
        raise Invalid({"": gone_sentence(resource, gone, len(keys))})
    for referrer in site.referrers(resource):
        heir = heirs.get(referrer.name)
        if heir is not None or _effect(referrer.field) == "cleared":
            await _release(session, resource, referrer, keys, operation, heir)
        elif _effect(referrer.field) == "deleted" and depth < DEEPEST_CASCADE:
            points = _points_at(resource, referrer, keys)
            while doomed := await _lock_some(session, referrer, points):
                others = [tuple(row[: len(referrer.resource.key)]) for row in doomed]
                await _remove(
                    session, site, referrer.resource, others, operation, {}, depth=depth + 1
                )
    # Read last: what was released may be among these very records.
    columns = [field.column for field in resource.fields]
    rows = (await session.execute(select(*columns).where(key_condition(resource, keys)))).all()
    await session.execute(delete(resource.table).where(key_condition(resource, keys)))
    is_consequence = depth > 0
    await record(
        session,
        operation,
        [_deletion(resource, row, is_consequence=is_consequence) for row in rows],
    )


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
    points = _points_at(resource, referrer, keys)
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


def _deletion(resource: Resource, row: Row[Any], *, is_consequence: bool) -> Entry:
    values = dict(zip((field.name for field in resource.fields), row, strict=True))
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


def _effect(field: Field) -> Literal["cleared", "deleted", "kept"]:
    on_delete = next(iter(field.column.foreign_keys)).ondelete
    if on_delete == "CASCADE":
        return "deleted"
    return "cleared" if field.is_optional and on_delete in (None, "SET NULL") else "kept"


def _points_at(resource: Resource, referrer: Referrer, keys: Sequence[Key]) -> ColumnElement[bool]:
    relation = referrer.field.relation
    assert relation is not None
    target = resource.by_name[relation.target_column]
    if [field.name for field in resource.key] == [target.name]:
        return referrer.field.column.in_([key[0] for key in keys])
    targets = select(target.column).where(key_condition(resource, keys))
    return referrer.field.column.in_(targets)
