"""Table rows: rows of tables that are not administered, recorded and restored without loss.

Values are the raw ones of the database as JSON, not converted by column types.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import CursorResult, Select, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.database.identifiers import numbered, quoted
from hero_admin.database.raw_values import raw_values_of
from hero_admin.writes.catalog import Catalog
from hero_admin.writes.referencing_rows import is_any, portions
from hero_admin.writes.tables import ForeignKey, RowId, StoredTable, identity_of

# Any: what JSON holds. A recorded value, and the values of a row.
Raw = Any
RawRow = list[Raw]


async def fetch_rows(
    session: AsyncSession, stored: StoredTable, columns: Sequence[str], ids: Sequence[RowId]
) -> dict[RowId, RawRow]:
    """Fetch the values of rows, as they are recorded."""
    own = stored.clause()
    count = len(stored.identity)
    raw = raw_values_of(session)
    values = [raw.selected(own.c[name]) for name in columns]
    shown = numbered([*identity_of(stored, own), *values])
    found = {}
    for some in portions(ids):
        for row in await session.execute(select(*shown).where(is_any(stored, own, some))):
            found[tuple(row[:count])] = [*map(raw.written, row[count:])]
    return found


async def fetch_raw_value(session: AsyncSession, rows: Select[Any]) -> Raw:
    """Fetch the only value of the first row, as it is recorded."""
    raw = raw_values_of(session)
    value = rows.with_only_columns(raw.selected(rows.selected_columns[0]))
    return raw.written((await session.execute(value.limit(1))).scalar())


async def insert_rows(
    session: AsyncSession, stored: StoredTable, columns: Sequence[str], rows: Sequence[RawRow]
) -> int:
    """Insert rows in batches, as they may refer to each other; return how many were inserted."""
    count = 0
    names = ", ".join(map(_quoted, columns))
    chosen = ", ".join(f"c{position}" for position in range(len(columns)))
    inserting = f"INSERT INTO {_table(stored)} ({names}) {raw_values_of(session).INSERTING}"
    for _, given, parameters in _given(session, stored, columns, rows):
        # Drivers report the row count only of statements that begin with INSERT.
        statement = f"{inserting}WITH {given}"
        order = f"SELECT {chosen} FROM given_rows ORDER BY n"  # noqa: S608 - quoted
        done = await session.execute(text(f"{statement} {order}"), parameters)
        assert isinstance(done, CursorResult)
        count += done.rowcount
    return count


async def find_rows(
    session: AsyncSession, stored: StoredTable, columns: Sequence[str], rows: Sequence[RawRow]
) -> list[RowId | None]:
    """Find rows by their key or, without one, by all values; None for a missing one."""
    has_key = bool(stored.key) and set(stored.key) <= set(columns)
    compared = stored.key if has_key else tuple(columns)
    positions = [list(columns).index(name) for name in compared]
    found: list[RowId | None] = []
    taken: set[RowId] = set()
    identity = ", ".join(f"t.{_quoted(name)}" for name in stored.identity)
    own = [f"t.{_quoted(name)}" for name in compared]
    theirs = [f"given_rows.c{position}" for position in range(len(compared))]
    raw, pairs = raw_values_of(session), zip(own, theirs, strict=True)
    same = " AND ".join(f"{one} = {other}" for one, other in pairs)
    same = same if has_key else raw.same_sql(own, theirs)
    locked = f"ORDER BY given_rows.n, {identity}{raw.LOCKING}"
    wanted = [[row[position] for position in positions] for row in rows]
    for portion, given, parameters in _given(session, stored, compared, wanted):
        statement = f"WITH {given} SELECT given_rows.n, {identity} FROM given_rows"  # noqa: S608 - quoted
        joined = f"JOIN {_own_rows(stored)} AS t ON {same} {locked}"
        there: dict[int, list[RowId]] = {}
        for row in await session.execute(text(f"{statement} {joined}"), parameters):
            there.setdefault(row[0], []).append(tuple(row[1:]))
        for position in range(len(portion)):
            free = next((row for row in there.get(position, ()) if row not in taken), None)
            if free is not None:
                taken.add(free)
            found.append(free)
    return found


async def find_without_target(
    session: AsyncSession, catalog: Catalog, key: ForeignKey, rows: Sequence[RawRow]
) -> set[int]:
    """Return the positions of rows, as the values of a foreign key, that refer to no row."""
    found: set[int] = set()
    start = 0
    target, names = catalog.tables[key.target], key.target_columns
    is_whole = " AND ".join(f"given_rows.c{position} IS NOT NULL" for position in range(len(names)))
    pairs = (f"t.{_quoted(name)} = given_rows.c{position}" for position, name in enumerate(names))
    there = f"SELECT 1 FROM {_own_rows(target)} AS t WHERE {' AND '.join(pairs)}"  # noqa: S608 - quoted
    for portion, given, parameters in _given(session, catalog.tables[key.table], key.columns, rows):
        statement = (
            f"WITH {given} SELECT n FROM given_rows WHERE {is_whole} AND NOT EXISTS ({there})"  # noqa: S608 - quoted
        )
        found |= {
            start + position for (position,) in await session.execute(text(statement), parameters)
        }
        start += len(portion)
    return found


async def update_rows(
    session: AsyncSession,
    stored: StoredTable,
    columns: Sequence[str],
    changed: Mapping[RowId, RawRow],
) -> None:
    """Set the values of columns in each row."""
    if not changed or not columns:
        return
    raw, types = raw_values_of(session), _types(stored, columns)
    sets = [
        f"{_quoted(name)} = {raw.value_sql(f'v{position}', types[position])}"
        for position, name in enumerate(columns)
    ]
    own = [f"{_quoted(name)} = :i{position}" for position, name in enumerate(stored.identity)]
    rows, found = _own_rows(stored), " AND ".join(own)
    statement = f"UPDATE {rows} SET {', '.join(sets)} WHERE {found}"  # noqa: S608 - quoted
    parameters = [
        {f"i{position}": part for position, part in enumerate(row)}
        | {
            name: part
            for position, value in enumerate(values)
            for name, part in raw.parameters(f"v{position}", value).items()
        }
        for row, values in changed.items()
    ]
    await session.execute(text(statement), parameters)


def _given(
    session: AsyncSession, stored: StoredTable, columns: Sequence[str], rows: Sequence[RawRow]
) -> Iterator[tuple[Sequence[RawRow], str, dict[str, Any]]]:
    """Yield portions of rows, each as a table expression `given_rows` with its parameters."""
    raw, types = raw_values_of(session), _types(stored, columns)
    size = max(1, raw.MAX_PARAMETERS // max(1, len(columns)))
    for start in range(0, len(rows), size):
        portion = rows[start : start + size]
        yield portion, *raw.given_sql(types, portion)


def _types(stored: StoredTable, columns: Sequence[str]) -> list[str]:
    return [_escaped(stored.column(name).type) for name in columns]


def _table(stored: StoredTable) -> str:
    schema = f"{_quoted(stored.name.schema)}." if stored.name.schema else ""
    return f"{schema}{_quoted(stored.name.name)}"


def _own_rows(stored: StoredTable) -> str:
    """Return the table in a FROM clause."""
    return f"{'ONLY ' if stored.is_only else ''}{_table(stored)}"


def _quoted(name: str) -> str:
    return _escaped(quoted(name))


def _escaped(sql: str) -> str:
    # A name after a colon would be a parameter.
    return sql.replace(":", "\\:")
