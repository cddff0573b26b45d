"""The trigram index of a resource on SQLite: the SQL that creates, fills and refreshes it.

It is an FTS5 table, whose rows have integer rowids. If the primary key of a resource is no integer,
a second table numbers its rows, as VACUUM may change the rowids that SQLite assigns.

Any program may write to the indexed tables, so the triggers are plain SQL. They only record changed
rows: their keys and indexed texts. Every search reads these rows, too, until a commit by this
library refreshes the index.
"""

# ruff: noqa: S608 - every name is quoted
import re
from collections.abc import Mapping, Sequence

from sqlalchemy import BigInteger, Integer, SmallInteger
from sqlalchemy.dialects.sqlite import dialect

from hero_admin.database.identifiers import quoted
from hero_admin.database.own_tables import PREFIX as OWN_PREFIX
from hero_admin.listing.search.trigram_index import PREFIX, index_name
from hero_admin.model.resource import Resource
from hero_admin.model.storable import unwrapped_type

NUMBERS_PREFIX = f"{OWN_PREFIX}searched_"
CHANGES_PREFIX = f"{OWN_PREFIX}unsearched_"
PREFIXES = (PREFIX, NUMBERS_PREFIX, CHANGES_PREFIX)
NUMBER = "row_number"
OPTIONS = "content='', detail='none', tokenize='trigram'"
# Names of columns that every FTS5 table has.
TAKEN = ('"rank"', '"rowid"')
# How the SQL of the tables of row numbers and of changes begins.
OWN_COLUMN = re.compile(r'^CREATE TABLE "([^"]|"")+" \((row_number INTEGER PRIMARY KEY|key0) ')
EVENTS = ("insert", "update", "delete")


def numbers_name(resource: Resource) -> str:
    """Return the name of the table of row numbers of a resource."""
    return index_name(resource, NUMBERS_PREFIX)


def changes_name(resource: Resource) -> str:
    """Return the name of the table of rows changed since the index was refreshed."""
    return index_name(resource, CHANGES_PREFIX)


def key_names(resource: Resource) -> list[str]:
    """Return the names of the key columns in these tables."""
    return [f"key{number}" for number in range(len(resource.key))]


def has_row_numbers(resource: Resource) -> bool:
    """Whether the primary key is an alias of the rowid, which VACUUM does not change."""
    kind = unwrapped_type(resource.key[0].column.type)
    is_alias = isinstance(kind, Integer) and not isinstance(kind, BigInteger | SmallInteger)
    return len(resource.key) == 1 and is_alias


