"""Cursors: a position in a sorted list, as one opaque URL parameter."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Any

from hero_admin.model.fields import Field
from hero_admin.model.serialization import recorded, restored

MAX_CURSOR_CHARACTERS = 20_000
# In place of a cursor: the end of the list.
END = "end"
_ENCODER = json.JSONEncoder(separators=(",", ":"))


@dataclass(frozen=True)
class Cursor:
    """The row at the edge of a page: its sort value and primary key.

    position: the number of the row in the list, from 1; 0 if unknown.
    link: the value of the relation, in a list sorted by titles, as two records may have one title.
    A cursor without a key is the position before the first row with that value or a later one.
    """

    sort: str
    value: Any
    key: tuple[Any, ...]
    position: int = 0
    link: Any = None


def cursor_text(
    cursor: Cursor,
    sort_field: Field,
    key_fields: tuple[Field, ...],
    link_field: Field | None = None,
) -> str:
    """Return the URL parameter of a cursor; `link_field` is the relation in a list by titles."""
    key = list(map(recorded, key_fields, cursor.key))
    parts: list[Any] = [cursor.sort, recorded(sort_field, cursor.value), key, cursor.position]
    if link_field is not None:
        parts.append(recorded(link_field, cursor.link))
    packed = _ENCODER.encode(parts)
    return urlsafe_b64encode(packed.encode()).decode().rstrip("=")


def parse_cursor(
    text: str,
    sort: str,
    sort_field: Field,
    key_fields: tuple[Field, ...],
    link_field: Field | None = None,
) -> Cursor | None:
    """Return the cursor of a URL parameter, None if it is invalid or of another sort."""
    if len(text) > MAX_CURSOR_CHARACTERS:
        return None
    try:
        packed = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        found_sort, found_value, found_key, position, *rest = json.loads(packed)
        if found_sort != sort or type(position) is not int or not 0 <= position < 2**53:
            return None
        value, link = _restored(sort_field, found_value), None
        if link_field is not None:
            (found_link,) = rest
            link = _restored(link_field, found_link)
        if (rest and link_field is None) or (link_field and link is None and value is not None):
            return None
        if type(found_key) is not list or None in found_key:
            return None
        key = tuple(
            _restored(field, part) for field, part in zip(key_fields, found_key, strict=True)
        )
    except (ValueError, TypeError, AttributeError, RecursionError, OverflowError):
        return None
    return Cursor(sort, value, key, position, link)


# Any: JSON, and the value of any field.
def _restored(field: Field, record: Any) -> Any:
    if record is not None and not isinstance(record, str | dict):
        raise TypeError
    if isinstance(record, str):
        record.encode()
    return restored(field, record)
