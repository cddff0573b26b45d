"""Revert: undoes recorded changes, many records in a few statements."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.audit_log.changes import Change, Kind
from hero_admin.database.transactions import defer_constraints
from hero_admin.history.revert_batches import (
    Batch,
    DeferredReference,
    ReferencedValue,
    batches_of,
    referenced_value,
)
from hero_admin.history.revert_conflicts import find_changed, find_missing_targets, find_taken
from hero_admin.history.revert_deferred import RevertContext, delete_deferred
from hero_admin.history.revert_rows import restore_rows, revert_rows, update_deferred_rows
from hero_admin.model.fields import Field
from hero_admin.model.primary_keys import Key
from hero_admin.model.resource import Resource
from hero_admin.model.site import Site
from hero_admin.web.errors import Invalid
from hero_admin.writes import bulk, deletion
from hero_admin.writes.catalog import Catalog, fetch_catalog, triggers_of
from hero_admin.writes.causes import cause_of, fetch_causes
from hero_admin.writes.constraint_errors import check_constraints
from hero_admin.writes.gate import permit, permit_consequence
from hero_admin.writes.referencing_rows import RowsToDelete, fetch_ids, portions
from hero_admin.writes.row_changes import RowsChange
from hero_admin.writes.rules import check_keys, check_records, checked_together
from hero_admin.writes.transaction import Transaction


@dataclass(frozen=True)
class Outcome:
    """What could not be reverted exactly.

    left_count: the consequences left alone, because they have changed since.
    rewritten: the columns that triggers have rewritten, as “age of heroes”.
    """

    left_count: int = 0
    rewritten: tuple[str, ...] = ()


async def revert(
    transaction: Transaction, made: Sequence[Change | RowsChange], asked: Change | None = None
) -> Outcome:
    """Revert changes, which come newest first.

    Raises Invalid if one of the records has changed since. A consequence for another record is
    reverted only where that is still as the consequence left it. `asked` is no consequence.
    """
    async with checked_together(transaction) as together:
        return await _revert_all(together, made, asked)


async def _revert_all(
    transaction: Transaction, made: Sequence[Change | RowsChange], asked: Change | None
) -> Outcome:
    session, site = transaction.session, transaction.site
    all_batches = batches_of(site, made, asked)
    batches = [batch for batch in all_batches if isinstance(batch, Batch)]
    # Before anything is said about the records.
    for each in batches:
        _permit(transaction, each)
    others = [batch.table for batch in all_batches if isinstance(batch, RowsChange)]
    resources = list(dict.fromkeys(batch.resource for batch in batches))
    catalog = await fetch_catalog(session, site, resources, others)
    there = await _lock_all(session, site, batches)
    await defer_constraints(session)
    # Records that refer to each other are restored one after the other.
    coming = {value for batch in batches for value in batch.referenced_values(site)}
    deferred_references: list[DeferredReference] = []
    coming_tables = [name for name, each in catalog.resources.items() if each in resources]
    context = RevertContext(transaction, RowsToDelete(catalog), {*coming_tables, *others})
    left_count = 0
    for batch in all_batches:
        if isinstance(batch, RowsChange):
            left_count += await revert_rows(context, batch)
            continue
        if batch.kind != Kind.CREATED:
            find_missing_targets(site, batch, there | coming)
        states = await bulk.fetch_states(session, batch.resource, list(batch.keys.values()))
        await find_changed(transaction, batch, states)
        if batch.kind != Kind.CREATED:
            await find_taken(transaction, batch, states)
        # A record created as a consequence would prevent deleting those that it refers to.
        is_left = batch.kind != Kind.CREATED or not (batch.problems.keys() & states.keys())
        if batch.problems and not (batch.is_consequence and is_left):
            raise Invalid({"": next(iter(batch.problems.values()))})
        left_count += batch.leave()
        if batch.kind == Kind.DELETED:
            deferred_references += batch.defer_references(site, catalog, there)
        there |= batch.referenced_values(site)
        if batch.changes:
            await _revert(context, batch, states)
    await delete_deferred(context)
    await update_deferred_rows(context)
    await _complete(session, site, deferred_references, there)
    await context.call_later()
    await check_constraints(session, "Something it needs no longer exists.")
    return Outcome(left_count, tuple(context.rewritten))


async def _complete(
    session: AsyncSession,
    site: Site,
    deferred_references: Sequence[DeferredReference],
    there: set[ReferencedValue],
) -> None:
    """Set the references to records that were restored later."""
    changed: dict[Resource, list[tuple[Key, dict[str, Any]]]] = {}
    for each in deferred_references:
        if each.referenced_value(site) not in there:
            label = each.resource.labels[each.relation.name]
            sentence = f"The {label} of one of the {each.resource.label_plural} can't be restored."
            raise Invalid({"": sentence})
        new = {each.relation.name: each.value}
        changed.setdefault(each.resource, []).append((each.key, new))
    for resource, records in changed.items():
        await bulk.revert_changes(session, resource, records)


async def _lock_all(
    session: AsyncSession, site: Site, batches: Sequence[Batch]
) -> set[ReferencedValue]:
    """Lock the records of batches; return the existing values that they will refer to.

    Referenced records are locked first, in the same order as by a deletion.
    """
    there: set[ReferencedValue] = set()
    for resource in _pointed_first(site):
        keys = [
            key for batch in batches if batch.resource is resource for key in batch.keys.values()
        ]
        for some in portions(keys):
            await deletion.lock(session, resource, some)
        wanted: dict[Field, set[Any]] = {}
        for batch in batches:
            for relation in batch.resource.fields:
                if relation.relation and site.target_of(relation) is resource:
                    values = {target.get(relation.name) for target in batch.earlier.values()}
                    wanted.setdefault(relation, set()).update(values - {None})
        for relation, values in wanted.items():
            for some in portions(list(values)):
                found = await bulk.fetch_targets(session, site, relation, some, is_restored=True)
                for value in found:
                    there.add(referenced_value(site.target_field_of(relation), value))
    return there


def _pointed_first(site: Site) -> list[Resource]:
    """Return all resources, each after those that its relations refer to."""
    ordered: dict[Resource, None] = {}

    def visit(resource: Resource, above: frozenset[Resource]) -> None:
        for relation in resource.fields:
            target = site.target_of(relation) if relation.relation else resource
            if target not in above:
                visit(target, above | {target})
        ordered.setdefault(resource)

    for resource in site.recorded:
        visit(resource, frozenset({resource}))
    return list(ordered)


def _permit(transaction: Transaction, batch: Batch) -> None:
    """Raise Invalid if the person may not do what reverting means, also to what came with it."""
    verb = {Kind.CREATED: "delete", Kind.DELETED: "create"}.get(batch.kind, "change")
    changed = {name for change in batch.changes.values() for name in change.values}
    asked = permit_consequence if batch.is_consequence else permit
    asked(transaction, batch.resource, verb, changed if verb == "change" else ())


async def _revert(
    context: RevertContext, batch: Batch, states: Mapping[str, dict[str, Any]]
) -> None:
    match batch.kind:
        case Kind.CREATED:
            await _delete_again(context, batch)
        case Kind.DELETED:
            await _restore(context, batch)
        case _:
            is_rewritten = _is_rewritten(context.catalog, batch.resource, "UPDATE")
            changed = [(batch.keys[text], batch.earlier[text]) for text in batch.changes]
            await context.run_before(batch, states)
            found = await bulk.revert_changes(
                context.session, batch.resource, changed, is_rewritten=is_rewritten
            )
            after = dict(zip(batch.changes, found, strict=True)) if is_rewritten else {}
            context.note_rewritten(batch, after)
            await check_records(context.transaction, batch.resource, found, is_named=True)
            entries = [
                batch.entry(text, Kind.CHANGED, states[text], after.get(text))
                for text in batch.changes
            ]
            await context.transaction.record(entries)


async def _restore(context: RevertContext, batch: Batch) -> None:
    session, resource = context.session, batch.resource
    stored = context.catalog.table_of(resource)
    is_rewritten = _is_rewritten(context.catalog, resource, "INSERT")
    await context.run_before(batch, {})
    if stored is not None:
        await restore_rows(context, stored, batch.whole_rows.values())
    rows = [row for key, row in batch.earlier.items() if key not in batch.whole_rows]
    await bulk.recreate_records(session, resource, rows, is_rewritten=is_rewritten)
    after: Mapping[str, dict[str, Any]] = {}
    if is_rewritten:
        after = await bulk.fetch_states(session, resource, list(batch.keys.values()))
        context.note_rewritten(batch, after)
    await check_keys(context.transaction, resource, [*batch.keys.values()], is_named=True)
    entries = [batch.entry(text, Kind.RESTORED, {}, after.get(text)) for text in batch.changes]
    await context.transaction.record(entries)


def _is_rewritten(catalog: Catalog, resource: Resource, event: str) -> bool:
    """Whether triggers may rewrite what is written to the table of a resource."""
    stored = catalog.table_of(resource)
    return stored is not None and event in triggers_of(catalog, stored)


async def _delete_again(context: RevertContext, batch: Batch) -> None:
    """Defer the deletion of the records of a batch, which were created."""
    session, stored = context.session, context.catalog.table_of(batch.resource)
    if stored is None:
        raise Invalid({"": f"The database doesn't allow deleting a {batch.resource.label}."})
    ids = await fetch_ids(session, stored, batch.resource, list(batch.keys.values()))
    one = next(iter(batch.changes.values())).title
    what = f"“{one}”" if len(ids) == 1 else f"one of the {batch.resource.label_plural}"
    context.delete_later(stored, dict.fromkeys(ids), what)
    if not batch.is_consequence:
        context.direct |= {(stored.name, row) for row in ids}
    if any(map(cause_of, batch.changes.values())):
        names = await fetch_causes(session, context.catalog, [(stored.name, row) for row in ids])
        for row, name in names.items():
            if row and name:
                context.to_delete.causes[row] = cause_of(batch.changes[name[1]])
