"""Pointing: the rows of any table that point at others, followed to the end."""

from collections import deque
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
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
    literal_column,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import NullType

from hero_admin.model.fields import Field
from hero_admin.model.primary_keys import Key, key_predicate
from hero_admin.model.resource import Resource
from hero_admin.model.total import COUNT_CAP, Total
from hero_admin.writes.catalog import Catalog
from hero_admin.writes.tables import ForeignKey, Native, RowId, StoredTable, TableName, identity_of

ROWS_PER_STEP = 1_000
# Rows may go along one because of the other, as in a long chain.
MAX_STEPS = 1_000

Part = TypeVar("Part")
# The name of a resource and the key of a record, because of which something happened to others.
Cause = tuple[str, str] | None
# A row of an administered table.
Place = tuple[TableName, RowId]


@dataclass
class Doomed:
    """The rows that go when some of them are deleted, by table.

    rows: each with the nearest record above it, which those asked for have not.
    untold: those whose own values do not tell that record.
    causes: that record, where it is known already because they went before.
    """

    rows: dict[TableName, dict[RowId, Place | None]] = field(default_factory=dict)
    untold: set[Place] = field(default_factory=set)
    causes: dict[Place, Cause] = field(default_factory=dict)
    is_capped: bool = False

    @property
    def count(self) -> int:
        return sum(map(len, self.rows.values()))

    def add(self, name: TableName, rows: Mapping[RowId, Place | None]) -> list[RowId]:
        """Add rows of a table; return those that are new."""
        known = self.rows.setdefault(name, {})
        new = [row for row in rows if row not in known]
        known.update({row: rows[row] for row in new})
        return new

    def of(self, name: TableName) -> dict[RowId, Place | None]:
        return self.rows.get(name, {})


async def fetch_ids(
    session: AsyncSession, stored: StoredTable, resource: Resource, keys: Sequence[Key]
) -> list[RowId]:
    """Fetch which rows some records are, in the order of their identity."""
    found: list[RowId] = []
    own = [each.exact for each in resource.key]
    identity: list[ColumnElement[Any]] = [column(name) for name in stored.identity]
    for some in parts(keys):
        rows = select(*identity).select_from(resource.table)
        rows = rows.where(key_predicate(resource, some)).order_by(*own)
        found += [tuple(row) for row in await session.execute(rows)]
    return found


async def find_cascade(
    session: AsyncSession,
    catalog: Catalog,
    found: Doomed,
    stored: StoredTable,
    ids: Sequence[RowId],
    *,
    spared: Collection[ForeignKey] = (),
    most: int,
    is_locked: bool = False,
) -> None:
    """Add rows, and all that goes along with them, to what was found; capped at `most`.

    What points at the rows by a `spared` key does not go along.
    """
    waiting = deque([(stored, found.add(stored.name, dict.fromkeys(ids)), spared)])
    steps_left = MAX_STEPS
    while waiting:
        table, some, but = waiting.popleft()
        for key in catalog.pointing_at(table):
            pointing = catalog.tables[key.table]
            if key in but or catalog.effect_of(key) != "deleted" or not pointing.is_usable:
                continue
            async for pairs in fetch_pointing(session, catalog, key, some, is_locked=is_locked):
                new = found.add(key.table, causes_of(catalog, found, key, pairs))
                if not catalog.is_told(key):
                    found.untold |= {(key.table, row) for row in new}
                if new:
                    waiting.append((pointing, new, ()))
                steps_left -= 1
                if found.count > most or not steps_left:
                    found.is_capped = True
                    return


def causes_of(
    catalog: Catalog, found: Doomed, key: ForeignKey, pairs: Sequence[tuple[RowId, RowId]]
) -> dict[RowId, Place | None]:
    """Return the record because of which something happens to each row that points at a target."""
    if key.target in catalog.resources:
        return {row: (key.target, target) for row, target in pairs}
    targets = found.of(key.target)
    return {row: targets.get(target) for row, target in pairs}


