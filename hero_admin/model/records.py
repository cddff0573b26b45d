"""Records: read as they are stored."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Label, select
from sqlalchemy.exc import StatementError
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.database.identifiers import numbered
from hero_admin.model.primary_keys import Key, key_predicate
from hero_admin.model.resource import Record, Resource
from hero_admin.model.stored_values import Unbindable


async def fetch_record(
    session: AsyncSession, resource: Resource, key: Key, *, is_locked: bool = False
) -> Record | None:
    """Fetch one record, None if it does not exist.

    is_locked: whether nobody else may change or delete it until the transaction ends.
    """
    try:
        records = await fetch_records(session, resource, [key], is_locked=is_locked)
    except StatementError as error:
        # No column can hold such a key.
        if isinstance(error.orig, Unbindable):
            return None
        raise
    return records[0] if records else None


async def fetch_records(
    session: AsyncSession, resource: Resource, keys: Sequence[Key], *, is_locked: bool = False
) -> list[Record]:
    """Fetch the existing records of these keys, in the order of their keys."""
    return await fetch_where(session, resource, key_predicate(resource, keys), is_locked=is_locked)


async def fetch_where(
    session: AsyncSession,
    resource: Resource,
    *predicates: ColumnElement[bool],
    skip: int = 0,
    limit: int | None = None,
    is_locked: bool = False,
) -> list[Record]:
    """Fetch the records that match all predicates, in the order of their keys.

    They have all values, also those that whoever asks may not read.
    """
    resource = resource.entire
    statement = select(*columns_of(resource)).where(*predicates)
    statement = statement.order_by(*(field.exact for field in resource.key))
    if skip or limit is not None:
        statement = statement.offset(skip).limit(limit)
    if is_locked:
        # Others may still refer to them, so two people who link the same records never deadlock.
        statement = statement.with_for_update(key_share=True)
    rows = await session.execute(statement)
    names = [field.name for field in resource.fields]
    return [dict(zip(names, row, strict=True)) for row in rows]


def columns_of(resource: Resource) -> list[Label[Any]]:
    """Return all columns of a resource, in the order of its fields."""
    return numbered(field.whole for field in resource.fields)
