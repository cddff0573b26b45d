"""Hooks: functions of an application that are called before a write and after its commit."""

import asyncio
import logging
from collections.abc import Sequence
from inspect import isawaitable
from typing import Any, Literal

from sqlmodel import SQLModel

from hero_admin.database.after_commit import call_after_commit
from hero_admin.model.resource import Record, Resource
from hero_admin.model.rules import Change, altered_values, call, instance_of
from hero_admin.web.errors import Invalid
from hero_admin.writes.rules import CALLS_PER_TURN, told
from hero_admin.writes.transaction import Transaction

# A record before and after it was written, None where it does not exist.
Written = tuple[Record | None, Record | None]

logger = logging.getLogger("hero_admin.writes")


def has_hooks(resource: Resource) -> bool:
    return resource.before is not None or resource.after_commit is not None


async def run_before(
    transaction: Transaction,
    resource: Resource,
    before: Record | None,
    after: Record | None,
    *,
    is_restored: bool = False,
    is_named: bool = False,
) -> dict[str, Any]:
    """Call `before=` for a record that is about to be written; return the values that it has set.

    is_restored: whether the values were stored before, so that none may be set. is_named: whether
    a sentence names the record. Raises Invalid as the function does.
    """
    resource = resource.entire
    if resource.before is None:
        return {}
    computed = {field.name: None for field in resource.fields if field.is_computed}
    given = after and {**after, **(computed if not is_restored else {})}
    change = _change(transaction, resource, (before, given), is_restored=is_restored)
    try:
        await call(resource.before, change, transaction.session)
    except Invalid as invalid:
        raise told(resource, invalid, (before or after) if is_named else None) from None
    if change.after is None or given is None or is_restored:
        return {}
    altered = altered_values(change.after, resource.fields, given)
    for name in altered:
        field = resource.by_name[name]
        if field.is_computed or (field.is_key and before is not None):
            what = "the database computes" if field.is_computed else "identifies the record"
            model = resource.model.__name__
            raise TypeError(f"Resource({model}): before= sets {name}, which {what}.")
    return altered


def call_later(
    transaction: Transaction,
    resource: Resource,
    written: Sequence[Written],
    *,
    is_restored: bool = False,
) -> None:
    """Call `after_commit=` for each of these records once the transaction is committed."""
    resource = resource.entire
    function = resource.after_commit
    if function is None or not written:
        return

    async def callback() -> None:
        for number, each in enumerate(written, start=1):
            if number % CALLS_PER_TURN == 0:
                await asyncio.sleep(0)
            try:
                made = function(_change(transaction, resource, each, is_restored=is_restored))
                if isawaitable(made):
                    await made
            except Exception:
                logger.exception("after_commit= of Resource(%s) failed", resource.model.__name__)

    call_after_commit(transaction.session, callback)


def _change(
    transaction: Transaction, resource: Resource, written: Written, *, is_restored: bool
) -> Change[SQLModel]:
    before, after = (
        None if each is None else instance_of(resource.model, resource.fields, each)
        for each in written
    )
    kind: Literal["create", "update", "delete"] = "update"
    if before is None or after is None:
        kind = "create" if before is None else "delete"
    by, via = transaction.operation.by, transaction.operation.via
    return Change(kind, before, after, by, via, is_restored)
