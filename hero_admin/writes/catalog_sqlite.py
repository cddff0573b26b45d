"""The catalog of SQLite: tables and foreign keys."""

import re
from collections.abc import Iterable, Sequence

from sqlalchemy import Table, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.writes.tables import QUOTED, Action, ForeignKey, StoredTable, TableColumn, TableName

NAMES = text("SELECT name, sql FROM sqlite_master WHERE type = 'table'")
FOREIGN_KEYS = text(
    'SELECT m.name, f.id, f."table", f."from", f."to", f.on_delete FROM sqlite_master m'
    " JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table' ORDER BY m.name, f.id, f.seq"
)
COLUMNS = text(
    'SELECT m.name, x.name, x."notnull", x.dflt_value, x.pk, x.hidden FROM sqlite_master m'
    " JOIN pragma_table_xinfo(m.name) x WHERE m.type = 'table' AND m.name IN :names"
    " ORDER BY m.name, x.cid"
).bindparams(bindparam("names", expanding=True))
UNIQUE_SETS = text(
    "SELECT m.name, l.name, i.name FROM sqlite_master m JOIN pragma_index_list(m.name) l"
    " JOIN pragma_index_info(l.name) i WHERE m.type = 'table' AND l.\"unique\" AND NOT l.partial"
    " AND m.name IN :names ORDER BY m.name, l.seq, i.seqno"
).bindparams(bindparam("names", expanding=True))
UNIQUE_PARTS = text(
    "SELECT l.name, i.name, m.sql FROM pragma_index_list(:table) l"
    " JOIN pragma_index_info(l.name) i"
    " LEFT JOIN sqlite_master m ON m.type = 'index' AND m.name = l.name WHERE l.\"unique\""
)
INDEX_PARTS = re.compile(
    rf"\sON\s+(?:{QUOTED}|\w+)\s*(\(.*\))(?:\s*WHERE\s.*)?", re.DOTALL | re.IGNORECASE
)
TRIGGERS = text(
    "SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name IN :names"
).bindparams(bindparam("names", expanding=True))
ROW_NUMBERS = ("rowid", "_rowid_", "oid")
IDENTIFIER = r"""(?:"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|'(?:[^']|'')*'|[^\s.]+)"""
TRIGGER_EVENT = re.compile(
    rf"CREATE\s+(?:TEMP(?:ORARY)?\s+)?TRIGGER\s+(?:IF\s+NOT\s+EXISTS\s+)?{IDENTIFIER}"
    rf"(?:\s*\.\s*{IDENTIFIER})?\s+(?:BEFORE\s+|AFTER\s+|INSTEAD\s+OF\s+)?(DELETE|INSERT|UPDATE)",
    re.IGNORECASE,
)
EVENTS = ("DELETE", "INSERT", "UPDATE")
ACTIONS: tuple[Action, ...] = ("CASCADE", "SET NULL", "SET DEFAULT", "RESTRICT", "NO ACTION")


async def fetch_names(session: AsyncSession, tables: Sequence[Table]) -> list[TableName | None]:
    """Fetch the names of the tables of models; None for what is no table."""
    known = {name.lower(): name for name, _ in await session.execute(NAMES)}
    names = [known.get(each.name.lower()) for each in tables]
    return [TableName(None, name) if name else None for name in names]


async def fetch_foreign_keys(session: AsyncSession) -> list[ForeignKey]:
    """Fetch all foreign keys whose target exists."""
    rows = (await session.execute(FOREIGN_KEYS)).all()
    if not rows:
        return []
    known = {name.lower(): name for name, _ in await session.execute(NAMES)}
    # For foreign keys that do not name the columns of their target.
    names = {
        known[each.lower()] for row in rows for each in (row[0], row[2]) if each.lower() in known
    }
    columns: dict[str, dict[str, tuple[str, int]]] = {}
    for table, name, _, _, position, _ in await session.execute(COLUMNS, {"names": sorted(names)}):
        columns.setdefault(table, {})[name.lower()] = (name, position)
    parts: dict[tuple[str, int], list[tuple[str, str, str | None, str]]] = {}
    for table, number, target, source, to, action in rows:
        if target.lower() in known:
            parts.setdefault((table, number), []).append(
                (known[target.lower()], source, to, action)
            )
    found = []
    for (table, _), pairs in parts.items():
        target, _, _, action = pairs[0]
        own = [columns[table].get(source.lower(), ("", 0))[0] for _, source, _, _ in pairs]
        key = sorted((position, name) for name, position in columns[target].values() if position)
        pointed = [
            columns[target].get((to or "").lower(), ("", 0))[0] if to else key[number][1]
            for number, (_, _, to, _) in enumerate(pairs)
            if to or number < len(key)
        ]
        if len(pointed) == len(own) and all(own) and all(pointed):
            given = next(each for each in ACTIONS if each == action.upper())
            found.append(
                ForeignKey(
                    TableName(None, table),
                    tuple(own),
                    TableName(None, target),
                    tuple(pointed),
                    given,
                    tuple(own),
                )
            )
    return found


