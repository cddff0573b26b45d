"""Broken texts: what SQLite has as a text although its bytes are not UTF-8."""

import re
import sqlite3
from collections.abc import Sequence
from typing import Any

# What Python's driver says when it meets one.
UNDECODABLE = "Could not decode to UTF-8"


class BrokenText(bytes):
    """The bytes of a text that is not UTF-8."""


def is_undecodable(error: sqlite3.Error) -> bool:
    """Whether a query met a broken text, which `decoded` as text_factory would read."""
    return str(error).startswith(UNDECODABLE)


def decoded(raw: bytes) -> str | BrokenText:
    """Return a text, broken or not; as a text_factory it takes more time than the default."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return BrokenText(raw)


# Any: values of any column.
def bindable(sql: str, parameters: Sequence[Any]) -> tuple[str, Sequence[Any]]:
    """Return a statement that binds broken texts among its parameters as texts."""
    places = [place for place, value in enumerate(parameters) if type(value) is BrokenText]
    if not places:
        return sql, parameters
    # Names and texts in quotes stay as they are.
    parts = re.split(r"""("[^"]*"|'[^']*'|\?)""", sql)
    marks = [number for number, part in enumerate(parts) if part == "?"]
    for place in places:
        parts[marks[place]] = "CAST(? AS TEXT)"
    return "".join(parts), [
        bytes(value) if type(value) is BrokenText else value for value in parameters
    ]
