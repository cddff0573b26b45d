"""Row reversal: does the opposite of what was written down of rows that are not administered."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.audit_log.changes import Kind
from hero_admin.database.errors import REFUSALS, is_unavailable
from hero_admin.history.revert_batches import Step
from hero_admin.web.errors import Invalid
from hero_admin.writes.bulk import rewritten_labels
from hero_admin.writes.cascade import count_pointing_at
from hero_admin.writes.catalog import Catalog, triggers_of
from hero_admin.writes.deletion import delete_cascade, refused
from hero_admin.writes.referencing_rows import Doomed, Place
from hero_admin.writes.row_changes import RowsChange
from hero_admin.writes.table_rows import (
    Raw,
    RawRow,
    fetch_rows,
    find_rows,
    find_without_target,
    insert_rows,
    update_rows,
)
from hero_admin.writes.tables import ForeignKey, RowId, StoredTable, TableName
from hero_admin.writes.transaction import Transaction


@dataclass
class Later:
    """What is still to happen.

    coming: the tables of rows that come back; pointing: what will point at these then.
    going: rows that go again, when all else is done; asked: what they are called, by table.
    direct: those of them that are no consequence.
    rewritten: what triggers have made something else of than it was, as “age of heroes”.
    """

    coming: Collection[TableName]
    pointing: list[tuple[ForeignKey, RawRow, RawRow]] = field(default_factory=list)
    going: Doomed = field(default_factory=Doomed)
    asked: list[tuple[StoredTable, list[RowId], str]] = field(default_factory=list)
    direct: set[Place] = field(default_factory=set)
    rewritten: dict[str, None] = field(default_factory=dict)

    def note_rewritten(self, step: Step, after: Mapping[str, Mapping[str, Any]]) -> None:
        """Note what of the records of a step, by their keys, is not as it was."""
        for key, state in after.items():
            if key not in step.whole_rows:
                labels = rewritten_labels(step.resource, state, step.earlier[key])
                self.rewritten |= dict.fromkeys(labels)

    def note_rewritten_rows(
        self,
        stored: StoredTable,
        columns: Sequence[str],
        before: Sequence[RawRow],
        now: Sequence[RawRow],
    ) -> None:
        """Note the same of rows that are not administered."""
        for place, name in enumerate(columns):
            if any(old[place] != new[place] for old, new in zip(before, now, strict=True)):
                self.rewritten[f"{name} of {stored.label}"] = None

    def go(self, stored: StoredTable, rows: Mapping[RowId, Place | None], what: str) -> None:
        """Note that rows go again."""
        self.asked.append((stored, self.going.add(stored.name, rows), what))


async def delete_going(transaction: Transaction, catalog: Catalog, later: Later) -> None:
    """Delete what goes again, at once, as it may point at each other.

    Raises Invalid if something else points at it by now.
    """
    session = transaction.session
    for stored, ids, what in later.asked:
        count = await count_pointing_at(session, catalog, stored, ids, later.going)
        if count:
            others = "Another record points" if count == 1 else f"{count:,} other records point"
            raise Invalid({"": f"{others} at {what} now."})
    try:
        async with session.begin_nested():
            await delete_cascade(transaction, catalog, later.going, later.direct)
    except REFUSALS as error:
        raise refused(error, "Other records need one of them now.") from None


async def reverse_rows(
    transaction: Transaction, catalog: Catalog, change: RowsChange, later: Later
) -> int:
    """Take back what happened to rows of one table; return how many stay as they are now.

    Raises Invalid where it would not be exact.
    """
    stored = catalog.tables.get(change.table)
    _check_columns(stored, change.table.name, change.columns)
    assert stored is not None
    async with refusing(transaction.session, stored):
        done = await _reverse(transaction.session, catalog, stored, change, later)
    if done.count:
        await transaction.record([done.reversed().entry(stored)])
    return 0 if change.kind is Kind.RESTORED else change.count - done.count


async def put_back(
    session: AsyncSession,
    catalog: Catalog,
    stored: StoredTable,
    rows: Sequence[Mapping[str, Raw]],
    later: Later,
) -> None:
    """Insert rows as they were, by column; raises Invalid where it would not be exact."""
    by_columns: dict[tuple[str, ...], list[RawRow]] = {}
    for row in rows:
        by_columns.setdefault(tuple(row), []).append(list(row.values()))
    async with refusing(session, stored):
        for columns, values in by_columns.items():
            _check_columns(stored, stored.label, columns)
            await _without_target(session, catalog, stored, columns, values, later)
            await _insert(session, catalog, stored, columns, values, later)


async def complete_rows(session: AsyncSession, catalog: Catalog, later: Later) -> None:
    """Let rows point at those that came back after them."""
    for key, own, values in later.pointing:
        stored = catalog.tables[key.table]
        (row,) = await find_rows(session, stored, stored.key, [own])
        if row is not None:
            async with refusing(session, stored):
                await update_rows(session, stored, key.columns, {row: values})


@asynccontextmanager
async def refusing(session: AsyncSession, stored: StoredTable) -> AsyncIterator[None]:
    """Raise Invalid for what only the database finds, having undone what was done inside."""
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


async def _reverse(
    session: AsyncSession, catalog: Catalog, stored: StoredTable, change: RowsChange, later: Later
) -> RowsChange:
    """Return the change of those rows for which it could be done; `before` is what they are now."""
    match change.kind:
        case Kind.DELETED:
            return await _bring_back(session, catalog, stored, change, later)
        case Kind.RESTORED:
            await _go_again(session, stored, change, later)
            # It is written down when they go.
            return change.only([])
    return await _change_back(session, catalog, stored, change, later)


async def _bring_back(
    session: AsyncSession, catalog: Catalog, stored: StoredTable, change: RowsChange, later: Later
) -> RowsChange:
    columns = change.columns
    rows = [list(row) for row in change.before or []]
    left = await _without_target(session, catalog, stored, columns, rows, later)
    if stored.key:
        there = await _find(session, stored, stored.key, columns, rows)
        left |= {place for place, row in enumerate(there) if row is not None}
    wanted = [place for place in range(len(rows)) if place not in left]
    given = [rows[place] for place in wanted]
    now = await _insert(session, catalog, stored, columns, given, later)
    done = change.only(wanted)
    return done if now is None else replace(done, before=now)


async def _insert(
    session: AsyncSession,
    catalog: Catalog,
    stored: StoredTable,
    columns: Sequence[str],
    rows: Sequence[RawRow],
    later: Later,
) -> list[RawRow] | None:
    """Insert rows; return what triggers have made of them, if there are any that may."""
    if await insert_rows(session, stored, columns, rows) < len(rows):
        raise Invalid({"": f"A database trigger prevents changes to {stored.label}."})
    if "INSERT" not in triggers_of(catalog, stored):
        return None
    found = await find_rows(session, stored, columns, rows)
    there = await fetch_rows(session, stored, columns, [row for row in found if row is not None])
    if None in found and stored.key:
        raise Invalid({"": f"The database doesn't accept the earlier rows of {stored.label}."})
    if None in found:
        # Without a key nothing tells which of them was made something else of.
        later.rewritten[f"rows of {stored.label}"] = None
        return None
    now = [there[row] for row in found if row is not None]
    later.note_rewritten_rows(stored, columns, rows, now)
    return now


async def _go_again(
    session: AsyncSession, stored: StoredTable, change: RowsChange, later: Later
) -> None:
    ids = await _check(session, stored, change.columns, change.after or [])
    later.go(stored, dict.fromkeys(ids), f"rows of {stored.label}")
    for row, cause in zip(ids, change.causes, strict=True):
        later.going.causes[stored.name, row] = cause


async def _change_back(
    session: AsyncSession, catalog: Catalog, stored: StoredTable, change: RowsChange, later: Later
) -> RowsChange:
    before, after = [list(row) for row in change.before or []], change.after or []
    found = await find_rows(session, stored, change.columns, after)
    there = [row for row in found if row is not None]
    now = await fetch_rows(session, stored, change.columns, there)
    left = await _without_target(session, catalog, stored, change.columns, before, later)
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
    return change.only(sorted(wanted.values()))


async def _check(
    session: AsyncSession, stored: StoredTable, columns: Sequence[str], rows: Sequence[RawRow]
) -> list[RowId]:
    """Return which rows these are; raises Invalid if one of them is another one."""
    found = await find_rows(session, stored, columns, rows)
    ids = [row for row in found if row is not None]
    now = await fetch_rows(session, stored, columns, ids)
    if len(ids) < len(rows) or [now.get(row) for row in ids] != list(rows):
        raise Invalid({"": f"The rows of {stored.label} have changed since."})
    return ids


async def _find(
    session: AsyncSession,
    stored: StoredTable,
    wanted: Sequence[str],
    columns: Sequence[str],
    rows: Sequence[RawRow],
) -> list[RowId | None]:
    return await find_rows(session, stored, wanted, _parts_of(columns, wanted, rows))


async def _without_target(
    session: AsyncSession,
    catalog: Catalog,
    stored: StoredTable,
    columns: Sequence[str],
    rows: list[RawRow],
    later: Later,
) -> set[int]:
    """Find the rows whose target is not there any more, nor comes back together with them.

    What will be there later is left out of the rows until then, where it can be.
    """
    found: set[int] = set()
    for key in catalog.pointing_from(stored):
        if not key.is_declared or not {*key.columns} <= {*columns}:
            continue
        given = _parts_of(columns, key.columns, rows)
        target = catalog.tables[key.target]
        without = await find_without_target(
            session, stored, key.columns, target, key.target_columns, given
        )
        if key.target == stored.name and {*key.target_columns} <= {*columns}:
            coming = _parts_of(columns, key.target_columns, rows)
            without = {place for place in without if given[place] not in coming}
        if key.target not in later.coming:
            found |= without
        elif stored.key and all(_may_wait(stored, name) for name in key.columns):
            own = _parts_of(columns, stored.key, rows)
            for place in without:
                later.pointing.append((key, own[place], given[place]))
                for name in key.columns:
                    rows[place][list(columns).index(name)] = None
    return found


def _may_wait(stored: StoredTable, name: str) -> bool:
    return stored.column(name).is_nullable and name not in stored.key


def _parts_of(
    columns: Sequence[str], wanted: Sequence[str], rows: Sequence[RawRow]
) -> list[RawRow]:
    places = [list(columns).index(name) for name in wanted]
    return [[row[place] for place in places] for row in rows]