class SqliteIndex:
    """The statements of an index, in the order of its creation: tables, filling, triggers.

    Those of tables and triggers are mapped by name.
    """

    def __init__(self, resource: Resource) -> None:
        self.name = index_name(resource)
        self._is_numbered = has_row_numbers(resource)
        self._index, self._rows = quoted(self.name), quoted(resource.table.name)
        self._docsize = quoted(f"{self.name}_docsize")
        self._numbers = quoted(numbers_name(resource))
        self._changes = quoted(changes_name(resource))
        self._columns = [quoted(field.column.name) for field in resource.search_fields]
        self._texts = [f"text{number}" for number in range(len(self._columns))]
        self._key = [quoted(field.column.name) for field in resource.key]
        self._key_names = key_names(resource)
        is_taken = any(name.lower() in TAKEN for name in self._columns)
        columns = ", ".join(self._texts if is_taken else self._columns)
        self._names = f"rowid, {columns}"
        self.tables = {
            self.name: f"CREATE VIRTUAL TABLE {self._index} USING fts5({columns}, {OPTIONS})"
        }
        # Key columns have the types of the key, as they are compared with it.
        types = [field.column.type.compile(dialect()) for field in resource.key]
        typed = [f"{name} {kind}" for name, kind in zip(self._key_names, types, strict=True)]
        keys = ", ".join(self._key_names)
        if not self._is_numbered:
            parts = f"{NUMBER} INTEGER PRIMARY KEY", *typed, f"UNIQUE ({keys})"
            self.tables[numbers_name(resource)] = (
                f"CREATE TABLE {self._numbers} ({', '.join(parts)})"
            )
        parts = *typed, "is_indexed", *self._texts, f"PRIMARY KEY ({keys})"
        if self._is_numbered:
            parts = "key0 INTEGER PRIMARY KEY", "is_indexed", *self._texts
        self.tables[changes_name(resource)] = f"CREATE TABLE {self._changes} ({', '.join(parts)})"

    @property
    def filling(self) -> Sequence[str]:
        """The statements that add all rows to an empty index."""
        number = f"{self._rows}.{self._key[0]}"
        source = self._rows
        if not self._is_numbered:
            number = f"{self._numbers}.{NUMBER}"
            source += f" JOIN {self._numbers} ON {self._same(self._numbers, self._rows)}"
        add = self._add(f"SELECT {number}, {self._folded(self._rows)} FROM {source}")
        if self._is_numbered:
            return [add]
        keys = ", ".join(f"{self._rows}.{each}" for each in self._key)
        select = f"SELECT {keys} FROM {self._rows}"
        return [f"INSERT INTO {self._numbers} ({', '.join(self._key_names)}) {select}", add]

    @property
    def triggers(self) -> dict[str, str]:
        """The triggers that record changed rows, before other triggers may change them again."""
        changed = " OR ".join(
            f"old.{name} IS NOT new.{name} COLLATE BINARY"
            for name in dict.fromkeys([*self._key, *self._columns])
        )
        bodies = {
            "insert": ("AFTER INSERT", "", self._note_new()),
            "update": ("BEFORE UPDATE", f" WHEN {changed}", self._note_old() + self._note_new()),
            "delete": ("BEFORE DELETE", "", self._note_old()),
        }
        return {
            f"{self.name}_{event}": (
                f"CREATE TRIGGER {quoted(f'{self.name}_{event}')} {moment} ON {self._rows}{when}"
                f" BEGIN {body} END"
            )
            for event, (moment, when, body) in bodies.items()
        }

    def refreshing(self, max_rows: int = -1) -> list[str]:
        """Return the statements that update the index with `max_rows` changed rows; -1 for all."""
        first = f"FROM {self._changes} ORDER BY rowid LIMIT {max_rows}"
        changed = f"(SELECT * {first}) AS changed"
        same_row = self._same("changed", self._rows)
        number, numbers, numbering = "changed.key0", "", []
        if not self._is_numbered:
            number = f"{self._numbers}.{NUMBER}"
            numbers = f" JOIN {self._numbers} ON {self._equal(self._numbers, 'changed')}"
            numbering = self._numbering(changed, numbers)
        old = ", ".join(_folded(f"changed.{name}") for name in self._texts)
        remove = f"SELECT 'delete', {number}, {old} FROM {changed}{numbers}"
        add = f"SELECT {number}, {self._folded(self._rows)} FROM {changed}"
        return [
            f"INSERT INTO {self._index} ({self._index}, {self._names}) {remove} WHERE is_indexed",
            *numbering,
            self._add(f"{add} JOIN {self._rows} ON {same_row}{numbers}"),
            f"DELETE FROM {self._changes} WHERE rowid IN (SELECT rowid {first})",
        ]

    def _numbering(self, changed: str, numbers: str) -> list[str]:
        """Return the statements that number new rows, and delete the numbers of deleted ones."""
        keys = ", ".join(self._key_names)
        given = ", ".join(f"changed.{name}" for name in self._key_names)
        same_row = self._same("changed", self._rows)
        has_number = f"SELECT 1 FROM {self._numbers} WHERE {self._equal(self._numbers, 'changed')}"
        has_row = f"SELECT 1 FROM {self._rows} WHERE {same_row}"
        gone = (
            f"SELECT {self._numbers}.{NUMBER} FROM {changed}{numbers} WHERE NOT EXISTS ({has_row})"
        )
        new = f"SELECT {given} FROM {changed} JOIN {self._rows} ON {same_row}"
        return [
            f"DELETE FROM {self._numbers} WHERE {NUMBER} IN ({gone})",
            f"INSERT INTO {self._numbers} ({keys}) {new} WHERE NOT EXISTS ({has_number})",
        ]

    @property
    def counting(self) -> str:
        """The statement that counts the changed rows."""
        return f"SELECT count(*) FROM {self._changes}"

    @property
    def asking(self) -> str:
        """The statement that has a row if any row has changed."""
        return f"SELECT 1 FROM {self._changes} LIMIT 1"

    def _add(self, select: str) -> str:
        return f"INSERT INTO {self._index} ({self._names}) {select}"

    def _folded(self, row: str) -> str:
        return ", ".join(_folded(f"{row}.{each}") for each in self._columns)

    def _note_old(self) -> str:
        """Record a row as it is indexed, unless it is recorded already."""
        is_indexed = f"SELECT 1 FROM {self._docsize} WHERE id = old.{self._key[0]}"
        if not self._is_numbered:
            is_indexed = f"SELECT 1 FROM {self._numbers} WHERE {self._same(self._numbers, 'old')}"
        texts = "".join(f", old.{each}" for each in self._columns)
        return self._note("old", f", EXISTS ({is_indexed}){texts}")

    def _note_new(self) -> str:
        return self._note("new", ", 0" + ", NULL" * len(self._texts))

    def _note(self, row: str, rest: str) -> str:
        # ON CONFLICT in a trigger is overridden by that of the statement that fires it.
        names = ", ".join([*self._key_names, "is_indexed", *self._texts])
        keys = ", ".join(f"{row}.{each}" for each in self._key)
        known = f"SELECT 1 FROM {self._changes} WHERE {self._same(self._changes, row)}"
        return (
            f"INSERT INTO {self._changes} ({names}) SELECT {keys}{rest} WHERE NOT EXISTS ({known});"
        )

    def _same(self, table: str, row: str) -> str:
        """Return the condition that a row of an own table has the key of a resource's row."""
        pairs = zip(self._key_names, self._key, strict=True)
        return " AND ".join(f"{table}.{name} = {row}.{each}" for name, each in pairs)

    def _equal(self, table: str, other: str) -> str:
        return " AND ".join(f"{table}.{name} = {other}.{name}" for name in self._key_names)


def _folded(text: str) -> str:
    # The space gives the first word the same trigram at its beginning as the others.
    return f"' ' || fold(CAST({text} AS BLOB))"


def is_of_index(name: str, schema: Mapping[str, str]) -> bool:
    """Whether a table is part of a trigram index, by its name and the SQL that created it."""
    sql = schema[name]
    if name.startswith(PREFIX):
        return sql.endswith(f"{OPTIONS})")
    return bool(OWN_COLUMN.search(sql))
