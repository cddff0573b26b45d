"""Deletion: deletes records with all that depends on them, or none of them."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import delete, literal, or_, select
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.database.errors import REFUSALS, is_refusal, raised_sentence, refusal_sentence
from hero_admin.database.identifiers import numbered
from hero_admin.model.labels import in_sentence
from hero_admin.model.primary_keys import Key, key_predicate
from hero_admin.model.resource import Resource
from hero_admin.web.errors import Invalid
from hero_admin.web.texts import ngettext
from hero_admin.writes.catalog import Catalog, fetch_catalog, triggers_of
from hero_admin.writes.constraint_errors import check_constraints
from hero_admin.writes.deletion_record import record_deletions
from hero_admin.writes.gate import check_cascade, permit
from hero_admin.writes.hooks import call_later, has_hooks, run_before
from hero_admin.writes.reassignment import fetch_duplicate_links, reassign
from hero_admin.writes.referencing_rows import (
    RowsToDelete,
    TableRow,
    fetch_ids,
    fetch_referencing,
    fetch_whole,
    find_cascade,
    is_any,
    portions,
)
from hero_admin.writes.replacements import Replacement, choices_of
from hero_admin.writes.tables import ForeignKey, RowId, StoredTable, identity_of
from hero_admin.writes.transaction import Transaction

# Recorded and restored within the time limit of a request.
MAX_CASCADE = 100_000


async def lock(
    session: AsyncSession,
    resource: Resource,
    keys: Sequence[Key],
    replacements: Mapping[str, Replacement] | None = None,
    *,
    can_be_referenced: bool = False,
) -> int:
    """Lock records, so that nobody changes or refers to them; return how many exist.

    can_be_referenced: whether others may still refer to them, as to those that are only changed.
    Their replacements are locked by the same statement, so that two reassignments never deadlock.
    """
    columns = [field.exact for field in resource.key]
    also = [
        replacement.field.exact == replacement.value
        for replacement in (replacements or {}).values()
    ]
    found: set[Key] = set()
    for some in portions(keys):
        wanted = or_(key_predicate(resource, some), *also)
        locked = select(*numbered(columns)).where(wanted).order_by(*columns)
        locked = locked.with_for_update(key_share=can_be_referenced)
        found |= {tuple(row) for row in await session.execute(locked)}
    return sum(key in found for key in keys)


def gone_sentence(resource: Resource, gone: int, asked: int) -> str:
    """Return the sentence for `gone` of the `asked` records that no longer exist."""
    if asked == 1:
        return f"This {resource.label} no longer exists."
    sentence = ngettext(
        "{count:,} of these {nouns} no longer exists; nothing was done.",
        "{count:,} of these {nouns} no longer exist; nothing was done.",
        gone,
    )
    return sentence.format(count=gone, nouns=resource.label_plural)


async def remove(
    transaction: Transaction,
    resource: Resource,
    keys: Sequence[Key],
    replacements: Mapping[str, Replacement] | None = None,
    catalog: Catalog | None = None,
) -> None:
    """Delete all of these records or, raising Invalid, none of them.

    Rows that refer to them, in any table, are given a replacement, cleared, reset, deleted, or
    prevent the deletion, as their foreign key says.
    """
    session, site = transaction.session, transaction.site
    resource = permit(transaction, resource, "delete")
    catalog = catalog or await fetch_catalog(session, site, [resource])
    choices, chosen = choices_of(catalog, site, resource), {}
    for name, replacement in (replacements or {}).items():
        await _check_replacement(session, resource, keys, choices[name].label, replacement)
        chosen[choices[name].key] = replacement
    gone = len(keys) - await lock(session, resource, keys, replacements)
    if gone:
        raise Invalid({"": gone_sentence(resource, gone, len(keys))})
    try:
        async with session.begin_nested():
            await _remove(transaction, catalog, resource, keys, chosen)
            await check_constraints(session, _needed_sentence(len(keys)))
    except REFUSALS as error:
        raise refused(error, _needed_sentence(len(keys))) from None


def refused(error: Exception, needed: str) -> Invalid:
    """Return the error for a refusal of the database; raises `error` if it is none.

    `needed` is the sentence for rows that others refer to.
    """
    if not is_refusal(error):
        raise error
    if isinstance(error, DBAPIError) and (
        raised_sentence(error) or not isinstance(error, IntegrityError)
    ):
        return Invalid({"": refusal_sentence(error)})
    return Invalid({"": needed})


async def _remove(
    transaction: Transaction,
    catalog: Catalog,
    resource: Resource,
    keys: Sequence[Key],
    chosen: Mapping[ForeignKey, Replacement],
) -> None:
    """Delete records, after all rows that are deleted with them are found."""
    session, to_delete = transaction.session, RowsToDelete(catalog)
    stored = catalog.table_of(resource)
    if stored is None:
        raise Invalid({"": f"The database doesn't allow deleting a {resource.label}."})
    asked = await fetch_ids(session, stored, resource, keys)
    await _find(session, to_delete, stored, asked, chosen)
    for key, replacement in chosen.items():
        merged = await fetch_duplicate_links(session, catalog, key, asked, replacement)
        await _find(session, to_delete, catalog.tables[key.table], merged)
    await _check_needed(session, to_delete, asked, chosen)
    await check_cascade(transaction, to_delete, asked=stored.name)
    for key, replacement in chosen.items():
        await reassign(transaction, to_delete, key, asked, replacement)
    for name, rows in to_delete.rows.items():
        for key in catalog.references_to(catalog.tables[name]):
            if catalog.effect_of(key) in ("cleared", "default"):
                await reassign(transaction, to_delete, key, list(rows))
    await delete_cascade(transaction, to_delete, {(stored.name, row) for row in asked})


async def _find(
    session: AsyncSession,
    to_delete: RowsToDelete,
    stored: StoredTable,
    ids: Sequence[RowId],
    spared: Collection[ForeignKey] = (),
) -> None:
    await find_cascade(
        session, to_delete, stored, ids, spared=spared, most=MAX_CASCADE, is_locked=True
    )
    if to_delete.is_capped:
        sentence = f"More than {MAX_CASCADE:,} related rows would be deleted too."
        raise Invalid({"": f"{sentence} Delete some of them first."})


async def _check_needed(
    session: AsyncSession,
    to_delete: RowsToDelete,
    asked: Sequence[RowId],
    chosen: Collection[ForeignKey],
) -> None:
    """Raise Invalid if a row that stays needs one of the rows to delete."""
    catalog = to_delete.catalog
    for name, rows in to_delete.rows.items():
        for key in catalog.references_to(catalog.tables[name]):
            if catalog.effect_of(key) != "restricted" or not catalog.tables[key.table].is_usable:
                continue
            given = set(asked) if key in chosen else set()
            left = [row for row in rows if row not in given]
            going = to_delete.of(key.table)
            async for pairs in fetch_referencing(session, catalog, key, left):
                if any(row not in going for row, _ in pairs):
                    raise Invalid({"": _needed_sentence(len(asked))})


async def delete_cascade(
    transaction: Transaction, to_delete: RowsToDelete, direct: Collection[TableRow]
) -> None:
    """Delete and record all these rows; those that are not `direct` are consequences."""
    session, catalog = transaction.session, to_delete.catalog
    order = catalog.referencing_first(to_delete.rows)
    for name in order:
        await _call_hooks(transaction, to_delete, catalog.tables[name])
    # All are recorded first: the database cascades to those that still refer to a deleted row.
    for name in order:
        await record_deletions(transaction, to_delete, catalog.tables[name], direct)
    for name in order:
        table = catalog.tables[name]
        rows, own = list(to_delete.rows[name]), table.clause()
        for some in portions(rows[::-1]):
            await session.execute(delete(own).where(is_any(table, own, some)))  # type: ignore[arg-type]
        if "DELETE" in triggers_of(catalog, table):
            await _check_gone(session, table, rows)


async def _call_hooks(
    transaction: Transaction, to_delete: RowsToDelete, stored: StoredTable
) -> None:
    """Call the hooks of a resource for its records that are about to be deleted."""
    resource = to_delete.catalog.resources.get(stored.name)
    if resource is None or not has_hooks(resource):
        return
    for some in portions(list(to_delete.rows[stored.name])):
        found = await fetch_whole(transaction.session, stored, resource, some)
        for record in found.values():
            await run_before(transaction, resource, record, None, is_named=True)
        call_later(transaction, resource, [(record, None) for record in found.values()])


async def _check_gone(session: AsyncSession, table: StoredTable, rows: Sequence[RowId]) -> None:
    """Raise Invalid if a trigger has prevented the deletion of rows."""
    own = table.clause()
    for some in portions(rows):
        left = select(*identity_of(table, own)).where(is_any(table, own, some)).limit(1)
        if (await session.execute(left)).first() is not None:
            raise Invalid({"": f"A database trigger prevents changes to {table.label}."})


async def _check_replacement(
    session: AsyncSession,
    resource: Resource,
    keys: Sequence[Key],
    label: str,
    replacement: Replacement,
) -> None:
    column = replacement.field.exact
    remaining = select(literal(1)).where(
        column == replacement.value, ~key_predicate(resource, keys)
    )
    if (await session.execute(remaining)).first() is None:
        raise Invalid({"": f"Choose another {resource.label} for the {in_sentence(label)}."})


def _needed_sentence(asked: int) -> str:
    if asked == 1:
        return "Other records need it, so it wasn't deleted."
    return "Other records need one of them, so nothing was deleted."
