"""What the doctor makes for sorting and searching has the prefix of the library.

Renames what earlier versions made. A name alone says nothing: an index that another program made
has other columns, or other SQL.

Revises: 0002
"""

import re
from collections.abc import Iterator, Sequence

import sqlalchemy as sa
from alembic import op

from hero_admin.database.identifiers import quoted, shortened

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

PREFIX = "hero_admin_"
# The indexes that this role may rename, without those of another Hero Admin in another schema. The
# new name of an index takes the right to create something in its schema.
FROM = f"""
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
JOIN pg_am m ON m.oid = c.relam JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE starts_with(c.relname, :prefix) AND i.indpred IS NULL AND NOT i.indisunique
AND pg_has_role(c.relowner, 'USAGE') AND has_schema_privilege(n.oid, 'CREATE')
AND (pg_table_is_visible(t.oid)
  OR to_regclass(quote_ident(n.nspname) || '.{PREFIX}alembic_version') IS NULL)
"""
SEARCH_INDEXES = f"""
SELECT n.nspname, t.relname, c.relname, pg_get_indexdef(c.oid) {FROM} AND m.amname = 'gin'
"""
# With the SQL of the first part, all columns, and those of the primary key.
SORT_INDEXES = f"""
SELECT n.nspname, t.relname, c.relname, pg_get_indexdef(c.oid, 1, false),
  array(SELECT a.attname::text FROM generate_series(0, i.indnkeyatts - 1) AS at
    LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = i.indkey[at] ORDER BY at),
  array(SELECT a.attname::text FROM pg_index p
    CROSS JOIN generate_series(0, p.indnkeyatts - 1) AS at
    JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = p.indkey[at]
    WHERE p.indrelid = t.oid AND p.indisprimary ORDER BY at)
{FROM} AND m.amname = 'btree' AND 0 = ALL (i.indoption::int2[])
"""  # noqa: S608 - all of it stands here
FOLD = rf"(?:.+\.)?{PREFIX}fold"
SORT_KEY = re.compile(rf'"left"\({FOLD}\((?:\((.+)\)::text|(.+))\), 500\)')
TRIGRAMS = re.compile(rf".* USING gin \({FOLD}\(.+\) (?:.+\.)?gin_trgm_ops\)")
# On SQLite.
NAME = '("(?:[^"]|"")+")'
SORT_INDEX = re.compile(
    rf"CREATE INDEX {NAME} (ON {NAME} \({NAME}(?: COLLATE NOCASE)?((?:, {NAME})*)\))"
)
TABLES = {
    "search": r"VIRTUAL TABLE .+ USING fts5\(.+, content='', detail='none', tokenize='trigram'\)",
    "searched": r"TABLE .+ \(row_number INTEGER PRIMARY KEY, key0 .+\)",
    "unsearched": r"TABLE .+ \(key0 .+, is_indexed, text0.*\)",
}
EVENTS = ("insert", "update", "delete")


def upgrade() -> None:
    _rename("", PREFIX)


def downgrade() -> None:
    _rename(PREFIX, "")


