"""Restore: brings back an earlier version of a record, with its links, or a deleted record."""

import json
from collections.abc import Sequence

from hero_admin.audit_log.changes import Change, Kind, Recorded
from hero_admin.audit_log.recorded_changes import fetch_latest, fetch_since
from hero_admin.history.restored_links import lock_earlier_links, restore_links
from hero_admin.history.revert import Outcome, revert
from hero_admin.history.undo import Undone, earlier_values, fetch_made, resource_of
from hero_admin.model import records
from hero_admin.model.primary_keys import parse_key
from hero_admin.model.resource import Resource
from hero_admin.model.site import Site
from hero_admin.web.errors import Invalid
from hero_admin.writes import single
from hero_admin.writes.bulk import rewritten_labels
from hero_admin.writes.causes import cause_of
from hero_admin.writes.referencing_rows import Cause
from hero_admin.writes.row_changes import RowsChange, is_of_rows, rows_change_of
from hero_admin.writes.rules import checked_together
from hero_admin.writes.transaction import Transaction


async def restore(
    transaction: Transaction, resource: Resource, change: Change, *, is_before: bool = False
) -> Undone:
    """Restore a record and its links to the version after `change`, or before a deletion.

    is_before: restore the version before `change` in any case. A deleted record is restored with
    those that referred to it. Raises Invalid where that is impossible.
    """
    async with checked_together(transaction) as together:
        return await _restore(together, resource, change, is_before=is_before)


async def _restore(
    transaction: Transaction, resource: Resource, change: Change, *, is_before: bool
) -> Undone:
    session, key = transaction.session, parse_key(resource, change.key)
    if key is None:
        raise Invalid({"": f"The ID of this {resource.label} is no longer valid."})
    record = await records.fetch_record(session, resource, key, is_locked=True)
    is_back = record is None
    later = await fetch_since(session, resource.name, [change.key], change.id or 0)
    outcome = Outcome()
    if record is None:
        outcome = await _restore_deleted(transaction, resource, change.key)
        record = await records.fetch_record(session, resource, key, is_locked=True)
        assert record is not None
    is_before = is_before or change.kind == Kind.DELETED
    reverted = [*later, change] if is_before else later
    earlier: dict[str, Recorded] = {}
    for each in reverted:
        if each.effect != Kind.CREATED:
            earlier |= {name: old for name, (old, _) in each.values.items()}
    values = earlier_values(resource, earlier)
    links = await lock_earlier_links(transaction, resource, record, change, reverted)
    is_changed = await single.change(transaction, resource, record, values, is_exact=True)
    is_linked = await restore_links(transaction, resource, record, links)
    title = resource.titles.of(record)
    rewritten = dict.fromkeys((*outcome.rewritten, *rewritten_labels(resource, record, values)))
    return Undone(
        resource,
        change.key,
        title,
        1,
        outcome.left_count,
        is_change=is_back or is_changed or is_linked,
        rewritten=tuple(rewritten),
        notes=links.notes,
    )


async def _restore_deleted(transaction: Transaction, resource: Resource, key: str) -> Outcome:
    deletion = await fetch_latest(transaction.session, resource.name, key, Kind.DELETED)
    if deletion is None:
        raise Invalid({"": f"No earlier version of this {resource.label} is recorded."})
    made = await fetch_made(transaction, deletion.operation)
    return await revert(transaction, _part_of(transaction.site, made, deletion), deletion)


def _part_of(site: Site, made: Sequence[Change], deletion: Change) -> list[Change | RowsChange]:
    """Return the changes of an operation to one record, and their consequences for others."""
    part: list[Change | RowsChange] = []
    names: set[Cause] = set()
    # By which each restored record was referenced: resource, field and text of the value.
    targets: set[tuple[Resource, str, str]] = set()
    for change in made:
        if is_of_rows(change):
            rows = rows_change_of(change)
            positions = [position for position, cause in enumerate(rows.causes) if cause in names]
            if positions:
                part.append(rows.only(positions))
            continue
        resource = resource_of(site, change)
        points = {
            (site.target_of(field), field.relation.target_column, _written(change, field.name))
            for field in resource.fields
            if field.relation and field.name in change.values
        }
        is_because = bool(points & targets) or cause_of(change) in names
        if change.id == deletion.id or (change.is_consequence and is_because):
            part.append(change)
            if change.kind == Kind.DELETED:
                names.add((change.resource, change.key))
                olds = ((name, old) for name, (old, _) in change.values.items())
                there = [name for name, old in olds if old is not None]
                targets |= {(resource, name, _written(change, name)) for name in there}
    return part


def _written(change: Change, name: str) -> str:
    """Return the recorded value of a field before a change, as a text."""
    return json.dumps(change.values[name][0])
