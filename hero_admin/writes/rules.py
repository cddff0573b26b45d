"""Rules: what an application demands of a record as a whole, asked after every write of one."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.database.row_scopes import unscoped
from hero_admin.model.primary_keys import Key, key_of, key_values
from hero_admin.model.records import fetch_records
from hero_admin.model.resource import Record, Resource
from hero_admin.model.rules import call, instance_of
from hero_admin.web.errors import Invalid
from hero_admin.web.texts import capitalised
from hero_admin.writes.referencing_rows import portions
from hero_admin.writes.transaction import Transaction, Unchecked

# After so many calls of functions that never wait, other requests have a turn.
CALLS_PER_TURN = 50


def savepoint_for(session: AsyncSession, resource: Resource) -> AbstractAsyncContextManager[Any]:
    """Return a savepoint for a write that a rule may refuse, where there is a rule."""
    return session.begin_nested() if resource.check is not None else nullcontext()


@asynccontextmanager
async def checked_together(
    transaction: Transaction, form_of: Resource | None = None
) -> AsyncIterator[Transaction]:
    """Give a transaction whose records are checked at the end of the block, as they are by then.

    So the fields of a record and its links can change together. form_of: the resource whose fields
    people see beside the sentences; all other sentences name their record. Raises Invalid.
    """
    has_rule = any(resource.check is not None for resource in transaction.site.recorded)
    if transaction.unchecked is not None or not has_rule:
        yield transaction
        return
    unchecked: Unchecked = {}
    async with transaction.session.begin_nested():
        yield replace(transaction, unchecked=unchecked)
        for (resource, is_named), keys in unchecked.items():
            named = is_named or form_of is None or resource is not form_of.entire
            await check_keys(transaction, resource, list(keys.values()), is_named=named)


async def check_keys(
    transaction: Transaction, resource: Resource, keys: Sequence[Key], *, is_named: bool
) -> None:
    """Ask the rule of a resource for the records of these keys that exist; raises Invalid."""
    for some in portions(keys) if resource.check is not None else ():
        # Also those that whoever writes may not see.
        with unscoped(transaction.session):
            records = await fetch_records(transaction.session, resource, some)
        await check_records(transaction, resource, records, is_named=is_named)


async def check_records(
    transaction: Transaction, resource: Resource, records: Sequence[Record], *, is_named: bool
) -> None:
    """Ask the rule of a resource for records as they are stored; raises Invalid.

    is_named: whether the sentence names the record and not its field, as where there are several.
    """
    resource = resource.entire
    if resource.check is None:
        return
    if transaction.unchecked is not None:
        noted = transaction.unchecked.setdefault((resource, is_named), {})
        noted |= {key_of(resource, each): key_values(resource, each) for each in records}
        return
    for number, record in enumerate(records, start=1):
        if number % CALLS_PER_TURN == 0:
            await asyncio.sleep(0)
        instance = instance_of(resource.model, resource.fields, record)
        try:
            returned = await call(resource.check, instance, transaction.session)
        except Invalid as invalid:
            raise told(resource, invalid, record if is_named else None) from None
        if returned is not None:
            # Otherwise a rule that answers in its own way would refuse nothing.
            said = f"check= returned {returned!r}; raise Invalid to refuse a record."
            raise TypeError(f"Resource({resource.model.__name__}): {said}")


def told(resource: Resource, invalid: Invalid, record: Record | None = None) -> Invalid:
    """Return an error of an application by the fields of a resource, or as one about a record."""
    if record is not None:
        what = f"{capitalised(resource.label)} “{resource.titles.of(record)}”"
        return Invalid(f"{what}: {' '.join(dict.fromkeys(invalid.sentences.values()))}")
    names = {field.column.key: field.name for field in resource.fields}
    names |= {name: name for name in resource.by_name}
    names |= {link.name: link.name for link in resource.many_to_many}
    return Invalid({names.get(name, ""): each for name, each in invalid.sentences.items()})