def _rename(old: str, new: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        for schema, name, renamed in [*_sort_indexes(old, new), *_search_indexes(old, new)]:
            if not _exists(f"{quoted(schema)}.{quoted(renamed)}"):
                address = f"{quoted(schema)}.{quoted(name)}"
                _execute(f"ALTER INDEX {address} RENAME TO {quoted(renamed)}")
        return
    _create_sort_indexes_again(old, new)
    # Otherwise SQLite checks the whole schema, and refuses where a view of others is broken.
    _execute("PRAGMA legacy_alter_table = ON")
    _rename_search_tables(old, new)
    _execute("PRAGMA legacy_alter_table = OFF")


def _sort_indexes(old: str, new: str) -> Iterator[tuple[str, str, str]]:
    """Yield the schema of each sort index on PostgreSQL, and its names before and after."""
    found = op.get_bind().execute(sa.text(SORT_INDEXES), {"prefix": f"{old}list_"}).all()
    for schema, table, name, first, (plain, *others), key in found:
        folded = SORT_KEY.fullmatch(first)
        column = plain or (_unquoted(folded[1] or folded[2]) if folded else "")
        if name == _sort_name(old, table, column) and _is_rest(others, column, key):
            yield schema, name, _sort_name(new, table, column)


def _search_indexes(old: str, new: str) -> Iterator[tuple[str, str, str]]:
    found = op.get_bind().execute(sa.text(SEARCH_INDEXES), {"prefix": f"{old}search_"}).all()
    for schema, table, name, definition in found:
        rest = f"search_{shortened(table, 43)}"
        if name == f"{old}{rest}" and TRIGRAMS.fullmatch(definition):
            yield schema, name, f"{new}{rest}"


def _create_sort_indexes_again(old: str, new: str) -> None:
    """Create them under their names afterwards on SQLite, which cannot rename an index."""
    changed = set()
    for name, sql in _created("index").items():
        found = SORT_INDEX.fullmatch(sql)
        if found is None:
            continue
        table, column, *others = map(_unquoted, re.findall(NAME, found[2]))
        key = sa.text("SELECT name FROM pragma_table_info(:table) WHERE pk > 0 ORDER BY pk")
        keys = op.get_bind().scalars(key, {"table": table}).all()
        renamed = _sort_name(new, table, column)
        is_ours = name == _sort_name(old, table, column) and _is_rest(others, column, keys)
        if is_ours and not _exists(renamed):
            _execute(f"DROP INDEX {quoted(name)}")
            _execute(f"CREATE INDEX {quoted(renamed)} {found[2]}")
            changed.add(table)
    # The statistics of an index are dropped with it.
    for table in sorted(changed):
        _execute(f"ANALYZE {quoted(table)}")


def _rename_search_tables(old: str, new: str) -> None:
    tables, triggers = _created("table"), _created("trigger")
    for rest in [name.removeprefix(f"{old}search_") for name in tables]:
        parts = [
            f"{kind}_{rest}"
            for kind, written in TABLES.items()
            if re.fullmatch(f"CREATE {written}", tables.get(f"{old}{kind}_{rest}", ""))
        ]
        into = tuple(f"INSERT INTO {quoted(f'{old}{part}')} (" for part in parts)
        firing = [
            name
            for name in (f"search_{rest}_{event}" for event in EVENTS)
            if any(each in triggers.get(f"{old}{name}", "") for each in into)
        ]
        is_ours = f"search_{rest}" in parts and len(parts) + len(firing) > 1
        if not is_ours or any(_exists(f"{new}{part}") for part in parts):
            continue
        for name in firing:
            _execute(f"DROP TRIGGER {quoted(f'{old}{name}')}")
        for part in parts:
            _execute(f"ALTER TABLE {quoted(f'{old}{part}')} RENAME TO {quoted(f'{new}{part}')}")
        # A column is written behind its row and a dot, a table or trigger is not.
        names = "|".join(re.escape(quoted(each)[1:-1]) for each in [*parts, *firing])
        mentioned = re.compile(rf'(?<!\.)"{old}((?:{names})(?:_docsize)?)"')
        for name in firing:
            _execute(mentioned.sub(rf'"{new}\1"', triggers[f"{old}{name}"]))


def _created(kind: str) -> dict[str, str]:
    """Return the SQL of what SQLite holds, by its name."""
    found = sa.text("SELECT name, sql FROM sqlite_master WHERE type = :kind AND sql IS NOT NULL")
    return {row.name: row.sql for row in op.get_bind().execute(found, {"kind": kind})}


def _exists(name: str) -> bool:
    bind = op.get_bind()
    found = "SELECT count(*) FROM sqlite_master WHERE name = :name"
    if bind.dialect.name == "postgresql":
        found = "SELECT to_regclass(:name) IS NOT NULL"
    return bool(bind.scalar(sa.text(found), {"name": name}))


def _sort_name(prefix: str, table: str, column: str) -> str:
    return shortened(f"{prefix}list_{table}_{column}")


def _is_rest(others: Sequence[str | None], column: str, key: Sequence[str]) -> bool:
    """Whether a sort index by a column has these other columns."""
    return [*others] in ([], [*key], [each for each in key if each != column])


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def _execute(statement: str) -> None:
    # Not as text, in which a colon would begin a parameter.
    op.get_bind().exec_driver_sql(statement)
