"""The indexes of PostgreSQL, as they are and as they should be."""

import re
from collections.abc import Sequence

from sqlalchemy import Connection, Table, text

from hero_admin.cli.findings import INCOMPLETE, ExistingIndex, Finding
from hero_admin.database.fold_function import function_sql, has_function
from hero_admin.database.identifiers import qualified, quoted
from hero_admin.database.own_tables import FOLD_FUNCTION
from hero_admin.listing.search import trigram_index
from hero_admin.listing.search.postgresql import MAX_KEY_CHARACTERS, index_sql, sort_key_sql
from hero_admin.listing.sort_indexes import SortIndex
from hero_admin.model.resource import Resource

NO_EXTENSION = (
    "The extension pg_trgm is missing, and this role may not create it: searching {name} looks at"
    " a part of a large table only. Let a superuser run `CREATE EXTENSION pg_trgm`."
)
FOLDED = f"{FOLD_FUNCTION}("
# What PostgreSQL calls the sort key of a column.
FOLDED_PART = re.compile(
    rf'"left"\({FOLD_FUNCTION}\((?:\((.+)\)::text|(.+))\), {MAX_KEY_CHARACTERS}\)'
)
# B-tree indexes without a predicate; a column in its default order is represented by its name.
POSTGRESQL_INDEXES = """
    SELECT c.relname, i.indisunique, i.indisvalid, array(
        SELECT CASE
            WHEN i.indoption[n] <> 0 OR i.indcollation[n] <> a.attcollation THEN ''
            WHEN a.attname IS NOT NULL THEN '"' || replace(a.attname, '"', '""') || '"'
            ELSE pg_get_indexdef(i.indexrelid, n + 1, false) END
        FROM generate_series(0, i.indnkeyatts - 1) AS n
        LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[n]
        ORDER BY n)
    FROM pg_index i
    JOIN pg_class c ON c.oid = i.indexrelid
    JOIN pg_am m ON m.oid = c.relam
    WHERE i.indrelid = to_regclass(:table) AND m.amname = 'btree' AND i.indpred IS NULL
"""


def read_indexes(connection: Connection, table: Table) -> list[ExistingIndex]:
    """Return the indexes of a table; PostgreSQL writes expressions in its own way."""
    rows = connection.execute(text(POSTGRESQL_INDEXES), {"table": qualified(table)})
    return [
        ExistingIndex(name, tuple(map(_postgresql_part, parts)), is_unique, is_valid)
        for name, is_unique, is_valid, parts in rows
    ]


def _postgresql_part(written: str) -> str:
    found = FOLDED_PART.fullmatch(written)
    if found is None:
        return written
    name = found[1] or found[2]
    return sort_key_sql(name if name.startswith('"') else quoted(name))


def parts_of(index: SortIndex) -> list[str]:
    """Return what an index holds of each row."""
    column = quoted(index.column.name)
    first = sort_key_sql(column) if index.is_collated else column
    return [first, *(quoted(part.name) for part in index.key)]


def check_function(connection: Connection, resources: Sequence[Resource]) -> list[Finding]:
    """Return whether the function is missing that indexes fold texts with."""
    if not resources or has_function(connection):
        return []
    sentence = f"The function {FOLD_FUNCTION}, which indexes of texts need, is missing."
    return [Finding(sentence, (function_sql(connection),))]


def check_search_indexes(connection: Connection, resources: Sequence[Resource]) -> list[Finding]:
    """Return what is wrong with the trigram indexes."""
    found, wanted = [], [resource for resource in resources if resource.search_fields]
    names = {(each.table.schema, trigram_index.index_name(each)): each for each in wanted}
    existing = connection.execute(
        text(
            "SELECT n.nspname, t.relname, c.relname, pg_get_indexdef(c.oid), i.indisvalid,"
            " pg_table_is_visible(c.oid) FROM pg_index i"
            " JOIN pg_class c ON i.indexrelid = c.oid JOIN pg_class t ON i.indrelid = t.oid"
            " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE starts_with(c.relname, :prefix)"
        ),
        {"prefix": trigram_index.PREFIX},
    )
    complete = set()
    for schema, table, name, definition, is_valid, is_visible in existing:
        at = (schema, name) if (schema, name) in names else (None, name)
        resource = names.get(at) if is_visible or at[0] else None
        drop = f"DROP INDEX {quoted(schema)}.{quoted(name)}"
        columns = [] if resource is None else [f.column.name for f in resource.search_fields]
        is_ours = name.startswith(trigram_index.PREFIX + table[:20]) and FOLDED in definition
        if resource is not None and not is_valid:
            found.append(Finding(INCOMPLETE.format(name), (drop,)))
        elif columns and _covers(definition, columns):
            complete.add(at)
        elif resource is not None or (is_ours and is_visible):
            found.append(Finding(f"Unused index: {name}.", (drop,)))
    missing = [resource for at, resource in names.items() if at not in complete]
    if not missing:
        return found
    extension = _create_extension(connection)
    if extension is None:
        return found + [Finding(NO_EXTENSION.format(name=each.name)) for each in missing]
    for resource in missing:
        sentence = f"The search index of {resource.label_plural} is missing."
        making = index_sql(resource, _trigram_operators(connection))
        found.append(Finding(sentence, (*extension, making)))
    return found


def _trigram_operators(connection: Connection) -> str:
    """Return what pg_trgm calls its operators for GIN, in whatever schema it is."""
    schema = connection.scalar(
        text(
            "SELECT nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace"
            " WHERE extname = 'pg_trgm'"
        )
    )
    return f"{quoted(schema)}.gin_trgm_ops" if schema else "gin_trgm_ops"


def _covers(definition: str, columns: Sequence[str]) -> bool:
    """Whether an index has exactly these columns, folded."""

    def has(column: str) -> bool:
        names = column, quoted(column)
        return any(
            f"{FOLDED}{name})" in definition or f"{FOLDED}({name})::text)" in definition
            for name in names
        )

    return all(map(has, columns)) and definition.count(FOLDED) == len(columns)


def _create_extension(connection: Connection) -> tuple[str, ...] | None:
    """Return the statements that bring pg_trgm, or None if this role may not create it."""
    if connection.scalar(text("SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'")):
        return ()
    may_create = connection.scalar(
        text(
            "SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_trgm') AND"
            " (has_database_privilege(current_database(), 'CREATE')"
            " OR (SELECT rolsuper FROM pg_roles WHERE rolname = current_user))"
        )
    )
    return ("CREATE EXTENSION IF NOT EXISTS pg_trgm",) if may_create else None