async def fetch_tables(session: AsyncSession, names: Sequence[TableName]) -> list[StoredTable]:
    """Fetch the columns, keys and triggers of tables."""
    parameters = {"names": [each.name for each in names]}
    # The row number identifies a row unless a column or WITHOUT ROWID hides it.
    made = {name: sql or "" for name, sql in await session.execute(NAMES)}
    columns: dict[str, list[TableColumn]] = {}
    keys: dict[str, list[tuple[int, str]]] = {}
    for table, name, is_needed, default, position, hidden in await session.execute(
        COLUMNS, parameters
    ):
        # Hidden: 2 and 3 are generated columns, 1 those of virtual tables.
        is_nullable = not is_needed and not position
        column = TableColumn(name, "", is_nullable, hidden in (2, 3), default)
        columns.setdefault(table, []).append(column)
        if position:
            keys.setdefault(table, []).append((position, name))
    sets: dict[tuple[str, str], list[str | None]] = {}
    for table, index, name in await session.execute(UNIQUE_SETS, parameters):
        sets.setdefault((table, index), []).append(name)
    events: dict[str, set[tuple[str, str]]] = {}
    for table, name, sql in await session.execute(TRIGGERS, parameters):
        found = TRIGGER_EVENT.match(sql or "")
        for event in [found[1].upper()] if found else EVENTS:
            events.setdefault(table.lower(), set()).add((name, event))
    return [
        StoredTable(
            TableName(None, table),
            table,
            tuple(own),
            key := tuple(name for _, name in sorted(keys.get(table, []))),
            identity := _identity(made[table], [each.name for each in own], key),
            tuple(_whole(each for (name, _), each in sets.items() if name == table))
            + ((key,) if key else ()),
            frozenset(events.get(table.lower(), ())),
            bool(identity),
        )
        for table, own in columns.items()
    ]


async def fetch_unique_parts(
    session: AsyncSession, table: Table, index: str | None = None
) -> list[str]:
    """Fetch the SQL parts of a unique index of a table, or of all of them."""
    quoted = session.get_bind().dialect.identifier_preparer.quote_identifier
    found = []
    for name, column, sql in await session.execute(UNIQUE_PARTS, {"table": table.name}):
        parts = INDEX_PARTS.search(sql or "")
        if index in (None, name) and column is not None:
            found.append(quoted(column))
        elif index in (None, name) and parts:
            found.append(parts[1])
    return found


async def fetch_rules(session: AsyncSession, table: Table, name: str) -> list[str]:  # noqa: ARG001
    """Return the constraint itself: SQLite names one without a name by its SQL."""
    return [name]


async def fetch_row_number(session: AsyncSession, table: Table) -> str | None:
    """Fetch the column of the row number of a table; None where rows have none."""
    (name,) = await fetch_names(session, [table])
    (stored,) = await fetch_tables(session, [name]) if name else [None]
    return stored.identity[0] if stored and stored.identity != stored.key else None


def _whole(sets: Iterable[list[str | None]]) -> list[tuple[str, ...]]:
    """Return the unique sets without those of expressions."""
    return [tuple(each for each in one if each) for one in sets if all(one)]


def _identity(sql: str, columns: Sequence[str], key: tuple[str, ...]) -> tuple[str, ...]:
    if re.search(r"WITHOUT\s+ROWID[^)]*$", sql, re.IGNORECASE):
        return key
    taken = {name.lower() for name in columns}
    # A column of that name hides the row number, unless it is an INTEGER PRIMARY KEY.
    return next(((name,) for name in ROW_NUMBERS if name not in taken), key)
