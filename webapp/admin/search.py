"""Search: what a person typed, looked for as it stands; case and accents do not matter."""

from collections.abc import Iterable

from sqlalchemy import ColumnElement, String, false, func, or_

from webapp.admin.fields import Field
from webapp.folding import fold

# SQLite refuses longer patterns, and no text that people search for is longer.
LONGEST_NEEDLE_BYTES = 40_000


def matches(column: ColumnElement[str], text: str) -> ColumnElement[bool]:
    """Return the condition that `column` contains `text`; `%` and `_` are characters."""
    needle = fold(text)
    escapes = sum(map(needle.count, "%_/"))
    if "\0" in needle or len(needle.encode()) + escapes > LONGEST_NEEDLE_BYTES:
        return false()
    return func.fold(column, type_=String).contains(needle, autoescape=True)


def matches_any(fields: Iterable[Field], text: str) -> ColumnElement[bool]:
    """Return the condition that one of the text fields contains `text`."""
    return or_(false(), *(matches(field.column, text) for field in fields))


def begins_in_any(fields: Iterable[Field], text: str) -> ColumnElement[bool]:
    """Return the condition that a word of one of the text fields begins with `text`."""
    found: list[ColumnElement[bool]] = [false()]
    for field in fields:
        folded, needle = func.fold(field.column, type_=String), fold(text)
        found.append(folded.startswith(needle, autoescape=True))
        found.append(folded.contains(f" {needle}", autoescape=True))
    return or_(*found)
