"""Bulk writes: create and change many records by a few statements, and record it."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.database.errors import REFUSALS
from hero_admin.database.identifiers import numbered
from hero_admin.database.row_scopes import UNSCOPED
from hero_admin.model import records
from hero_admin.model.fields import Field
from hero_admin.model.labels import in_sentence
from hero_admin.model.primary_keys import Key, is_any_of, key_of, key_text, key_values
from hero_admin.model.resource import Record, Resource
from hero_admin.model.serialization import is_same, recorded
from hero_admin.model.site import Site
from hero_admin.web.errors import Invalid
from hero_admin.writes.constraint_errors import fetch_refusal
from hero_admin.writes.draft import Draft, check
from hero_admin.writes.entries import change_of, differing
from hero_admin.writes.files import check_copies
from hero_admin.writes.gate import check_within, permit, unseen_names
from hero_admin.writes.hooks import call_later, run_before
from hero_admin.writes.renamed import key_after, update_followed
from hero_admin.writes.rows import Change, insert_again, update_records
from hero_admin.writes.rules import CALLS_PER_TURN, check_records, savepoint_for
from hero_admin.writes.transaction import Transaction


async def fetch_states(
    session: AsyncSession, resource: Resource, keys: Sequence[Key]
) -> dict[str, Record]:
    """Fetch and lock the existing records with these keys, by the text of their key."""
    states = await records.fetch_records(session, resource, keys, is_locked=True)
    return {key_of(resource, state): state for state in states}


async def fetch_targets(
    session: AsyncSession,
    site: Site,
    field: Field,
    values: Collection[Any],
    *,
    is_restored: bool = False,
) -> set[Any]:
    """Fetch the values of a relation that lead to a record, and lock those records.

    is_restored: whether they are restored, so that the person may not see all of these records.
    """
    if not values:
        return set()
    column = site.target_field_of(field).exact
    there = select(column.label("value")).where(column.in_(values)).order_by(column)
    there = there.with_for_update(read=True, key_share=True)
    return set(await session.scalars(there, execution_options={UNSCOPED: is_restored}))


async def lock_targets(
    session: AsyncSession, site: Site, resource: Resource, values: Mapping[str, Any]
) -> None:
    """Lock the records that records will refer to."""
    for field in resource.fields:
        if field.relation and values.get(field.name) is not None:
            await fetch_targets(session, site, field, {values[field.name]})


async def fetch_owners(
    session: AsyncSession,
    resource: Resource,
    fields: Sequence[Field],
    values: Collection[tuple[Any, ...]],
) -> dict[tuple[Any, ...], str]:
    """Fetch the key text of the record that has each of these values in a unique set of fields."""
    if not values:
        return {}
    columns = numbered(field.exact for field in [*resource.key, *fields])
    count = len(resource.key)
    rows = select(*columns).where(is_any_of(fields, list(values)))
    return {
        tuple(row[count:]): key_text(resource, tuple(row[:count]))
        for row in await session.execute(rows)
    }


async def change_many(
    transaction: Transaction, resource: Resource, keys: Sequence[Key], values: Mapping[str, Any]
) -> set[str]:
    """Set the same fields of many records; return the keys of those that had other values.

    Raises Invalid with a sentence for each field that cannot be stored; then none is changed.
    `values` has no unique fields.
    """
    session = transaction.session
    resource = permit(transaction, resource, "change", values)
    checked = await check(transaction, Draft(resource, values))
    states = await fetch_states(session, resource, keys)
    changed: list[Change] = [
        (key_values(resource, state), differing(resource, state, checked))
        for state in states.values()
    ]
    changed = [(key, new) for key, new in changed if new]
    changed = await _altered(transaction, resource, states, changed)
    try:
        async with savepoint_for(session, resource):
            after, _ = await update_followed(session, resource, changed)
            await check_records(transaction, resource, after, is_named=True)
    except REFUSALS as error:
        unseen = unseen_names(transaction, resource)
        raise await _refusal(session, resource, checked, error, unseen) from None
    befores = [states[key_text(resource, key)] for key, _ in changed]
    entries = [change_of(resource, *pair) for pair in zip(befores, after, strict=True)]
    written = [entry for entry in entries if entry is not None]
    await transaction.record(written)
    pairs = zip(befores, after, entries, strict=True)
    call_later(transaction, resource, [(old, new) for old, new, entry in pairs if entry])
    return {entry.key for entry in written}


async def _altered(
    transaction: Transaction,
    resource: Resource,
    states: Mapping[str, Record],
    changed: list[Change],
) -> list[Change]:
    """Return changes with the values that `before=` sets in each record."""
    if resource.before is None:
        return changed
    found: list[Change] = []
    for number, (key, new) in enumerate(changed, start=1):
        if number % CALLS_PER_TURN == 0:
            await asyncio.sleep(0)
        state = states[key_text(resource, key)]
        altered = await run_before(transaction, resource, state, {**state, **new}, is_named=True)
        checked = await check(transaction, Draft(resource, altered, state)) if altered else {}
        wanted = differing(resource, state, {**new, **checked}) if altered else new
        if wanted:
            found.append((key, wanted))
    return found


async def recreate_records(
    session: AsyncSession, resource: Resource, rows: Sequence[Record], *, is_rewritten: bool = False
) -> list[Record]:
    """Create deleted records again, all or, raising Invalid, none; return them as stored.

    is_rewritten: whether a trigger may change values other than the keys.
    """
    wanted = [(key_values(resource, row), row) for row in rows]
    await check_copies(session, rows)
    async with _refusing(session, resource):
        await insert_again(session, resource, rows)
        return await _fetch_checked(session, resource, wanted, is_rewritten=is_rewritten)


async def revert_changes(
    session: AsyncSession,
    resource: Resource,
    changed: Sequence[tuple[Key, Mapping[str, Any]]],
    *,
    is_rewritten: bool = False,
) -> list[Record]:
    """Set values that locked records had before, all or, raising Invalid, none; return the records.

    is_rewritten: whether a trigger may change some of the values.
    """
    await check_copies(session, [values for _, values in changed])
    async with _refusing(session, resource):
        await update_records(session, resource, changed, is_exact=True)
        return await _fetch_checked(session, resource, changed, is_rewritten=is_rewritten)


def rewritten_labels(
    resource: Resource, state: Mapping[str, Any], wanted: Mapping[str, Any]
) -> list[str]:
    """Return the columns that a trigger has rewritten, as “age of heroes”."""
    return [
        f"{in_sentence(field.label)} of {resource.label_plural}"
        for field in _rewritten(resource, state, wanted)
    ]


async def _fetch_checked(
    session: AsyncSession,
    resource: Resource,
    wanted: Sequence[tuple[Key, Mapping[str, Any]]],
    *,
    is_rewritten: bool,
) -> list[Record]:
    """Fetch records; raises Invalid if the database has rewritten them."""
    keys = [key_after(resource, *each) for each in wanted]
    await check_within(session, resource, keys)
    states = await fetch_states(session, resource, keys)
    found = []
    for key, (_, values) in zip(keys, wanted, strict=True):
        state = states.get(key_text(resource, key))
        if state is None:
            raise Invalid({"": f"The database doesn't accept the earlier {resource.label}."})
        others = _rewritten(resource, state, values)
        # A trigger may own some of the values; if it has rewritten all, nothing was reverted.
        if others and (not is_rewritten or len(others) == len(values)):
            label = resource.labels[others[0].name]
            sentence = f"The database doesn't accept the earlier {label} of a {resource.label}."
            raise Invalid({"": sentence})
        found.append(state)
    return found


def _rewritten(
    resource: Resource, state: Mapping[str, Any], wanted: Mapping[str, Any]
) -> list[Field]:
    fields = [resource.by_name[name] for name in wanted]
    return [
        field
        for field in fields
        if not field.is_computed
        and not is_same(recorded(field, state[field.name]), recorded(field, wanted[field.name]))
    ]


@asynccontextmanager
async def _refusing(session: AsyncSession, resource: Resource) -> AsyncIterator[None]:
    """Run in a savepoint; raise Invalid for what the database refuses."""
    try:
        async with session.begin_nested():
            yield
    except REFUSALS as error:
        raise await _refusal(session, resource, {}, error) from None


async def _refusal(
    session: AsyncSession,
    resource: Resource,
    values: Mapping[str, Any],
    error: Exception,
    unseen: Collection[str] = (),
) -> Invalid:
    sentence = f"The database doesn't accept this for one of the {resource.label_plural}."
    return await fetch_refusal(session, resource, values, error, sentence, unseen)
