"""Renamed records: found again where a trigger changes their keys during a write."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, func
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.database.transactions import check_now
from hero_admin.model.primary_keys import Key
from hero_admin.model.records import fetch_record, fetch_records, fetch_where
from hero_admin.model.resource import Record, Resource
from hero_admin.web.errors import Invalid
from hero_admin.writes.catalog import fetch_row_number
from hero_admin.writes.gate import check_within
from hero_admin.writes.rows import Change, insert_record, update_records, update_returning


async def insert_followed(
    session: AsyncSession, resource: Resource, values: Record, *, is_back: bool
) -> Record:
    """Insert a record and return it as stored.

    Raises Invalid where a trigger prevents it, deletes it, or renames it beyond recognition.
    """
    async with session.begin_nested():
        key = await insert_record(session, resource, values, is_back=is_back)
        await check_now(session)
        if key is not None:
            await check_within(session, resource, [key])
        made = None if key is None else await fetch_record(session, resource, key)
        if key is not None and made is None:
            number = await fetch_row_number(session, resource)
            if number is not None:
                made = await _fetch_by(session, resource, [number], [func.last_insert_rowid()])
        if made is None:
            raise prevented(resource)
    return made


async def update_followed(
    session: AsyncSession, resource: Resource, changed: Sequence[Change], *, is_exact: bool = False
) -> tuple[list[Record], bool]:
    """Update records; return them as stored, and whether a single one was updated.

    They are in the order of their keys if these stay, and in that of `changed` otherwise. Raises
    Invalid where a trigger deletes one, or renames it beyond recognition.
    """
    wanted = [key_after(resource, *each) for each in changed]
    async with session.begin_nested() as savepoint:
        is_updated = await update_records(session, resource, changed, is_exact=is_exact)
        await check_now(session)
        await check_within(session, resource, wanted)
        after = await fetch_records(session, resource, wanted)
        if len(after) == len(changed):
            return after, is_updated
        await savepoint.rollback()
    return await _update_one_by_one(session, resource, changed, is_exact=is_exact), True


def prevented(resource: Resource) -> Invalid:
    """Return the error for a record that a trigger has prevented, deleted or renamed."""
    return Invalid({"": f"A database trigger prevents changes to {resource.label_plural}."})


async def _update_one_by_one(
    session: AsyncSession, resource: Resource, changed: Sequence[Change], *, is_exact: bool
) -> list[Record]:
    """Update records that a trigger renames, found by their row number or the returned key.

    PostgreSQL returns the key after its BEFORE triggers.
    """
    number = await fetch_row_number(session, resource)
    columns = [field.exact for field in resource.key] if number is None else [number]
    async with session.begin_nested():
        rows = [
            await update_returning(session, resource, each, columns, is_exact=is_exact)
            for each in changed
        ]
        await check_now(session)
        after = [await _fetch_by(session, resource, columns, row) for row in rows if row]
        found = [record for record in after if record is not None]
        if len(found) < len(changed):
            raise prevented(resource)
    return found


# Any: values of any columns.
async def _fetch_by(
    session: AsyncSession,
    resource: Resource,
    columns: Sequence[ColumnElement[Any]],
    values: Sequence[Any] | Row[Any],
) -> Record | None:
    same = (column == value for column, value in zip(columns, values, strict=True))
    found = await fetch_where(session, resource, and_(*same))
    return found[0] if found else None


def key_after(resource: Resource, key: Key, values: Mapping[str, Any]) -> Key:
    """Return the key of a changed record, which may have changed."""
    return tuple(
        values.get(field.name, part) for field, part in zip(resource.key, key, strict=True)
    )
