"""Identifiers: quoted names of tables, indexes and columns in SQL."""

from collections.abc import Iterable
from hashlib import sha256
from typing import Any

from sqlalchemy import ColumnElement, Label, Table

# PostgreSQL silently truncates longer ones.
MAX_BYTES = 63
DIGEST_CHARACTERS = 8


def quoted(name: str) -> str:
    """Return a name, or a trigram of FTS5, in quotation marks."""
    escaped = name.replace('"', '""')
    return f'"{escaped}"'


def qualified(table: Table, name: str = "") -> str:
    """Return the name of a table, or of another object of its schema, with the schema."""
    parts = (table.schema, name or table.name)
    return ".".join(quoted(part) for part in parts if part)


# Any: columns of any type.
def numbered(columns: Iterable[ColumnElement[Any]]) -> list[Label[Any]]:
    """Return columns under labels of their own, as two may have the same name."""
    return [each.label(f"_{position}") for position, each in enumerate(columns)]


def shortened(name: str, most: int = MAX_BYTES) -> str:
    """Return a name that fits; a long one ends with a digest, which keeps it unique."""
    if len(name.encode()) <= most:
        return name
    digest = sha256(name.encode()).hexdigest()[:DIGEST_CHARACTERS]
    start = name.encode()[: most - DIGEST_CHARACTERS - 1].decode("utf-8", "ignore")
    return f"{start}_{digest}"
