"""Undo: takes back an operation or a change, or creates a deleted record again."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.audit_log.changes import WRITES, Change, Kind, Recorded
from hero_admin.audit_log.recorded_changes import fetch_since, lock_operation
from hero_admin.history.link_changes import is_about_links, with_link_changes
from hero_admin.history.revert import revert
from hero_admin.history.visibility import without_unseen
from hero_admin.model import records
from hero_admin.model.primary_keys import parse_key
from hero_admin.model.resource import Record, Resource
from hero_admin.model.serialization import is_same, restored_values, snapshot_of
from hero_admin.model.site import Site
from hero_admin.web.errors import Invalid
from hero_admin.writes import single
from hero_admin.writes.bulk import rewritten_labels
from hero_admin.writes.gate import UNSEEN
from hero_admin.writes.row_changes import RowsChange, is_of_rows, rows_change_of
from hero_admin.writes.transaction import Transaction


@dataclass(frozen=True)
class Undone:
    """What an undo did to `count` records, of which `title` is the first.

    key: empty if the undo deleted the record. left_count: the consequences that were left alone.
    is_mixed: whether there are records of other resources than `resource`.
    is_change: whether anything has changed. effect: what had been done, is_redo: by an undo.
    rewritten: the columns that triggers have rewritten, as “age of heroes”.
    notes: sentences on what is not as it was.
    """

    resource: Resource
    key: str
    title: str
    count: int
    left_count: int = 0
    is_mixed: bool = False
    is_change: bool = True
    effect: Kind = Kind.CHANGED
    is_redo: bool = False
    rewritten: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


async def undo(transaction: Transaction, operation_id: str) -> Undone | None:
    """Undo all changes of an operation; None if there is no such operation.

    Raises Invalid, changing nothing, if one of its records has changed since. Consequences for
    other records are undone where these are still as the operation left them.
    """
    site = transaction.site
    made = await fetch_made(transaction, operation_id)
    if all(map(is_of_rows, made)):
        return None
    for resource in site.recorded:
        if resource.read_only and any(change.resource == resource.name for change in made):
            raise Invalid({"": f"The {resource.label_plural} are read-only now."})
    is_redo = made[0].via == "undo"
    if is_redo:
        operation = replace(transaction.operation, via="redo")
        transaction = replace(transaction, operation=operation)
    outcome = await revert(transaction, list(map(_read, made)))
    records = [change for change in made if not is_of_rows(change)]
    direct = [change for change in records if not change.is_consequence] or records
    first = direct[-1]
    key = "" if first.effect == Kind.CREATED else first.key
    count = len({(change.resource, change.key) for change in direct})
    is_mixed = len({change.resource for change in direct}) > 1
    return Undone(
        resource_of(site, first),
        key,
        first.title,
        count,
        outcome.left_count,
        is_mixed=is_mixed,
        effect=first.effect,
        is_redo=is_redo,
        rewritten=outcome.rewritten,
    )


async def undo_change(transaction: Transaction, resource: Resource, change: Change) -> Undone:
    """Undo one change of a record; later changes of its other fields stay.

    Raises Invalid if one of the fields has changed again, or all are as before the change.
    """
    session, key = transaction.session, parse_key(resource, change.key)
    record = key and await records.fetch_record(session, resource, key, is_locked=True)
    if not record:
        raise Invalid({"": f"This {resource.label} is deleted. Restore it first."})
    if is_about_links(change):
        made = await fetch_made(transaction, change.operation)
        part = with_link_changes(transaction.site, resource, record, change, made)
        outcome = await revert(transaction, part)
        title, left = resource.titles.of(record), outcome.left_count
        return Undone(resource, change.key, title, 1, left)
    known = {name: pair for name, pair in change.values.items() if name in resource.by_name}
    present = snapshot_of(resource, {name: record[name] for name in known})
    again = [
        name for name, pair in known.items() if not any(is_same(present[name], one) for one in pair)
    ]
    if again:
        raise Invalid({"": await _changed_again(session, resource, change, again[0])})
    olds = {name: old for name, (old, new) in known.items() if is_same(present[name], new)}
    values = earlier_values(resource, olds)
    if not await single.change(transaction, resource, record, values, is_exact=True):
        raise Invalid({"": f"The {resource.label} is already as it was before this change."})
    rewritten = tuple(rewritten_labels(resource, record, values))
    return Undone(resource, change.key, resource.titles.of(record), 1, rewritten=rewritten)


async def recreate(
    transaction: Transaction, resource: Resource, deletion: Change, values: Mapping[str, Any]
) -> Record:
    """Create a deleted record again under its key: its values, replaced by those in `values`."""
    olds = earlier_values(resource, {name: old for name, (old, _) in deletion.values.items()})
    whole, exact = {**olds, **values}, olds.keys() - values.keys()
    return await single.create(transaction, resource, whole, exact=exact, kind=Kind.RESTORED)


async def _changed_again(
    session: AsyncSession, resource: Resource, change: Change, name: str
) -> str:
    label = resource.labels[name]
    for later in await fetch_since(session, resource.name, [change.key], change.id or 0):
        if name in later.values:
            return (
                f"{later.by_name} changed the {label} again later."
                " Undo that change first, or restore a version."
            )
    return f"The {label} has changed since. Restore a version, or edit the {resource.label}."


async def fetch_made(transaction: Transaction, operation_id: str) -> list[Change]:
    """Fetch the changes of an operation to resources of the site and to rows, newest first."""
    known = {resource.name for resource in transaction.site.recorded}
    made = [
        change
        for change in await lock_operation(transaction.session, operation_id)
        if change.kind in WRITES and (change.resource in known or is_of_rows(change))
    ]
    records, by = [each for each in made if not is_of_rows(each)], transaction.operation.by
    seen = await without_unseen(transaction.session, transaction.site, records, by)
    if not seen:
        return []
    if len(seen) < len(records):
        raise Invalid({"": UNSEEN})
    return made


def _read(change: Change) -> Change | RowsChange:
    return rows_change_of(change) if is_of_rows(change) else change


def resource_of(site: Site, change: Change) -> Resource:
    """Return the resource of a change."""
    return next(each for each in site.recorded if each.name == change.resource)


def earlier_values(resource: Resource, snapshot: Mapping[str, Recorded]) -> dict[str, Any]:
    """Return the values of a snapshot; raises Invalid if a field no longer takes one."""
    try:
        return restored_values(resource, snapshot)
    except ValueError as error:
        raise Invalid({"": f"The {resource.label} can't be restored: {error}"}) from None
