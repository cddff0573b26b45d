"""Referencing rows: the rows of any table that refer to others, followed to the end."""

from collections import deque
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    FromClause,
    and_,
    bindparam,
    column,
    func,
    literal,
    select,
    true,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import NullType

from hero_admin.database.identifiers import numbered
from hero_admin.model.primary_keys import Key, key_predicate
from hero_admin.model.resource import Record, Resource
from hero_admin.model.total import COUNT_CAP, Total
from hero_admin.writes.catalog import Catalog
from hero_admin.writes.tables import ForeignKey, Native, RowId, StoredTable, TableName, identity_of

ROWS_PER_STATEMENT = 1_000
# A chain of rows, each of which refers to the one before, takes a read each.
MAX_READS = 1_000
Item = TypeVar("Item")
# The record whose deletion changed or deleted others: its resource and its key.
Cause = tuple[str, str] | None
# A row, and its table.
TableRow = tuple[TableName, RowId]


@dataclass
class RowsToDelete:
    """All rows that a deletion deletes, by table of the catalog.

    rows: each with its cause, the nearest record above it; None for those asked for.
    without_relation: the rows whose cause is not the target of one of their relations.
    causes: the causes that an earlier deletion of the same rows has recorded.
    """

    catalog: Catalog
    rows: dict[TableName, dict[RowId, TableRow | None]] = field(default_factory=dict)
    without_relation: set[TableRow] = field(default_factory=set)
    causes: dict[TableRow, Cause] = field(default_factory=dict)
    is_capped: bool = False

    @property
    def count(self) -> int:
        return sum(map(len, self.rows.values()))

    def add(self, name: TableName, rows: Mapping[RowId, TableRow | None]) -> list[RowId]:
        """Add rows of a table; return those that are new."""
        known = self.rows.setdefault(name, {})
        new = [row for row in rows if row not in known]
        known.update({row: rows[row] for row in new})
        return new

    def of(self, name: TableName) -> dict[RowId, TableRow | None]:
        return self.rows.get(name, {})


async def fetch_ids(
    session: AsyncSession, stored: StoredTable, resource: Resource, keys: Sequence[Key]
) -> list[RowId]:
    """Fetch the row ids of records, in the order of their keys."""
    found: list[RowId] = []
    own = [each.exact for each in resource.key]
    identity: list[ColumnElement[Any]] = [column(name) for name in stored.identity]
    for some in portions(keys):
        rows = select(*identity).select_from(resource.table)
        rows = rows.where(key_predicate(resource, some)).order_by(*own)
        found += [tuple(row) for row in await session.execute(rows)]
    return found


async def fetch_columns(
    session: AsyncSession,
    stored: StoredTable,
    resource: Resource,
    columns: Iterable[ColumnElement[Any]],
    ids: Sequence[RowId],
) -> dict[RowId, tuple[Any, ...]]:
    """Fetch the values of columns of records by the ids of their rows, in the order of the keys."""
    count = len(stored.identity)
    shown = numbered([*map(column, stored.identity), *columns])
    rows = select(*shown).select_from(resource.table).where(is_any(stored, None, ids))
    rows = rows.order_by(*(field.exact for field in resource.key))
    return {tuple(row[:count]): tuple(row[count:]) for row in await session.execute(rows)}


async def fetch_whole(
    session: AsyncSession, stored: StoredTable, resource: Resource, ids: Sequence[RowId]
) -> dict[RowId, Record]:
    """Fetch records by the ids of their rows, in the order of their keys."""
    names = [field.name for field in resource.fields]
    columns = [field.whole for field in resource.fields]
    found = await fetch_columns(session, stored, resource, columns, ids)
    return {row: dict(zip(names, values, strict=True)) for row, values in found.items()}


async def find_cascade(
    session: AsyncSession,
    found: RowsToDelete,
    stored: StoredTable,
    ids: Sequence[RowId],
    *,
    spared: Collection[ForeignKey] = (),
    most: int,
    is_locked: bool = False,
) -> None:
    """Add rows, and all that the database deletes with them, to `found`; capped at `most`.

    spared: foreign keys by which rows refer to these without being deleted.
    """
    catalog = found.catalog
    waiting = deque([(stored, found.add(stored.name, dict.fromkeys(ids)), spared)])
    reads_left = MAX_READS
    while waiting:
        table, some, but = waiting.popleft()
        for key in catalog.references_to(table):
            referencing = catalog.tables[key.table]
            if key in but or catalog.effect_of(key) != "deleted" or not referencing.is_usable:
                continue
            async for pairs in fetch_referencing(session, catalog, key, some, is_locked=is_locked):
                new = found.add(key.table, causes_of(found, key, pairs))
                if not catalog.is_relation(key):
                    found.without_relation |= {(key.table, row) for row in new}
                if new:
                    waiting.append((referencing, new, ()))
                reads_left -= 1
                if found.count > most or not reads_left:
                    found.is_capped = True
                    return


