"""Trigrams: the index behind the search of a resource, which finds a text anywhere in a column.

On PostgreSQL it is a GIN index of `pg_trgm`, on SQLite an FTS5 table that triggers keep. It only
proposes rows; each of them is looked at again. A writer that does not know `fold()` gets an error
rather than an index that misses its rows.

FTS5 knows rows by numbers. Where the key of a resource is no such number, a table beside the index
gives its rows some: those that SQLite gives by itself may change with any VACUUM.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    SmallInteger,
    String,
    and_,
    bindparam,
    column,
    select,
    table,
    text,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncSession

from webapp.admin.resource import Resource
from webapp.admin.storable import unwrapped_type
from webapp.database import is_postgresql
from webapp.folding import fold

PREFIX = "search_"
NUMBERS_PREFIX = "searched_"
NUMBER = "row_number"
# What a trigram consists of; a shorter text is in none.
TRIGRAM_CHARACTERS = 3


def index_name(resource: Resource) -> str:
    """Return the name of the index of a resource, a table on SQLite."""
    return f"{PREFIX}{resource.table.name}"


def numbers_name(resource: Resource) -> str:
    """Return the name of the table that numbers the rows of a resource on SQLite."""
    return f"{NUMBERS_PREFIX}{resource.table.name}"


def key_names(resource: Resource) -> list[str]:
    """Return what the parts of a key are called there."""
    return [f"key{number}" for number in range(len(resource.key))]


def has_row_numbers(resource: Resource) -> bool:
    """Whether the key of a resource is what SQLite itself finds a row by, for good."""
    kind = unwrapped_type(resource.key[0].column.type)
    is_alias = isinstance(kind, Integer) and not isinstance(kind, BigInteger | SmallInteger)
    return len(resource.key) == 1 and is_alias


async def fetch_has_trigrams(session: AsyncSession, resource: Resource) -> bool:
    """Whether the database has the index, and it is finished."""
    if is_postgresql(session):
        wanted = (
            "SELECT coalesce((SELECT indisvalid FROM pg_index"
            " WHERE indexrelid = to_regclass(quote_ident(:name))), false)"
        )
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
    return " AND ".join(map(quoted, trigrams))


def proposals(resource: Resource) -> tuple[FromClause, ColumnElement[bool]]:
    """Return where SQLite proposes rows for `trigrams`, and the condition that it does."""
    index, condition = _index(resource)
    if has_row_numbers(resource):
        return index.join(resource.table, _key(resource)[0] == index.c.rowid), condition
    numbers = _numbers(resource)
    pairs = zip(_key(resource), key_names(resource), strict=True)
    is_same = and_(*(column == numbers.c[name] for column, name in pairs))
    found = index.join(numbers, numbers.c[NUMBER] == index.c.rowid)
    return found.join(resource.table, is_same), condition


def proposed_numbers(resource: Resource) -> Select[Any]:
    """Return the statement for the numbers of the rows that SQLite proposes for `trigrams`."""
    index, condition = _index(resource)
    return select(index.c.rowid).where(condition)


def is_proposed(resource: Resource) -> ColumnElement[bool]:
    """Return the condition that SQLite proposes a row for `trigrams`."""
    found, key = proposed_numbers(resource), _key(resource)
    if has_row_numbers(resource):
        return key[0].in_(found)
    numbers = _numbers(resource)
    names = key_names(resource)
    keys = select(*(numbers.c[name] for name in names)).where(numbers.c[NUMBER].in_(found))
    return (tuple_(*key) if len(key) > 1 else key[0]).in_(keys)


def postgresql_statement(resource: Resource) -> str:
    """Return what makes the index on PostgreSQL."""
    columns = (quoted(field.column.name) for field in resource.search_fields)
    parts = ", ".join(f"fold({each}) gin_trgm_ops" for each in columns)
    name, rows = quoted(index_name(resource)), quoted(resource.table.name)
    return f"CREATE INDEX {name} ON {rows} USING gin ({parts})"


# Any: the columns of FTS5 are untyped.
def _index(resource: Resource) -> tuple[Any, ColumnElement[bool]]:
    name = index_name(resource)
    # The table's own name is a column of it, and stands for all of them.
    index = table(name, column("rowid"), column(name))
    return index, index.c[name].op("MATCH")(bindparam("trigrams", type_=String))


def _key(resource: Resource) -> list[Column[Any]]:
    return [field.column for field in resource.key]


# Any: the keys of any resource.
def _numbers(resource: Resource) -> Any:
    pairs = zip(key_names(resource), _key(resource), strict=True)
    columns = (column(name, each.type) for name, each in pairs)
    return table(numbers_name(resource), column(NUMBER), *columns)


def quoted(name: str) -> str:
    """Return a name, or a trigram, as both databases and FTS5 take it."""
    escaped = name.replace('"', '""')
    return f'"{escaped}"'
