"""The search index of a resource on SQLite: what makes it, keeps it, and brings it up to date.

It is a table of FTS5, which knows rows by numbers. Where the key of a resource is no such number, a
table beside the index gives its rows some: those that SQLite gives itself may change with a VACUUM.

Any program may write to the tables, so their triggers are plain SQL, and only note which rows have
changed, with the texts by which the index knows them. Those rows are looked at in every search,
until a writer of ours has brought them into the index.
"""

# ruff: noqa: S608 - every name is quoted
import re
from collections.abc import Mapping, Sequence

from sqlalchemy import BigInteger, Integer, SmallInteger
from sqlalchemy.dialects.sqlite import dialect

from hero_admin.database.identifiers import quoted
from hero_admin.listing.search.trigram_index import PREFIX, index_name
from hero_admin.model.resource import Resource
from hero_admin.model.storable import unwrapped_type

NUMBERS_PREFIX = "searched_"
CHANGES_PREFIX = "unsearched_"
NUMBER = "row_number"
OPTIONS = "content='', detail='none', tokenize='trigram'"
# FTS5 has these columns itself.
TAKEN = ('"rank"', '"rowid"')
# The prefixes of its tables.
OWN_COLUMN = re.compile(r'^CREATE TABLE "([^"]|"")+" \((row_number INTEGER PRIMARY KEY|key0) ')
EVENTS = ("insert", "update", "delete")


def numbers_name(resource: Resource) -> str:
    """Return the name of the table that numbers the rows of a resource."""
    return index_name(resource, NUMBERS_PREFIX)


def changes_name(resource: Resource) -> str:
    """Return the name of the table of changed rows that are not indexed yet."""
    return index_name(resource, CHANGES_PREFIX)


def key_names(resource: Resource) -> list[str]:
    """Return what the parts of a key are called there."""
    return [f"key{number}" for number in range(len(resource.key))]


def has_row_numbers(resource: Resource) -> bool:
    """Whether the key of a resource is what SQLite itself finds a row by, for good."""
    kind = unwrapped_type(resource.key[0].column.type)
    is_alias = isinstance(kind, Integer) and not isinstance(kind, BigInteger | SmallInteger)
    return len(resource.key) == 1 and is_alias


class SqliteIndex:
    """Statements, by the names of what they create.

    First the tables, then what fills them with the rows that are there, then the triggers.
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
        # They are compared with the key, so they have its types.
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
        """Bring all rows into an empty index."""
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
        """Note what changes: before it does, as other triggers may change it once more."""
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

    def refreshing(self, most: int = -1) -> list[str]:
        """Bring changed rows into the index: the first of them, or all."""
        first = f"FROM {self._changes} ORDER BY rowid LIMIT {most}"
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
        """Give numbers to rows that have none, and take away those of rows that are gone."""
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
        """The number of changed rows."""
        return f"SELECT count(*) FROM {self._changes}"

    @property
    def asking(self) -> str:
        """Whether any row has changed."""
        return f"SELECT 1 FROM {self._changes} LIMIT 1"

    def _add(self, select: str) -> str:
        return f"INSERT INTO {self._index} ({self._names}) {select}"

    def _folded(self, row: str) -> str:
        return ", ".join(_folded(f"{row}.{each}") for each in self._columns)

    def _note_old(self) -> str:
        """Note a row as the index has it, unless it was noted before."""
        is_indexed = f"SELECT 1 FROM {self._docsize} WHERE id = old.{self._key[0]}"
        if not self._is_numbered:
            is_indexed = f"SELECT 1 FROM {self._numbers} WHERE {self._same(self._numbers, 'old')}"
        texts = "".join(f", old.{each}" for each in self._columns)
        return self._note("old", f", EXISTS ({is_indexed}){texts}")

    def _note_new(self) -> str:
        return self._note("new", ", 0" + ", NULL" * len(self._texts))

    def _note(self, row: str, rest: str) -> str:
        # A clause for conflicts would be overruled by that of the statement of the writer.
        names = ", ".join([*self._key_names, "is_indexed", *self._texts])
        keys = ", ".join(f"{row}.{each}" for each in self._key)
        known = f"SELECT 1 FROM {self._changes} WHERE {self._same(self._changes, row)}"
        return (
            f"INSERT INTO {self._changes} ({names}) SELECT {keys}{rest} WHERE NOT EXISTS ({known});"
        )

    def _same(self, table: str, row: str) -> str:
        """The condition that a table of ours is about a row."""
        pairs = zip(self._key_names, self._key, strict=True)
        return " AND ".join(f"{table}.{name} = {row}.{each}" for name, each in pairs)

    def _equal(self, table: str, other: str) -> str:
        return " AND ".join(f"{table}.{name} = {other}.{name}" for name in self._key_names)


def _folded(text: str) -> str:
    # The space lets the first word begin as the others do.
    return f"' ' || fold(CAST({text} AS BLOB))"


def is_of_index(name: str, schema: Mapping[str, str]) -> bool:
    """Whether a table of that name, by the SQL that made it, is one that belongs to an index."""
    sql = schema[name]
    if name.startswith(PREFIX):
        return sql.endswith(f"{OPTIONS})")
    return bool(OWN_COLUMN.search(sql))
