"""Stored rows: rows of tables that are not administered, written down and put back as they were.

Values pass through no type of ours: on PostgreSQL they are the texts that the server itself writes
and reads, on SQLite what it stores, as JSON.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Select,
    Text,
    case,
    cast,
    func,
    select,
    text,
    type_coerce,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import NullType

from hero_admin.audit_log.changes import Change, Entry, Kind, Recorded
from hero_admin.database.engines import is_postgresql
from hero_admin.writes.referencing_rows import Cause, is_any, parts
from hero_admin.writes.tables import MARK, RowId, StoredTable, TableColumn, TableName

# The only “field” of what is written down of such rows.
ROWS = "rows"
# Beside the fields of a record whose model lacks columns of its table: no field has such a name.
WHOLE_ROW = "whole row"
MAX_PARAMETERS = 30_000

# Any: what JSON holds. A value as it is written down, and the values of a row.
Raw = Any
RawRow = list[Raw]


@dataclass(frozen=True)
class RowsChange:
    """Rows of one table before and after; None where they are not there."""

    table: TableName
    columns: tuple[str, ...]
    before: list[RawRow] | None
    after: list[RawRow] | None
    causes: list[Cause]

    @property
    def kind(self) -> Kind:
        if self.before is not None and self.after is not None:
            return Kind.CHANGED
        return Kind.RESTORED if self.before is None else Kind.DELETED

    @property
    def count(self) -> int:
        return len(self.causes)

    def reversed(self) -> "RowsChange":
        return replace(self, before=self.after, after=self.before)

    def only(self, places: Sequence[int]) -> "RowsChange":
        """Return it for some of its rows."""

        def some(rows: list[RawRow] | None) -> list[RawRow] | None:
            return None if rows is None else [rows[place] for place in places]

        causes = [self.causes[place] for place in places]
        return replace(self, before=some(self.before), after=some(self.after), causes=causes)

    def entry(self, stored: StoredTable) -> Entry:
        """Return what is written down of it; nobody is shown the values."""
        shared = {
            "table": self.table,
            "columns": self.columns,
            "causes": self.causes,
        }
        before, after = (
            None if rows is None else json.dumps({**shared, "rows": rows}, separators=(",", ":"))
            for rows in (self.before, self.after)
        )
        title = stored.rows_text(self.count)
        return Entry(stored.mark, "", title, self.kind, {ROWS: (before, after)}, True)


def is_of_rows(change: Change) -> bool:
    """Whether a change is one of rows that are not administered."""
    return change.resource.startswith(MARK)


def rows_change_of(change: Change) -> RowsChange:
    """Read what was written down."""
    before, after = (_loaded(each) for each in change.values[ROWS])
    either = before or after or {}
    return RowsChange(
        TableName(*either["table"]),
        tuple(either["columns"]),
        before and before["rows"],
        after and after["rows"],
        [None if each is None else (each[0], each[1]) for each in either["causes"]],
    )


def whole_row_text(columns: Sequence[str], row: RawRow) -> str:
    return json.dumps(dict(zip(columns, row, strict=True)), separators=(",", ":"))


def whole_row_of(change: Change) -> dict[str, Raw] | None:
    """Return the values of all columns of a record that was deleted, if they were written down."""
    values: dict[str, Raw] | None = _loaded(change.values.get(WHOLE_ROW, (None, None))[0])
    return values


# Any: JSON.
def _loaded(recorded: Recorded) -> Any:
    return json.loads(recorded) if isinstance(recorded, str) else None


async def fetch_rows(
    session: AsyncSession, stored: StoredTable, columns: Sequence[str], ids: Sequence[RowId]
) -> dict[RowId, RawRow]:
    """Fetch the values of rows, as they are written down."""
    own = stored.clause()
    count = len(stored.identity)
    raw = [_raw(session, own.c[name]) for name in columns]
    shown = [*(own.c[name] for name in stored.identity), *raw]
    labelled = [each.label(f"_{place}") for place, each in enumerate(shown)]
    found = {}
    for some in parts(ids):
        for row in await session.execute(select(*labelled).where(is_any(stored, own, some))):
            found[tuple(row[:count])] = [_written(session, each) for each in row[count:]]
    return found


async def fetch_raw_value(session: AsyncSession, rows: Select[Any]) -> Raw:
    """Fetch the only value of the first row, as it is written down."""
    value = rows.selected_columns[0]
    raw = (await session.execute(rows.with_only_columns(_raw(session, value)).limit(1))).scalar()
    return _written(session, raw)


async def insert_rows(
    session: AsyncSession, stored: StoredTable, columns: Sequence[str], rows: Sequence[RawRow]
) -> int:
    """Put rows back; those of one portion at once, as they may point at each other.

    Return how many the database has taken.
    """
    count = 0
    names = ", ".join(_quoted(session, name) for name in columns)
    chosen = ", ".join(f"c{place}" for place in range(len(columns)))
    overriding = "OVERRIDING SYSTEM VALUE " if is_postgresql(session) else ""
    for portion in _portions(session, rows, len(columns)):
        given, parameters = _given(session, stored, columns, portion)
        # Python's sqlite3 counts the rows of a statement that begins like this, and no others.
        statement = f"INSERT INTO {_table(session, stored)} ({names}) {overriding}WITH {given}"
        order = f"SELECT {chosen} FROM given_rows ORDER BY n"  # noqa: S608 - quoted
        done = await session.execute(text(f"{statement} {order}"), parameters)
        assert isinstance(done, CursorResult)
        count += done.rowcount
    return count


async def find_rows(
    session: AsyncSession, stored: StoredTable, columns: Sequence[str], rows: Sequence[RawRow]
) -> list[RowId | None]:
    """Find rows by their key or, where there is none, by all values; None for those not there."""
    has_key = bool(stored.key) and set(stored.key) <= set(columns)
    compared = stored.key if has_key else tuple(columns)
    places = [list(columns).index(name) for name in compared]
    found: list[RowId | None] = []
    taken: set[RowId] = set()
    identity = ", ".join(f"t.{_quoted(session, name)}" for name in stored.identity)
    locked = f"ORDER BY given_rows.n, {identity}"
    if is_postgresql(session):
        locked += " FOR UPDATE OF t"
    for portion in _portions(session, rows, len(compared)):
        wanted = [[row[place] for place in places] for row in portion]
        given, parameters = _given(session, stored, compared, wanted)
        same = _sameness(session, compared, has_key=has_key)
        statement = f"WITH {given} SELECT given_rows.n, {identity} FROM given_rows"  # noqa: S608 - quoted
        joined = f"JOIN {_own_rows(session, stored)} AS t ON {same} {locked}"
        there: dict[int, list[RowId]] = {}
        for row in await session.execute(text(f"{statement} {joined}"), parameters):
            there.setdefault(row[0], []).append(tuple(row[1:]))
        for place in range(len(portion)):
            free = next((row for row in there.get(place, ()) if row not in taken), None)
            if free is not None:
                taken.add(free)
            found.append(free)
    return found


async def find_without_target(
    session: AsyncSession,
    stored: StoredTable,
    columns: Sequence[str],
    target: StoredTable,
    target_columns: Sequence[str],
    rows: Sequence[RawRow],
) -> set[int]:
    """Find which rows would point at one that is not there, by their places."""
    found: set[int] = set()
    start = 0
    is_whole = " AND ".join(f"given_rows.c{place} IS NOT NULL" for place in range(len(columns)))
    same = " AND ".join(
        f"t.{_quoted(session, name)} = given_rows.c{place}"
        for place, name in enumerate(target_columns)
    )
    for portion in _portions(session, rows, len(columns)):
        given, parameters = _given(session, stored, columns, portion)
        there = f"SELECT 1 FROM {_own_rows(session, target)} AS t WHERE {same}"  # noqa: S608 - quoted
        statement = (
            f"WITH {given} SELECT n FROM given_rows WHERE {is_whole} AND NOT EXISTS ({there})"  # noqa: S608 - quoted
        )
        found |= {start + place for (place,) in await session.execute(text(statement), parameters)}
        start += len(portion)
    return found


async def update_rows(
    session: AsyncSession,
    stored: StoredTable,
    columns: Sequence[str],
    changed: Mapping[RowId, RawRow],
) -> None:
    """Give rows values of their own."""
    if not changed or not columns:
        return
    sets = [
        f"{_quoted(session, name)} = {_value(session, stored.column(name), f'v{place}')}"
        for place, name in enumerate(columns)
    ]
    own = [f"{_quoted(session, name)} = :i{place}" for place, name in enumerate(stored.identity)]
    rows, found = _own_rows(session, stored), " AND ".join(own)
    statement = f"UPDATE {rows} SET {', '.join(sets)} WHERE {found}"  # noqa: S608 - quoted
    parameters = [
        {f"i{place}": part for place, part in enumerate(row)}
        | {
            name: part
            for place, value in enumerate(values)
            for name, part in _parameters(session, f"v{place}", value).items()
        }
        for row, values in changed.items()
    ]
    await session.execute(text(statement), parameters)


def _raw(session: AsyncSession, value: Any) -> ColumnElement[Any]:
    if is_postgresql(session):
        return cast(value, Text)
    # A text may be none that Python can read.
    value = type_coerce(value, NullType())
    return case((func.typeof(value) == "text", func.hex(value)), else_=value)


def _written(session: AsyncSession, value: Any) -> Raw:
    """Return a value as JSON can hold it."""
    if is_postgresql(session):
        return value
    match value:
        case bytes():
            return {"blob": value.hex()}
        case float() if not math.isfinite(value):
            return {"real": repr(value)}
        case str():
            stored = bytes.fromhex(value)
            try:
                return stored.decode()
            except UnicodeDecodeError:
                return {"text": stored.hex()}
    return value


def _parameters(session: AsyncSession, name: str, value: Raw) -> dict[str, Any]:
    """Return the parameters of a value in a statement of SQLite, or the one of PostgreSQL."""
    if is_postgresql(session):
        return {name: value}
    match value:
        case {"blob": digits}:
            return {name: bytes.fromhex(digits), f"{name}_text": 0}
        case {"text": digits}:
            return {name: bytes.fromhex(digits), f"{name}_text": 1}
        case {"real": digits}:
            return {name: float(digits), f"{name}_text": 0}
    return {name: value, f"{name}_text": 0}


def _value(session: AsyncSession, stored: TableColumn, name: str) -> str:
    if is_postgresql(session):
        return f"CAST(CAST(:{name} AS text) AS {_escaped(stored.type)})"
    return f"CASE :{name}_text WHEN 1 THEN CAST(:{name} AS TEXT) ELSE :{name} END"


def _given(
    session: AsyncSession, stored: StoredTable, columns: Sequence[str], rows: Sequence[RawRow]
) -> tuple[str, dict[str, Any]]:
    """Return a table expression `given_rows` of rows, with their places `n`, and its parameters."""
    names = [f"c{place}" for place in range(len(columns))]
    if is_postgresql(session):
        arrays = ", ".join(f"CAST(:{name} AS text[])" for name in names)
        typed = ", ".join(
            f"CAST(u.{name} AS {_escaped(stored.column(each).type)}) AS {name}"
            for name, each in zip(names, columns, strict=True)
        )
        source = f"unnest({arrays}) WITH ORDINALITY AS u({', '.join(names)}, n)"
        expression = f"given_rows AS (SELECT u.n - 1 AS n, {typed} FROM {source})"  # noqa: S608 - quoted
        return expression, {name: [row[place] for row in rows] for place, name in enumerate(names)}
    parameters: dict[str, Any] = {}
    values = []
    for number, row in enumerate(rows):
        parts_of_row = []
        for place, value in enumerate(row):
            name = f"c{place}_{number}"
            given = _parameters(session, name, value)
            parameters[name] = given[name]
            is_text = given[f"{name}_text"]
            parts_of_row.append(f"CAST(:{name} AS TEXT)" if is_text else f":{name}")
        values.append(f"({number}, {', '.join(parts_of_row)})")
    return f"given_rows(n, {', '.join(names)}) AS (VALUES {', '.join(values)})", parameters


def _sameness(session: AsyncSession, columns: Sequence[str], *, has_key: bool) -> str:
    pairs = [
        (f"t.{_quoted(session, name)}", f"given_rows.c{at}") for at, name in enumerate(columns)
    ]
    if has_key:
        return " AND ".join(f"{own} = {theirs}" for own, theirs in pairs)
    if not is_postgresql(session):
        return " AND ".join(f"{own} IS {theirs}" for own, theirs in pairs)
    # Not every type can be compared; two texts of rows can, and quickly.
    own, theirs = (", ".join(f"CAST({pair[side]} AS text)" for pair in pairs) for side in (0, 1))
    return f"CAST(ROW({own}) AS text) = CAST(ROW({theirs}) AS text)"


def _portions(
    session: AsyncSession, rows: Sequence[RawRow], width: int
) -> Iterator[Sequence[RawRow]]:
    size = len(rows) if is_postgresql(session) else MAX_PARAMETERS // max(1, width)
    for start in range(0, len(rows), max(1, size)):
        yield rows[start : start + size]


def _table(session: AsyncSession, stored: StoredTable) -> str:
    schema = f"{_quoted(session, stored.name.schema)}." if stored.name.schema else ""
    return f"{schema}{_quoted(session, stored.name.name)}"


def _own_rows(session: AsyncSession, stored: StoredTable) -> str:
    """Return the table as what has rows to be found."""
    return f"{'ONLY ' if stored.is_only else ''}{_table(session, stored)}"


def _quoted(session: AsyncSession, name: str) -> str:
    return _escaped(session.get_bind().dialect.identifier_preparer.quote_identifier(name))


def _escaped(sql: str) -> str:
    # What follows a colon would be a parameter.
    return sql.replace(":", "\\:")