async def fetch_pointing(
    session: AsyncSession,
    catalog: Catalog,
    key: ForeignKey,
    ids: Sequence[RowId],
    *,
    is_locked: bool = False,
) -> AsyncIterator[list[tuple[RowId, RowId]]]:
    """Fetch which rows point at which of these targets, a thousand at a time."""
    pointing, target = catalog.tables[key.table], catalog.tables[key.target]
    own, theirs = pointing.clause("pointing"), target.clause("target")
    identity, count = identity_of(pointing, own), len(pointing.identity)
    columns = [*identity, *identity_of(target, theirs)]
    labelled = [each.label(f"_{place}") for place, each in enumerate(columns)]
    for some in parts(ids):
        joined = theirs.join(own, points(key, own, theirs))
        rows = select(*labelled).select_from(joined).where(is_any(target, theirs, some))
        rows = rows.order_by(*identity).limit(ROWS_PER_STEP)
        after: ColumnElement[bool] = true()
        while True:
            statement = rows.where(after)
            if is_locked:
                statement = statement.with_for_update(of=own)
            found = (await session.execute(statement)).all()
            pairs = [(tuple(row[:count]), tuple(row[count:])) for row in found]
            if pairs:
                yield pairs
            if len(pairs) < ROWS_PER_STEP:
                break
            after = _is_after(identity, pairs[-1][0])


async def fetch_has_default(
    session: AsyncSession, catalog: Catalog, key: ForeignKey, doomed: Doomed
) -> bool:
    """Whether rows may point at what their columns have by default, which stays."""
    stored, target = catalog.tables[key.table], catalog.tables[key.target]
    defaults = [default_of(stored, name) for name in key.columns]
    if any(each is None for each in defaults) or set(key.cleared) != set(key.columns):
        return True
    given = [each for each in defaults if each is not None]
    if (await session.execute(select(or_(*(each.is_(None) for each in given))))).scalar():
        return True
    theirs = target.clause("target")
    same = [theirs.c[name] == each for name, each in zip(key.target_columns, given, strict=True)]
    found = (await session.execute(select(*identity_of(target, theirs)).where(*same))).first()
    return found is not None and tuple(found) not in doomed.of(target.name)


def default_of(
    stored: StoredTable, name: str, field: Field | None = None
) -> ColumnElement[Any] | None:
    """Return what a column has by default, as a value of a field if it is one."""
    own = stored.column(name)
    if own.default is None:
        return None
    sql = f"CAST(({own.default}) AS {own.type})" if own.type else f"({own.default})"
    return literal_column(sql, None if field is None else field.exact_type)


async def count_pointing(
    session: AsyncSession,
    catalog: Catalog,
    key: ForeignKey,
    ids: Sequence[RowId],
    doomed: Doomed,
) -> Total:
    """Count the rows that point at targets and do not go along themselves."""
    pointing, target = catalog.tables[key.table], catalog.tables[key.target]
    going = doomed.of(key.table)
    count = 0
    if going:
        async for pairs in fetch_pointing(session, catalog, key, ids):
            count += sum(row not in going for row, _ in pairs)
            if count > COUNT_CAP:
                break
        return Total.capped(count)
    own, theirs = pointing.clause("pointing"), target.clause("target")
    for some in parts(ids):
        joined = theirs.join(own, points(key, own, theirs))
        rows = select(literal(1)).select_from(joined).where(is_any(target, theirs, some))
        counted = select(func.count()).select_from(rows.limit(COUNT_CAP + 1 - count).subquery())
        count += (await session.execute(counted)).scalar_one()
        if count > COUNT_CAP:
            break
    return Total.capped(count)


def points(key: ForeignKey, own: FromClause, theirs: FromClause) -> ColumnElement[bool]:
    """Return the condition that a row points at another one."""
    # The target stands on the left: it is by its collation that a database compares them.
    pairs = zip(key.target_columns, key.columns, strict=True)
    return and_(*(theirs.c[pointed] == own.c[name] for pointed, name in pairs))


def is_any(
    stored: StoredTable, clause: FromClause | None, ids: Sequence[RowId]
) -> ColumnElement[bool]:
    """Return the condition that a row is one of these; without a clause of the only table."""
    names = stored.identity
    columns = (
        identity_of(stored, clause) if clause is not None else [column(name) for name in names]
    )
    if len(columns) == 1:
        values = bindparam(None, [row[0] for row in ids], Native(), expanding=True)
        predicate: ColumnElement[bool] = columns[0].in_(values)
        return predicate
    return tuple_(*columns).in_(bindparam(None, list(ids), NullType(), expanding=True))


def parts(values: Sequence[Part]) -> Iterator[Sequence[Part]]:
    """Yield what one statement takes."""
    for start in range(0, len(values), ROWS_PER_STEP):
        yield values[start : start + ROWS_PER_STEP]


def _is_after(identity: Sequence[Any], last: RowId) -> ColumnElement[bool]:
    values = [bindparam(None, part, Native()) for part in last]
    if len(values) == 1:
        predicate: ColumnElement[bool] = identity[0] > values[0]
        return predicate
    return tuple_(*identity) > tuple_(*values)
