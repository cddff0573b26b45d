"""Identifiers: names of tables, indexes and columns as both databases take them in SQL."""

from hashlib import sha256

from sqlalchemy import Table

# PostgreSQL cuts longer ones off, without a word.
MAX_BYTES = 63
DIGEST_CHARACTERS = 8


def quoted(name: str) -> str:
    """Return a name, or a trigram of FTS5, in quotation marks."""
    escaped = name.replace('"', '""')
    return f'"{escaped}"'


def qualified(table: Table, name: str = "") -> str:
    """Return the name of a table, or of what stands beside it, with its schema."""
    parts = (table.schema, name or table.name)
    return ".".join(quoted(part) for part in parts if part)


def shortened(name: str, most: int = MAX_BYTES) -> str:
    """Return a name that fits; a long one ends with a digest, so that no two become one."""
    if len(name.encode()) <= most:
        return name
    digest = sha256(name.encode()).hexdigest()[:DIGEST_CHARACTERS]
    kept = name.encode()[: most - DIGEST_CHARACTERS - 1].decode("utf-8", "ignore")
    return f"{kept}_{digest}"
