"""Keys: the primary key of a record as one segment of a URL."""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

from sqlalchemy import ColumnElement, tuple_
from sqlmodel import SQLModel

from webapp.admin.resource import Resource

# Words that stand where a key may stand; a text key that equals one is escaped.
RESERVED = frozenset({"new", "change", "delete", "options", "total", "none"})
LONGEST_KEY_CHARACTERS = 2000

# The values of a primary key, in the order of `Resource.key`.
Key = tuple[Any, ...]


def key_text(resource: Resource, values: Key) -> str:
    """Return the URL segment for primary key `values`, in the order of `resource.key`."""
    # As most keys are.
    if len(values) == 1 and type(values[0]) is int:
        return str(values[0])
    parts = [field.input.format(value) for field, value in zip(resource.key, values, strict=True)]
    text = ",".join(map(_escape, parts))
    return _escape_character(text[0]) + text[1:] if text in RESERVED else text


def key_of(resource: Resource, record: SQLModel) -> str:
    """Return the URL segment of a record."""
    return key_text(resource, tuple(getattr(record, field.name) for field in resource.key))


def parse_key(resource: Resource, text: str) -> Key | None:
    """Return the primary key that `text` names, or None if it names none.

    Each key has one spelling, so “007”, “+7” and “٧” are no keys.
    """
    parts = text.split(",")
    if len(text) > LONGEST_KEY_CHARACTERS or len(parts) != len(resource.key):
        return None
    try:
        values = tuple(
            field.clean(field.input(_unescape(part)))
            for field, part in zip(resource.key, parts, strict=True)
        )
    except ValueError:
        return None
    return values if key_text(resource, values) == text else None


def key_condition(resource: Resource, keys: Sequence[Key]) -> ColumnElement[bool]:
    """Return the condition that a row is one of these records."""
    columns = [field.column for field in resource.key]
    if len(columns) == 1:
        return columns[0].in_([key[0] for key in keys])
    return tuple_(*columns).in_(keys)


def _escape(part: str) -> str:
    # As almost all are.
    if part.isalnum() and part.isascii():
        return part
    # Dots are escaped too: browsers resolve “..” before they ask.
    return re.sub(r"[^A-Za-z0-9_:-]", lambda found: _escape_character(found[0]), part) or "~"


def _unescape(part: str) -> str:
    return "" if part == "~" else unquote(part.replace("~", "%"), errors="strict")


def _escape_character(character: str) -> str:
    return "".join(f"~{byte:02X}" for byte in character.encode())
