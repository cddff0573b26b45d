"""Trigrams: the index behind the search of a resource, which finds a text anywhere in a column.

On PostgreSQL it is a GIN index of `pg_trgm`, on SQLite an FTS5 table. It only offers candidates,
which are checked again. On SQLite the rows that have changed meanwhile are candidates, too.

FTS5 knows rows by numbers. Where the key of a resource is no such number, a table beside the index
gives its rows some: those that SQLite gives by itself may change with any VACUUM.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnClause,
    ColumnElement,
    CompoundSelect,
    FromClause,
    Integer,
    SmallInteger,
    String,
    and_,
    bindparam,
    column,
    exists,
    select,
    table,
    text,
    tuple_,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.database.engines import is_postgresql
from hero_admin.database.folding import fold
from hero_admin.database.identifiers import MAX_BYTES, qualified, quoted, shortened
from hero_admin.listing.search.patterns import words_of
from hero_admin.model.resource import Resource
from hero_admin.model.storable import unwrapped_type

PREFIX = "search_"
NUMBERS_PREFIX = "searched_"
CHANGES_PREFIX = "unsearched_"
NUMBER = "row_number"
# What a trigram consists of; a shorter text is in none.
TRIGRAM_CHARACTERS = 3


def index_name(resource: Resource) -> str:
    """Return the name of the index of a resource, a table on SQLite."""
    return f"{PREFIX}{_suffix(resource)}"


def numbers_name(resource: Resource) -> str:
    """Return the name of the table that numbers the rows of a resource on SQLite."""
    return f"{NUMBERS_PREFIX}{_suffix(resource)}"


def changes_name(resource: Resource) -> str:
    """Return the name of the table of rows that are still to come into the index on SQLite."""
    return f"{CHANGES_PREFIX}{_suffix(resource)}"


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
    name = index_name(resource)
    if is_postgresql(session):
        name = qualified(resource.table, name)
        wanted = (
            "SELECT coalesce((SELECT indisvalid FROM pg_index"
            " WHERE indexrelid = to_regclass(:name)), false)"
        )
    else:
        # What is made last.
        name = changes_name(resource)
        wanted = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = :name"
    return bool((await session.execute(text(wanted), {"name": name})).scalar())


def trigrams_of(text: str) -> str:
    """Return the parameter `trigrams` for a text: those of all its words, in whatever columns.

    For one of two characters the candidates are the rows in which a word begins with it.
    """
    words = list(map(fold, words_of(text)))
    if len(words) == 1 and len(words[0]) < TRIGRAM_CHARACTERS:
        words = [f" {words[0]}"]
    trigrams = dict.fromkeys(
        word[place : place + TRIGRAM_CHARACTERS]
        for word in words
        for place in range(len(word) - TRIGRAM_CHARACTERS + 1)
    )
    return " AND ".join(map(quoted, trigrams))


def has_trigrams(text: str) -> bool:
    """Whether an index of trigrams holds a word of a text."""
    return "\0" not in text and any(
        len(fold(word)) >= TRIGRAM_CHARACTERS for word in words_of(text)
    )


def proposals(resource: Resource, most: ColumnElement[int]) -> FromClause:
    """Return the candidates of SQLite for `trigrams`, up to a number."""
    # Having a limit they are read first; SQLite might read the whole table for them otherwise.
    found = _candidate_keys(resource, is_distinct=True).limit(most).subquery("found")
    pairs = zip(_key(resource), key_names(resource), strict=True)
    return found.join(resource.table, and_(*(column == found.c[name] for column, name in pairs)))


def candidate_numbers(resource: Resource) -> CompoundSelect[Any]:
    """Return the statement that counts the candidates of SQLite, or a few more."""
    index, predicate = _index(resource)
    waiting = select(_changes(resource).c[key_names(resource)[0]])
    return union_all(select(index.c.rowid).where(predicate), waiting)


def is_candidate(resource: Resource) -> ColumnElement[bool]:
    """Return the predicate that a row is a candidate of SQLite for `trigrams`."""
    key = _key(resource)
    keys = _candidate_keys(resource, is_distinct=False)
    return (tuple_(*key) if len(key) > 1 else key[0]).in_(keys)


def postgresql_statement(resource: Resource, operators: str) -> str:
    """Return what makes the index on PostgreSQL with the operators of `pg_trgm`."""
    columns = (quoted(field.column.name) for field in resource.search_fields)
    parts = ", ".join(f"fold({each}) {operators}" for each in columns)
    name, rows = quoted(index_name(resource)), qualified(resource.table)
    return f"CREATE INDEX {name} ON {rows} USING gin ({parts})"


def _suffix(resource: Resource) -> str:
    # What is called after it on SQLite has a few characters more.
    return shortened(resource.table.name, MAX_BYTES - 20)


# Any: the columns of FTS5 are untyped.
def _index(resource: Resource) -> tuple[Any, ColumnElement[bool]]:
    name = index_name(resource)
    # The table's own name is a column of it, and stands for all of them.
    index = table(name, column("rowid"), column(name))
    return index, index.c[name].op("MATCH")(bindparam("trigrams", type_=String))


def _key(resource: Resource) -> list[ColumnElement[Any]]:
    return [field.exact for field in resource.key]


def _candidate_keys(resource: Resource, *, is_distinct: bool) -> CompoundSelect[Any]:
    """Return the keys that the index holds for `trigrams`, and those of rows that have changed."""
    names, changes = key_names(resource), _changes(resource)
    index, predicate = _index(resource)
    if has_row_numbers(resource):
        indexed = select(index.c.rowid.label(names[0])).where(predicate)
        same = changes.c[names[0]] == index.c.rowid
    else:
        numbers = _table_of_keys(numbers_name(resource), resource, column(NUMBER))
        found = index.join(numbers, numbers.c[NUMBER] == index.c.rowid)
        indexed = select(*(numbers.c[name] for name in names)).select_from(found).where(predicate)
        same = and_(*(changes.c[name] == numbers.c[name] for name in names))
    if is_distinct:
        indexed = indexed.where(~exists().where(same))
    return union_all(indexed, select(*(changes.c[name] for name in names)))


# Any: the keys of any resource.
def _changes(resource: Resource) -> Any:
    return _table_of_keys(changes_name(resource), resource)


# Any: the same.
def _table_of_keys(name: str, resource: Resource, *others: ColumnClause[Any]) -> Any:
    pairs = zip(key_names(resource), _key(resource), strict=True)
    return table(name, *others, *(column(name, each.type) for name, each in pairs))
