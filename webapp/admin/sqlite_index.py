"""The search index of a resource on SQLite: what makes it, and the triggers that keep it."""

from collections.abc import Sequence

from sqlalchemy.dialects.sqlite import dialect

from webapp.admin.resource import Resource
from webapp.admin.trigrams import (
    NUMBER,
    has_row_numbers,
    index_name,
    key_names,
    numbers_name,
    quoted,
)

OPTIONS = "content='', detail='none', tokenize='trigram'"


class SqliteIndex:
    """Statements, by the names of what they create.

    First the tables, then what fills them with the rows that are there, then the triggers.
    """

    def __init__(self, resource: Resource) -> None:
        self.name = index_name(resource)
        self._is_numbered = has_row_numbers(resource)
        self._index, self._rows = quoted(self.name), quoted(resource.table.name)
        self._numbers = quoted(numbers_name(resource))
        self._columns = [quoted(field.column.name) for field in resource.search_fields]
        self._key = [quoted(field.column.name) for field in resource.key]
        self._key_names = key_names(resource)
        columns = ", ".join(self._columns)
        self._names = f"rowid, {columns}"
        self.tables = {
            self.name: f"CREATE VIRTUAL TABLE {self._index} USING fts5({columns}, {OPTIONS})"
        }
        if not self._is_numbered:
            # They are compared with the key, so they have its types.
            types = [field.column.type.compile(dialect()) for field in resource.key]
            typed = [f"{name} {kind}" for name, kind in zip(self._key_names, types, strict=True)]
            unique = f"UNIQUE ({', '.join(self._key_names)})"
            parts = f"{NUMBER} INTEGER PRIMARY KEY", *typed, unique
            self.tables[numbers_name(resource)] = (
                f"CREATE TABLE {self._numbers} ({', '.join(parts)})"
            )

    @property
    def filling(self) -> Sequence[str]:
        values = f"SELECT {self._values(self._rows)} FROM {self._rows}"  # noqa: S608 - quoted
        add = f"INSERT INTO {self._index} ({self._names}) {values}"
        if self._is_numbered:
            return [add]
        keys = f"SELECT {self._keys(self._rows)} FROM {self._rows}"  # noqa: S608 - quoted
        number = f"INSERT INTO {self._numbers} ({', '.join(self._key_names)}) {keys}"
        return [number, add]

    @property
    def triggers(self) -> dict[str, str]:
        add = f"INSERT INTO {self._index} ({self._names}) VALUES ({self._values('new')});"  # noqa: S608 - quoted
        remove = (
            f"INSERT INTO {self._index} ({self._index}, {self._names})"  # noqa: S608 - quoted
            f" VALUES ('delete', {self._values('old')});"
        )
        if not self._is_numbered:
            names, keys = ", ".join(self._key_names), self._keys("new")
            # One that is there already was left by a REPLACE, for which SQLite calls no trigger.
            number = f"INSERT OR REPLACE INTO {self._numbers} ({names}) VALUES ({keys});"  # noqa: S608 - quoted
            add = number + add
            remove += f"DELETE FROM {self._numbers} WHERE {self._is_that('old')};"  # noqa: S608 - quoted
        changed = ", ".join(dict.fromkeys([*self._key, *self._columns]))
        found = {}
        for event, scope, body in [
            ("insert", "INSERT", add),
            ("update", f"UPDATE OF {changed}", remove + add),
            ("delete", "DELETE", remove),
        ]:
            name = f"{self.name}_{event}"
            found[name] = (
                f"CREATE TRIGGER {quoted(name)} AFTER {scope} ON {self._rows} BEGIN {body} END"
            )
        return found

    def _values(self, row: str) -> str:
        """What the index holds of a row: its number, and its folded texts."""
        number = f"{row}.{self._key[0]}"
        if not self._is_numbered:
            number = f"(SELECT {NUMBER} FROM {self._numbers} WHERE {self._is_that(row)})"  # noqa: S608 - quoted
        # The space lets the first word begin as the others do.
        return ", ".join([number, *(f"' ' || fold({row}.{each})" for each in self._columns)])

    def _keys(self, row: str) -> str:
        return ", ".join(f"{row}.{each}" for each in self._key)

    def _is_that(self, row: str) -> str:
        pairs = zip(self._key_names, self._key, strict=True)
        return " AND ".join(f"{self._numbers}.{name} = {row}.{each}" for name, each in pairs)