def causes_of(
    found: RowsToDelete, key: ForeignKey, pairs: Sequence[tuple[RowId, RowId]]
) -> dict[RowId, TableRow | None]:
    """Return the cause of each row: the record that it refers to, or that record's own cause."""
    if key.target in found.catalog.resources:
        return {row: (key.target, target) for row, target in pairs}
    targets = found.of(key.target)
    return {row: targets.get(target) for row, target in pairs}


async def fetch_referencing(
    session: AsyncSession,
    catalog: Catalog,
    key: ForeignKey,
    ids: Sequence[RowId],
    *,
    is_locked: bool = False,
) -> AsyncIterator[list[tuple[RowId, RowId]]]:
    """Yield pairs of a row and the target that it refers to, a thousand at a time."""
    referencing, target = catalog.tables[key.table], catalog.tables[key.target]
    own, theirs = referencing.clause("referencing"), target.clause("target")
    identity, count = identity_of(referencing, own), len(referencing.identity)
    columns = numbered([*identity, *identity_of(target, theirs)])
    for some in portions(ids):
        joined = theirs.join(own, refers_to(key, own, theirs))
        rows = select(*columns).select_from(joined).where(is_any(target, theirs, some))
        rows = rows.order_by(*identity).limit(ROWS_PER_STATEMENT)
        after: ColumnElement[bool] = true()
        while True:
            statement = rows.where(after)
            if is_locked:
                statement = statement.with_for_update(of=own)
            found = (await session.execute(statement)).all()
            pairs = [(tuple(row[:count]), tuple(row[count:])) for row in found]
            if pairs:
                yield pairs
            if len(pairs) < ROWS_PER_STATEMENT:
                break
            after = _is_after(identity, pairs[-1][0])


async def count_referencing(
    session: AsyncSession, to_delete: RowsToDelete, key: ForeignKey, ids: Sequence[RowId]
) -> Total:
    """Count the rows that refer to targets and are not deleted themselves."""
    catalog = to_delete.catalog
    referencing, target = catalog.tables[key.table], catalog.tables[key.target]
    going = to_delete.of(key.table)
    count = 0
    if going:
        async for pairs in fetch_referencing(session, catalog, key, ids):
            count += sum(row not in going for row, _ in pairs)
            if count > COUNT_CAP:
                break
        return Total.capped(count)
    own, theirs = referencing.clause("referencing"), target.clause("target")
    for some in portions(ids):
        joined = theirs.join(own, refers_to(key, own, theirs))
        rows = select(literal(1)).select_from(joined).where(is_any(target, theirs, some))
        counted = select(func.count()).select_from(rows.limit(COUNT_CAP + 1 - count).subquery())
        count += (await session.execute(counted)).scalar_one()
        if count > COUNT_CAP:
            break
    return Total.capped(count)


def refers_to(key: ForeignKey, own: FromClause, theirs: FromClause) -> ColumnElement[bool]:
    """Return the predicate that a row refers to another one."""
    # The target comes first: its collation decides.
    pairs = zip(key.target_columns, key.columns, strict=True)
    return and_(*(theirs.c[pointed] == own.c[name] for pointed, name in pairs))


def is_any(
    stored: StoredTable, clause: FromClause | None, ids: Sequence[RowId]
) -> ColumnElement[bool]:
    """Return the predicate that a row is one of these; without a clause, of the only table."""
    names = stored.identity
    columns = (
        identity_of(stored, clause) if clause is not None else [column(name) for name in names]
    )
    if len(columns) == 1:
        values = bindparam(None, [row[0] for row in ids], Native(), expanding=True)
        predicate: ColumnElement[bool] = columns[0].in_(values)
        return predicate
    return tuple_(*columns).in_(bindparam(None, list(ids), NullType(), expanding=True))


def portions(values: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """Yield the values in portions for one statement each."""
    for start in range(0, len(values), ROWS_PER_STATEMENT):
        yield values[start : start + ROWS_PER_STATEMENT]


def _is_after(identity: Sequence[Any], last: RowId) -> ColumnElement[bool]:
    values = [bindparam(None, part, Native()) for part in last]
    if len(values) == 1:
        predicate: ColumnElement[bool] = identity[0] > values[0]
        return predicate
    return tuple_(*identity) > tuple_(*values)
