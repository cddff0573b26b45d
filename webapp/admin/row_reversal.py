"""Row reversal: does the opposite of what was written down of rows that are not administered."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from webapp.admin.catalog import Catalog, triggers_of
from webapp.admin.consequences import count_pointing_at
from webapp.admin.stored_rows import (
    RowsChange,
    delete_rows,
    fetch_rows,
    find_rows,
    find_without_target,
    insert_rows,
    update_rows,
)
from webapp.admin.stored_tables import RowId, StoredTable
from webapp.errors import Invalid
from webapp.history import Kind, Operation, record
from webapp.unavailable import is_unavailable


async def reverse_rows(
    session: AsyncSession, catalog: Catalog, change: RowsChange, operation: Operation
) -> int:
    """Take back what happened to rows of one table; return how many stay as they are now.

    Raises Invalid where it would not be exact.
    """
    stored = catalog.tables.get(change.table)
    if stored is None or not {*change.columns} <= {each.name for each in stored.columns}:
        raise Invalid({"": f"The table {change.table.name} is not as it was any more."})
    try:
        async with session.begin_nested():
            done = await _reverse(session, catalog, stored, change)
    except DBAPIError as error:
        if is_unavailable(error):
            raise
        sentence = f"The database does not take back the rows of {stored.label} as they were."
        raise Invalid({"": sentence}) from None
    if done and not change.is_rest:
        entry = change.only(done).reversed().entry(stored)
        await record(session, operation, [entry])
    return change.count - len(done)


async def _reverse(
    session: AsyncSession, catalog: Catalog, stored: StoredTable, change: RowsChange
) -> list[int]:
    """Return the places of the rows for which it could be done."""
    match change.kind:
        case Kind.DELETED:
            return await _insert(session, catalog, stored, change)
        case Kind.RESTORED:
            return await _delete(session, catalog, stored, change)
    if change.is_rest:
        return await _complete(session, stored, change)
    return await _change_back(session, catalog, stored, change)


async def _insert(
    session: AsyncSession, catalog: Catalog, stored: StoredTable, change: RowsChange
) -> list[int]:
    rows = change.before or []
    left = await _without_target(session, catalog, stored, change)
    if stored.key:
        there = await _find(session, stored, stored.key, change.columns, rows)
        left |= {place for place, row in enumerate(there) if row is not None}
    wanted = [place for place in range(len(rows)) if place not in left]
    given = [rows[place] for place in wanted]
    await insert_rows(session, stored, change.columns, given)
    if "INSERT" in triggers_of(catalog, stored):
        await _check(session, stored, change.columns, given)
    return wanted


async def _delete(
    session: AsyncSession, catalog: Catalog, stored: StoredTable, change: RowsChange
) -> list[int]:
    rows = change.after or []
    ids = await _check(session, stored, change.columns, rows)
    count = await count_pointing_at(session, catalog, stored, ids)
    if count:
        others = "Another row points" if count == 1 else f"{count:,} other rows point"
        raise Invalid({"": f"{others} at rows of {stored.label} by now."})
    await delete_rows(session, stored, ids)
    return list(range(len(rows)))


async def _change_back(
    session: AsyncSession, catalog: Catalog, stored: StoredTable, change: RowsChange
) -> list[int]:
    before, after = change.before or [], change.after or []
    found = await find_rows(session, stored, change.columns, after)
    there = [row for row in found if row is not None]
    now = await fetch_rows(session, stored, change.columns, there)
    left = await _without_target(session, catalog, stored, change)
    changed = [
        place
        for place, name in enumerate(change.columns)
        if any(old[place] != new[place] for old, new in zip(before, after, strict=True))
    ]
    wanted = {
        row: place
        for place, row in enumerate(found)
        if row is not None and place not in left and now.get(row) == after[place]
    }
    columns = [change.columns[place] for place in changed]
    values = {row: [before[at][place] for place in changed] for row, at in wanted.items()}
    await update_rows(session, stored, columns, values)
    return sorted(wanted.values())


async def _complete(session: AsyncSession, stored: StoredTable, change: RowsChange) -> list[int]:
    """Give records that came back the columns that their model does not have."""
    rows = change.before or []
    found = await _find(session, stored, stored.key, change.columns, rows)
    rest = [place for place, name in enumerate(change.columns) if name not in stored.key]
    columns = [change.columns[place] for place in rest]
    values = {
        row: [rows[at][place] for place in rest] for at, row in enumerate(found) if row is not None
    }
    await update_rows(session, stored, columns, values)
    return list(range(len(rows)))


async def _check(
    session: AsyncSession, stored: StoredTable, columns: Sequence[str], rows: Sequence[list[Any]]
) -> list[RowId]:
    """Return which rows these are; raises Invalid if one of them is another one."""
    found = await find_rows(session, stored, columns, rows)
    ids = [row for row in found if row is not None]
    now = await fetch_rows(session, stored, columns, ids)
    if len(ids) < len(rows) or [now.get(row) for row in ids] != list(rows):
        raise Invalid({"": f"The rows of {stored.label} are not as they were."})
    return ids


async def _find(
    session: AsyncSession,
    stored: StoredTable,
    wanted: Sequence[str],
    columns: Sequence[str],
    rows: Sequence[list[Any]],
) -> list[RowId | None]:
    places = [list(columns).index(name) for name in wanted]
    given = [[row[place] for place in places] for row in rows]
    return await find_rows(session, stored, wanted, given)


async def _without_target(
    session: AsyncSession, catalog: Catalog, stored: StoredTable, change: RowsChange
) -> set[int]:
    """Find the rows whose target is not there any more, nor comes back together with them."""
    rows = change.before or []
    found: set[int] = set()
    for key in catalog.pointing_from(stored):
        target = catalog.tables[key.target]
        if not key.is_declared or not {*key.columns} <= {*change.columns}:
            continue
        own = [list(change.columns).index(name) for name in key.columns]
        given = [[row[place] for place in own] for row in rows]
        without = await find_without_target(
            session, stored, key.columns, target, key.target_columns, given
        )
        if key.target == stored.name and {*key.target_columns} <= {*change.columns}:
            places = [list(change.columns).index(name) for name in key.target_columns]
            coming = [[row[place] for place in places] for row in rows]
            without = {place for place in without if given[place] not in coming}
        found |= without
    return found
