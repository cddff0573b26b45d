"""Row reverts: undo recorded changes of rows in tables that are not administered."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.audit_log.changes import Kind
from hero_admin.database.errors import is_unavailable
from hero_admin.history.revert_deferred import RevertContext, defer_references, values_in
from hero_admin.web.errors import Invalid
from hero_admin.writes.catalog import triggers_of
from hero_admin.writes.row_changes import RowsChange
from hero_admin.writes.table_rows import (
    Raw,
    RawRow,
    fetch_rows,
    find_rows,
    insert_rows,
    update_rows,
)
from hero_admin.writes.tables import StoredTable


async def revert_rows(context: RevertContext, change: RowsChange) -> int:
    """Revert a change of rows of one table; return how many are left as they are.

    Raises Invalid where it could not be reverted exactly.
    """
    stored = context.catalog.tables.get(change.table)
    _check_columns(stored, change.table.name, change.columns)
    assert stored is not None
    async with refusing(context.session, stored):
        done = await _revert(context, stored, change)
    if done.count:
        await context.transaction.record([done.reversed().entry(stored)])
    return 0 if change.kind is Kind.RESTORED else change.count - done.count


async def restore_rows(
    context: RevertContext, stored: StoredTable, rows: Iterable[Mapping[str, Raw]]
) -> None:
    """Insert rows, as mappings by column; raises Invalid where they would not be as they were."""
    by_columns: dict[tuple[str, ...], list[RawRow]] = {}
    for row in rows:
        by_columns.setdefault(tuple(row), []).append(list(row.values()))
    async with refusing(context.session, stored):
        for columns, values in by_columns.items():
            _check_columns(stored, stored.label, columns)
            await defer_references(context, stored, columns, values)
            await _insert(context, stored, columns, values)


async def update_deferred_rows(context: RevertContext) -> None:
    """Set the references to rows that were restored later."""
    session = context.session
    for key, own, values in context.referencing:
        stored = context.catalog.tables[key.table]
        (row,) = await find_rows(session, stored, stored.key, [own])
        if row is not None:
            async with refusing(session, stored):
                await update_rows(session, stored, key.columns, {row: values})


@asynccontextmanager
async def refusing(session: AsyncSession, stored: StoredTable) -> AsyncIterator[None]:
    """Run in a savepoint; raise Invalid for what the database refuses."""
    try:
        async with session.begin_nested():
            yield
    except DBAPIError as error:
        if is_unavailable(error):
            raise
        sentence = f"The database doesn't accept the earlier rows of {stored.label}."
        raise Invalid({"": sentence}) from None


def _check_columns(stored: StoredTable | None, name: str, columns: Sequence[str]) -> None:
    if stored is None or not {*columns} <= {each.name for each in stored.writable}:
        raise Invalid({"": f"The table {name} has changed since."})


async def _revert(context: RevertContext, stored: StoredTable, change: RowsChange) -> RowsChange:
    """Return the change without the rows left alone; its `before` is what they are now."""
    match change.kind:
        case Kind.DELETED:
            return await _restore(context, stored, change)
        case Kind.RESTORED:
            await _delete_again(context, stored, change)
            # It is recorded when they are deleted.
            return change.only([])
    return await _revert_changes(context, stored, change)


async def _restore(context: RevertContext, stored: StoredTable, change: RowsChange) -> RowsChange:
    columns = change.columns
    rows = [list(row) for row in change.before or []]
    left = await defer_references(context, stored, columns, rows)
    if stored.key:
        keys = values_in(columns, stored.key, rows)
        there = await find_rows(context.session, stored, stored.key, keys)
        left |= {position for position, row in enumerate(there) if row is not None}
    wanted = [position for position in range(len(rows)) if position not in left]
    given = [rows[position] for position in wanted]
    now = await _insert(context, stored, columns, given)
    done = change.only(wanted)
    return done if now is None else replace(done, before=now)


async def _insert(
    context: RevertContext, stored: StoredTable, columns: Sequence[str], rows: Sequence[RawRow]
) -> list[RawRow] | None:
    """Insert rows; return them as triggers have rewritten them, None without such triggers."""
    session = context.session
    if await insert_rows(session, stored, columns, rows) < len(rows):
        raise Invalid({"": f"A database trigger prevents changes to {stored.label}."})
    if "INSERT" not in triggers_of(context.catalog, stored):
        return None
    found = await find_rows(session, stored, columns, rows)
    there = await fetch_rows(session, stored, columns, [row for row in found if row is not None])
    if None in found and stored.key:
        raise Invalid({"": f"The database doesn't accept the earlier rows of {stored.label}."})
    if None in found:
        # Without a key nothing tells which of them was rewritten.
        context.rewritten[f"rows of {stored.label}"] = None
        return None
    now = [there[row] for row in found if row is not None]
    context.note_rewritten_rows(stored, columns, rows, now)
    return now


async def _delete_again(context: RevertContext, stored: StoredTable, change: RowsChange) -> None:
    rows, columns = change.after or [], change.columns
    found = await find_rows(context.session, stored, columns, rows)
    ids = [row for row in found if row is not None]
    now = await fetch_rows(context.session, stored, columns, ids)
    if len(ids) < len(rows) or [now.get(row) for row in ids] != rows:
        raise Invalid({"": f"The rows of {stored.label} have changed since."})
    context.delete_later(stored, dict.fromkeys(ids), f"rows of {stored.label}")
    for row, cause in zip(ids, change.causes, strict=True):
        context.to_delete.causes[stored.name, row] = cause


async def _revert_changes(
    context: RevertContext, stored: StoredTable, change: RowsChange
) -> RowsChange:
    session = context.session
    before, after = [list(row) for row in change.before or []], change.after or []
    found = await find_rows(session, stored, change.columns, after)
    there = [row for row in found if row is not None]
    now = await fetch_rows(session, stored, change.columns, there)
    left = await defer_references(context, stored, change.columns, before)
    changed = [
        position
        for position, name in enumerate(change.columns)
        if any(old[position] != new[position] for old, new in zip(before, after, strict=True))
    ]
    wanted = {
        row: position
        for position, row in enumerate(found)
        if row is not None and position not in left and now.get(row) == after[position]
    }
    columns = [change.columns[position] for position in changed]
    values = {row: [before[at][position] for position in changed] for row, at in wanted.items()}
    await update_rows(session, stored, columns, values)
    return change.only(sorted(wanted.values()))
