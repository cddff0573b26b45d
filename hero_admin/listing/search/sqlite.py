"""The search index of a resource on SQLite: what makes it, keeps it, and brings it up to date.

Any program may write to the tables, so their triggers are plain SQL, and only note which rows have
changed, with the texts by which the index knows them. Those rows are looked at in every search,
until a writer of ours has brought them into the index.
"""

# ruff: noqa: S608 - every name is quoted
import logging
import re
import sqlite3
import time
from collections.abc import Mapping, Sequence

from sqlalchemy.dialects.sqlite import dialect

from hero_admin.database.identifiers import quoted
from hero_admin.listing.search.trigram_index import (
    NUMBER,
    PREFIX,
    changes_name,
    has_row_numbers,
    index_name,
    key_names,
    numbers_name,
)
from hero_admin.model.resource import Resource

OPTIONS = "content='', detail='none', tokenize='trigram'"
# FTS5 has these columns itself.
TAKEN = ('"rank"', '"rowid"')
# What its tables begin with.
OWN_COLUMN = re.compile(r'^CREATE TABLE "([^"]|"")+" \((row_number INTEGER PRIMARY KEY|key0) ')
EVENTS = ("insert", "update", "delete")

# What a commit has time for besides.
REFRESH_SECONDS = 0.03
ROWS_AT_ONCE = 200

logger = logging.getLogger("hero_admin.listing.search.sqlite")


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
        """Bring the first rows that have changed into the index, or all."""
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
        """How many rows have changed."""
        return f"SELECT count(*) FROM {self._changes}"

    def has_changes(self, connection: sqlite3.Connection) -> bool:
        """Whether rows have changed since they were brought into the index."""
        try:
            return bool(connection.execute(f"SELECT 1 FROM {self._changes} LIMIT 1").fetchall())
        # It is made by the doctor.
        except sqlite3.OperationalError:
            return False

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


def _has_index(resource: Resource) -> bool:
    return bool(resource.search_fields) and not resource.read_only


def _folded(text: str) -> str:
    # The space lets the first word begin as the others do.
    return f"' ' || fold(CAST({text} AS BLOB))"


def is_of_index(name: str, schema: Mapping[str, str]) -> bool:
    """Whether a table of that name, by the SQL that made it, is one that belongs to an index."""
    sql = schema[name]
    if name.startswith(PREFIX):
        return sql.endswith(f"{OPTIONS})")
    return bool(OWN_COLUMN.search(sql))


class Refresher:
    """Brings changed rows into the indexes of resources, before a transaction is committed.

    No longer than a moment: what is left over is found all the same, and comes with the next one.
    """

    def __init__(self, resources: Sequence[Resource]) -> None:
        self._resources = resources
        # Fields follow from all models, of which some may come later.
        self._indexes: list[SqliteIndex] | None = None

    def __call__(self, connection: sqlite3.Connection) -> None:
        if self._indexes is None:
            self._indexes = [SqliteIndex(each) for each in self._resources if _has_index(each)]
        latest = time.perf_counter() + REFRESH_SECONDS
        for index in self._indexes:
            while index.has_changes(connection) and _refresh(connection, index):
                if time.perf_counter() > latest:
                    break


def _refresh(connection: sqlite3.Connection, index: SqliteIndex) -> bool:
    connection.execute("SAVEPOINT refreshing")
    try:
        for statement in index.refreshing(ROWS_AT_ONCE):
            connection.execute(statement)
        connection.execute("RELEASE refreshing")
    # The change itself shall not fail for it.
    except sqlite3.Error as error:
        if connection.in_transaction:
            connection.execute("ROLLBACK TO refreshing")
            connection.execute("RELEASE refreshing")
        logger.warning("The index %s needs `doctor --fix`: %s", index.name, error)
        return False
    return True
