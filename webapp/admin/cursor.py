"""Cursors: a place in a sorted list, as one opaque URL parameter."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Any

from webapp.admin.fields import Field

LONGEST_CURSOR_CHARACTERS = 20_000


@dataclass(frozen=True)
class Cursor:
    """The row at a page's edge: the value it is sorted by and its primary key.

    `position` is the row's place in the list, from 1, as far as it was known; 0 says it was not.
    `link` is what the row points at, in a list sorted by titles: two may have the same one.
    A cursor without a key stands before the first row that has the value, or the next.
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
    """Return the URL parameter for a cursor; `link_field` is the relation of a list by titles."""
    value = None if cursor.value is None else sort_field.input.format(cursor.value)
    key = [field.input.format(part) for field, part in zip(key_fields, cursor.key, strict=True)]
    parts: list[Any] = [cursor.sort, value, key, cursor.position]
    if link_field is not None:
        parts.append(None if cursor.link is None else link_field.input.format(cursor.link))
    packed = json.dumps(parts, separators=(",", ":"))
    return urlsafe_b64encode(packed.encode()).decode().rstrip("=")


def parse_cursor(
    text: str,
    sort: str,
    sort_field: Field,
    key_fields: tuple[Field, ...],
    link_field: Field | None = None,
) -> Cursor | None:
    """Return the cursor that `text` stands for, or None if it is none of this sort order."""
    if len(text) > LONGEST_CURSOR_CHARACTERS:
        return None
    try:
        packed = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        found_sort, value_text, key_texts, position, *rest = json.loads(packed)
        if found_sort != sort or type(position) is not int or not 0 <= position < 2**53:
            return None
        value = None if value_text is None else sort_field.clean(sort_field.input(value_text))
        link = None
        if link_field is not None:
            (link_text,) = rest
            link = None if link_text is None else link_field.clean(link_field.input(link_text))
        if (rest and link_field is None) or (link_field and link is None and value is not None):
            return None
        key = tuple(
            field.clean(field.input(part))
            for field, part in zip(key_fields, key_texts, strict=True)
        )
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
    return Cursor(sort, value, key, position, link)
