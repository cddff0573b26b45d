"""The catalog of PostgreSQL: tables and foreign keys in all schemas."""

import json
import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Table, text
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.writes.tables import Action, ForeignKey, StoredTable, TableColumn, TableName

NAMES = text(
    "SELECT n.nspname::text, c.relname::text FROM unnest(CAST(:names AS text[])) WITH ORDINALITY"
    " AS given(name, ordinal) LEFT JOIN pg_class c ON c.oid = to_regclass(given.name)"
    " AND c.relkind IN ('r', 'p') LEFT JOIN pg_namespace n ON n.oid = c.relnamespace"
    " ORDER BY given.ordinal"
)
# The columns that SET NULL changes may be named since PostgreSQL 15; a row as JSON has them or not.
FOREIGN_KEYS = text(
    """
    SELECT n.nspname::text, c.relname::text, tn.nspname::text, t.relname::text, k.confdeltype::text,
        (SELECT json_agg(a.attname ORDER BY i)
            FROM unnest(k.conkey) WITH ORDINALITY AS x(number, i)
            JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = x.number)::text,
        (SELECT json_agg(a.attname ORDER BY i)
            FROM unnest(k.confkey) WITH ORDINALITY AS x(number, i)
            JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = x.number)::text,
        (SELECT json_agg(a.attname) FROM pg_attribute a WHERE a.attrelid = k.conrelid
            AND to_jsonb(k)->'confdelsetcols' @> to_jsonb(a.attnum))::text
    FROM pg_constraint k
    JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_class t ON t.oid = k.confrelid JOIN pg_namespace tn ON tn.oid = t.relnamespace
    WHERE k.contype = 'f' AND k.conparentid = 0 ORDER BY k.oid
    """
)
TABLES = text(
    """
    SELECT n.nspname::text, c.relname::text, pg_table_is_visible(c.oid),
        has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
            AND has_table_privilege(c.oid, 'INSERT') AND has_table_privilege(c.oid, 'UPDATE')
            AND has_table_privilege(c.oid, 'DELETE'),
        (SELECT json_agg(json_build_array(a.attname, format_type(a.atttypid, a.atttypmod),
                NOT a.attnotnull, a.attgenerated <> '', pg_get_expr(d.adbin, d.adrelid))
                ORDER BY a.attnum)
            FROM pg_attribute a
            LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
            WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)::text,
        (SELECT json_agg(json_build_array(i.indisprimary,
                (SELECT json_agg(a.attname ORDER BY x.ordinal)
                    FROM unnest(i.indkey) WITH ORDINALITY AS x(number, ordinal)
                    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = x.number
                    WHERE x.ordinal <= i.indnkeyatts)))
            FROM pg_index i WHERE i.indrelid = c.oid AND i.indisunique AND i.indpred IS NULL
                AND i.indexprs IS NULL)::text,
        (SELECT json_agg(json_build_array(e.name, e.kind)) FROM (
            SELECT g.tgname AS name, g.tgtype AS kind FROM pg_trigger g
            WHERE NOT g.tgisinternal AND g.tgenabled <> 'D' AND (g.tgrelid = c.oid
                OR c.relkind = 'p' AND g.tgrelid IN (SELECT relid FROM pg_partition_tree(c.oid)))
            UNION ALL
            SELECT w.rulename, CASE w.ev_type WHEN '2' THEN 16 WHEN '3' THEN 4 ELSE 8 END
            FROM pg_rewrite w
            WHERE w.ev_class = c.oid AND w.ev_type IN ('2', '3', '4') AND w.ev_enabled <> 'D'
        ) e)::text,
        c.relkind = 'p', c.relhassubclass, row_security_active(c.oid)
    FROM unnest(CAST(:schemas AS text[]), CAST(:names AS text[])) AS given(schema, name)
    JOIN pg_namespace n ON n.nspname = given.schema
    JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = given.name
        AND c.relkind IN ('r', 'p')
    """
)
UNIQUE_PARTS = text(
    """
    SELECT pg_get_indexdef(i.indexrelid, n, false)
    FROM pg_index i
    JOIN pg_class c ON c.oid = i.indexrelid
    CROSS JOIN generate_series(1, i.indnkeyatts) AS n
    WHERE i.indrelid = to_regclass(:table) AND i.indisunique
        AND (CAST(:index AS text) IS NULL OR c.relname = CAST(:index AS text))
    """
)
RULES = text(
    "SELECT pg_get_constraintdef(oid) FROM pg_constraint"
    " WHERE conrelid = to_regclass(:table) AND conname = :name"
)
ACTIONS: dict[str, Action] = {
    "c": "CASCADE",
    "n": "SET NULL",
    "d": "SET DEFAULT",
    "r": "RESTRICT",
    "a": "NO ACTION",
}
# Key types that the driver converts without loss; it lacks dates before Christ, and months in
# intervals. Rows with other keys are identified by their position (ctid).
EXACT_KEYS = re.compile(
    r"smallint|integer|bigint|boolean|uuid|text|name|character( varying)?(\([0-9]+\))?"
)
# Bits of `pg_trigger.tgtype`; rules act like triggers.
EVENTS = {4: "INSERT", 8: "DELETE", 16: "UPDATE"}


