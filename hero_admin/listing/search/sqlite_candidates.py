"""Candidates of the trigram index of SQLite: those of FTS5, and rows changed since its refresh."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnClause,
    ColumnElement,
    CompoundSelect,
    Select,
    String,
    and_,
    bindparam,
    column,
    exists,
    select,
    table,
    tuple_,
    union_all,
)

from hero_admin.listing.search.filter_index import LIMIT
from hero_admin.listing.search.sqlite_index import (
    NUMBER,
    changes_name,
    has_row_numbers,
    key_names,
    numbers_name,
)
from hero_admin.listing.search.trigram_index import index_name
from hero_admin.model.resource import Resource


@dataclass(frozen=True)
class TrigramIndex:
    """The trigram index of a resource."""

    resource: Resource

    def select(self, columns: Sequence[ColumnElement[Any]]) -> Select[Any]:
        """Return the statement for `columns` of up to `LIMIT` candidates for `trigrams`."""
        resource = self.resource
        # The limits make SQLite read the keys first and compare texts last. Otherwise it might read
        # the whole table, to look up the keys or to build a Bloom filter of the matching rows.
        found = _candidate_keys(resource, is_distinct=True).limit(LIMIT).subquery("found")
        pairs = zip(_key(resource), key_names(resource), strict=True)
        same = and_(*(column == found.c[name] for column, name in pairs))
        return select(*columns).select_from(found.join(resource.table, same)).limit(LIMIT)

    def select_keys(self) -> CompoundSelect[Any]:
        """Return a statement with a row for each candidate, two for some changed ones."""
        index, predicate = _index(self.resource)
        waiting = select(_changes(self.resource).c[key_names(self.resource)[0]])
        return union_all(select(index.c.rowid).where(predicate), waiting).limit(LIMIT)


def is_candidate(resource: Resource) -> ColumnElement[bool]:
    """Return the predicate that a row is a candidate for `trigrams`."""
    key = _key(resource)
    keys = _candidate_keys(resource, is_distinct=False)
    return (tuple_(*key) if len(key) > 1 else key[0]).in_(keys)


# Any: the columns of FTS5 are untyped.
def _index(resource: Resource) -> tuple[Any, ColumnElement[bool]]:
    name = index_name(resource)
    # An FTS5 table has a column of its own name, which MATCH searches in all columns.
    index = table(name, column("rowid"), column(name))
    return index, index.c[name].op("MATCH")(bindparam("trigrams", type_=String))


def _key(resource: Resource) -> list[ColumnElement[Any]]:
    return [field.exact for field in resource.key]


def _candidate_keys(resource: Resource, *, is_distinct: bool) -> CompoundSelect[Any]:
    """Return the keys of the candidates in the index, and of rows changed since its refresh."""
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
