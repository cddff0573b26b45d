"""Trigrams: the index behind the search of a resource, which finds a text anywhere in a column.

On PostgreSQL it is a GIN index of `pg_trgm`, on SQLite an FTS5 table that triggers keep. It only
proposes rows; each of them is looked at again. A writer that does not know `fold()` gets an error
rather than an index that misses its rows.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    SmallInteger,
    String,
    bindparam,
    column,
    select,
    table,
    text,
)
from sqlalchemy.ext.asyncio import AsyncSession

from webapp.admin.fields import unwrapped_type
from webapp.admin.resource import Resource
from webapp.folding import fold

PREFIX = "search_"
# What a trigram consists of; a shorter text is in none.
TRIGRAM_CHARACTERS = 3
TRIGGERS = ("insert", "update", "delete")


def index_name(resource: Resource) -> str:
    """Return the name of the index of a resource, a table on SQLite."""
    return f"{PREFIX}{resource.table.name}"


def has_row_numbers(resource: Resource) -> bool:
    """Whether the key of a resource is what SQLite itself finds a row by, for good."""
    kind = unwrapped_type(resource.key[0].column.type)
    is_alias = isinstance(kind, Integer) and not isinstance(kind, BigInteger | SmallInteger)
    return len(resource.key) == 1 and is_alias


async def fetch_has_trigrams(session: AsyncSession, resource: Resource) -> bool:
    """Whether the database has the index."""
    if session.get_bind().dialect.name == "postgresql":
        wanted = "SELECT to_regclass(:name) IS NOT NULL"
    else:
        wanted = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = :name"
    return bool((await session.execute(text(wanted), {"name": index_name(resource)})).scalar())


def trigrams_of(text: str) -> str:
    """Return the parameter `trigrams` for a text.

    One of two characters proposes the rows in which a word begins with it.
    """
    folded = fold(text)
    if len(folded) < TRIGRAM_CHARACTERS:
        folded = f" {folded}"
    places = range(len(folded) - TRIGRAM_CHARACTERS + 1)
    trigrams = dict.fromkeys(folded[place : place + TRIGRAM_CHARACTERS] for place in places)
    return " AND ".join(map(_quoted, trigrams))


def proposals(resource: Resource) -> tuple[FromClause, ColumnElement[bool]]:
    """Return where SQLite proposes rows for `trigrams`, and the condition that it does."""
    index, condition = _index(resource)
    return index.join(resource.table, resource.key[0].column == index.c.rowid), condition


def proposed_keys(resource: Resource) -> Select[Any]:
    """Return the statement for the keys of the rows that SQLite proposes for `trigrams`."""
    index, condition = _index(resource)
    return select(index.c.rowid).where(condition)


def is_proposed(resource: Resource) -> ColumnElement[bool]:
    """Return the condition that SQLite proposes a row for `trigrams`."""
    return resource.key[0].column.in_(proposed_keys(resource))


def sqlite_statements(resource: Resource) -> list[str]:
    """Return what makes the index on SQLite, from the rows that are there."""
    name = _quoted(index_name(resource))
    rows, key = _quoted(resource.table.name), _quoted(resource.key[0].column.name)
    columns = [_quoted(field.column.name) for field in resource.search_fields]
    names = ", ".join(["rowid", *columns])

    def values(row: str) -> str:
        # The space lets the first word begin as the others do.
        return ", ".join([f"{row}.{key}", *(f"' ' || fold({row}.{each})" for each in columns)])

    add = f"INSERT INTO {name} ({names}) VALUES ({values('new')});"  # noqa: S608 - quoted
    remove = f"INSERT INTO {name} ({name}, {names}) VALUES ('delete', {values('old')});"  # noqa: S608 - quoted
    bodies = {"insert": add, "update": remove + add, "delete": remove}
    changed = ", ".join([key, *columns])
    events = {"insert": "INSERT", "update": f"UPDATE OF {changed}", "delete": "DELETE"}
    options = "content='', detail='none', tokenize='trigram'"
    return [
        f"CREATE VIRTUAL TABLE {name} USING fts5({', '.join(columns)}, {options})",
        f"INSERT INTO {name} ({names}) SELECT {values(rows)} FROM {rows}",  # noqa: S608 - quoted
        *(
            f"CREATE TRIGGER {_quoted(trigger_name(resource, event))} AFTER {events[event]}"
            f" ON {rows} BEGIN {bodies[event]} END"
            for event in TRIGGERS
        ),
    ]


def postgresql_statement(resource: Resource) -> str:
    """Return what makes the index on PostgreSQL."""
    columns = (_quoted(field.column.name) for field in resource.search_fields)
    parts = ", ".join(f"fold({each}) gin_trgm_ops" for each in columns)
    name, rows = _quoted(index_name(resource)), _quoted(resource.table.name)
    return f"CREATE INDEX {name} ON {rows} USING gin ({parts})"


# Any: the columns of FTS5 are untyped.
def _index(resource: Resource) -> tuple[Any, ColumnElement[bool]]:
    name = index_name(resource)
    # The table's own name is a column of it, and stands for all of them.
    index = table(name, column("rowid"), column(name))
    return index, index.c[name].op("MATCH")(bindparam("trigrams", type_=String))


def trigger_name(resource: Resource, event: str) -> str:
    return f"{index_name(resource)}_{event}"


def _quoted(name: str) -> str:
    escaped = name.replace('"', '""')
    return f'"{escaped}"'