async def fetch_names(session: AsyncSession, tables: Sequence[Table]) -> list[TableName | None]:
    """Fetch the names of the tables of models; None for what is no table."""
    preparer = session.get_bind().dialect.identifier_preparer
    names = [preparer.format_table(each) for each in tables]
    rows = await session.execute(NAMES, {"names": names})
    return [TableName(schema, name) if name else None for schema, name in rows]


async def fetch_foreign_keys(session: AsyncSession) -> list[ForeignKey]:
    found = []
    for row in await session.execute(FOREIGN_KEYS):
        schema, name, target_schema, target, action = row[:5]
        own, pointed, cleared = (tuple(json.loads(each)) if each else () for each in row[5:])
        own_name, target_name = TableName(schema, name), TableName(target_schema, target)
        key = ForeignKey(own_name, own, target_name, pointed, ACTIONS[action], cleared or own)
        found.append(key)
    return found


async def fetch_tables(session: AsyncSession, names: Sequence[TableName]) -> list[StoredTable]:
    """Fetch the columns, keys and triggers of tables."""
    given = {"schemas": [each.schema for each in names], "names": [each.name for each in names]}
    found = []
    for row in await session.execute(TABLES, given):
        schema, name, is_visible, is_usable = row[:4]
        columns, indexes, triggers = (json.loads(each) if each else [] for each in row[4:7])
        is_partitioned, is_inherited, has_hidden_rows = row[7:]
        key = next((tuple(own) for is_primary, own in indexes if is_primary), ())
        found.append(
            StoredTable(
                TableName(schema, name),
                name if is_visible else f"{schema}.{name}",
                tuple(TableColumn(*each) for each in columns),
                key,
                _identity(columns, key, is_partitioned=is_partitioned),
                tuple(tuple(own) for _, own in indexes if own),
                frozenset(
                    (trigger, event)
                    for trigger, kind in triggers
                    for bit, event in EVENTS.items()
                    if kind & bit
                ),
                is_usable,
                has_hidden_rows,
                is_inherited and not is_partitioned,
            )
        )
    return found


async def fetch_unique_parts(
    session: AsyncSession, table: Table, index: str | None = None
) -> list[str]:
    """Fetch the SQL parts of a unique index of a table, or of all of them."""
    name = session.get_bind().dialect.identifier_preparer.format_table(table)
    return list(await session.scalars(UNIQUE_PARTS, {"table": name, "index": index}))


async def fetch_rules(session: AsyncSession, table: Table, name: str) -> list[str]:
    """Fetch the SQL of a constraint of a table."""
    table_name = session.get_bind().dialect.identifier_preparer.format_table(table)
    return list(await session.scalars(RULES, {"table": table_name, "name": name}))


async def fetch_row_number(session: AsyncSession, table: Table) -> None:
    """Return None: a ctid changes with its row."""


# Any: JSON.
def _identity(
    columns: Sequence[Any], key: tuple[str, ...], *, is_partitioned: bool
) -> tuple[str, ...]:
    types = {name: kind for name, kind, *_ in columns}
    if key and all(EXACT_KEYS.fullmatch(types[name]) for name in key):
        return key
    # Each partition has its own ctids.
    return ("tableoid", "ctid") if is_partitioned else ("ctid",)
