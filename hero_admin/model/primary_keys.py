"""Primary keys: the key of a record as one segment of a URL."""

import json
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

from sqlalchemy import ColumnElement, Integer, String, and_, false, or_, tuple_

from hero_admin.model.fields import Field
from hero_admin.model.resource import Record, Resource
from hero_admin.model.serialization import STORED, recorded, restored
from hero_admin.model.storable import unwrapped_type
from hero_admin.model.stored_values import Stored, hashable, packed

# URL segments that are no keys; a text key that equals one is escaped.
RESERVED = frozenset({"new", "change", "delete", "options", "total", "none", "actions"})
LONGEST_KEY_CHARACTERS = 2000
# The prefix of a part that is the driver's value as JSON.
DRIVERS_OWN = "~~"

# The values of a primary key, in the order of `Resource.key`.
Key = tuple[Any, ...]


def key_text(resource: Resource, values: Key) -> str:
    """Return the URL segment for primary key `values`, in the order of `resource.key`."""
    # Most keys.
    if len(values) == 1 and type(values[0]) is int:
        return str(values[0])
    text = ",".join(map(_part_text, resource.key, values))
    return _escape_character(text[0]) + text[1:] if text in RESERVED else text


def key_of(resource: Resource, record: Record) -> str:
    """Return the URL segment of a record."""
    return key_text(resource, key_values(resource, record))


def key_values(resource: Resource, record: Record) -> Key:
    return tuple(hashable(record[field.name]) for field in resource.key)


def parse_key(resource: Resource, text: str) -> Key | None:
    """Return the primary key of a URL segment, None if it is not valid.

    Each key has one spelling, so “007”, “+7” and “٧” are invalid.
    """
    parts = text.split(",")
    if len(text) > LONGEST_KEY_CHARACTERS or len(parts) != len(resource.key):
        return None
    try:
        values = tuple(map(_part_of, resource.key, parts))
        return values if key_text(resource, values) == text else None
    except (ValueError, OverflowError):
        return None


def key_predicate(resource: Resource, keys: Sequence[Key]) -> ColumnElement[bool]:
    """Return the predicate that a row is one of these records."""
    return is_any_of(resource.key, keys)


def is_any_of(fields: Sequence[Field], keys: Sequence[Key]) -> ColumnElement[bool]:
    """Return the predicate that fields of a row have one of these combinations of values."""
    if not keys:
        # SQLAlchemy cannot compile an empty list whose values are cast.
        return false()
    columns = [field.exact for field in fields]
    if len(columns) == 1:
        return columns[0].in_([key[0] for key in keys])
    if all(isinstance(unwrapped_type(field.column.type), Integer | String) for field in fields):
        return tuple_(*columns).in_(keys)
    # Some types need a cast, which a list of tuples cannot have.
    each = [
        and_(*(column == value for column, value in zip(columns, key, strict=True))) for key in keys
    ]
    # In groups, as SQLite limits the depth of expressions.
    groups = [or_(*each[start : start + 50]).self_group() for start in range(0, len(each), 50)]
    return or_(false(), *groups)


def _part_text(field: Field, value: Any) -> str:
    if isinstance(value, Stored):
        return DRIVERS_OWN + _escape(json.dumps(packed(value.raw), separators=(",", ":")))
    # Serialized, as 1.5 and 1.50 are one key.
    text = recorded(field, value)
    return _escape(text if isinstance(text, str) else field.input.format(value))


def _part_of(field: Field, text: str) -> Any:
    if text.startswith(DRIVERS_OWN):
        return restored(field, {STORED: json.loads(_unescape(text.removeprefix(DRIVERS_OWN)))})
    return restored(field, _unescape(text))


def _escape(part: str) -> str:
    # Almost always.
    if part.isalnum() and part.isascii():
        return part
    # Dots are escaped too: browsers resolve “..”.
    return re.sub(r"[^A-Za-z0-9_:-]", lambda found: _escape_character(found[0]), part) or "~"


def _unescape(part: str) -> str:
    return "" if part == "~" else unquote(part.replace("~", "%"), errors="strict")


def _escape_character(character: str) -> str:
    return "".join(f"~{byte:02X}" for byte in character.encode())
