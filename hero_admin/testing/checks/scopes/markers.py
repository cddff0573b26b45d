"""Markers: values that nothing else contains, by which a record is known wherever it is shown."""

import json
import secrets
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from hero_admin.model.fields import Field

# A marker begins with this and a word, for which pages can be searched without naming it.
PREFIX = "zq"
WORD_CHARACTERS = 6


@dataclass(frozen=True)
class Marker:
    """A value as the API takes it, as its text is typed, and the texts by which it is known."""

    # Any: JSON.
    sent: Any
    typed: str
    texts: tuple[str, ...]


def new_word() -> str:
    """Return what the markers of a record begin with."""
    return f"{PREFIX}{secrets.token_hex(8)}"[: len(PREFIX) + WORD_CHARACTERS]


def markers_of(field: Field, word: str) -> Iterable[Marker]:
    """Return markers for a field, none if its values are few; the first that is taken will do."""
    make = _MARKERS.get(field.input.kind)
    return make(word) if make else ()


def _words(word: str) -> list[str]:
    marker = f"{word}{secrets.token_hex(4)}"
    return [marker, f"{marker}@example.com", f"https://example.com/{marker}"]


def _texts(word: str) -> list[Marker]:
    return [Marker(text, text, (text,)) for text in _words(word)]


def _numbers(_: str) -> list[Marker]:
    # So long that no token has it by chance.
    number = (secrets.randbelow(89_999) + 10_000) * 1_000 + 777
    return [Marker(number, str(number), (str(number), f"{number:,}"))]


def _dates(_: str) -> list[Marker]:
    # Nothing else is of the eighteenth century.
    day = f"17{secrets.randbelow(89) + 10}-0{secrets.randbelow(9) + 1}-{secrets.randbelow(18) + 10}"
    return [Marker(day, day, (day,))]


def _moments(word: str) -> list[Marker]:
    [day] = _dates(word)
    moments = [f"{day.typed}T03:14:15", f"{day.typed}T03:14:15Z"]
    return [Marker(moment, moment, day.texts) for moment in moments]


def _times(_: str) -> list[Marker]:
    seconds = _seconds()
    return [Marker(f"03:14:{seconds}", f"03:14:{seconds}", (seconds,))]


def _durations(_: str) -> list[Marker]:
    seconds = _seconds()
    return [Marker(f"PT{seconds}S", f"00:00:{seconds}", (seconds,))]


def _seconds() -> str:
    # Without a zero at the end, which some write and others don't.
    return f"15.{secrets.randbelow(89_999) + 10_000}7"


def _uuids(_: str) -> list[Marker]:
    made = uuid4()
    return [Marker(str(made), str(made), (str(made), made.hex))]


def _documents(word: str) -> list[Marker]:
    text = _words(word)[0]
    return [Marker({"marker": text}, json.dumps({"marker": text}), (text,))]


def _files(word: str) -> list[Marker]:
    text = _words(word)[0]
    encoded = b64encode(text.encode()).decode()
    return [Marker(encoded, text, (text, encoded))]


# By the kind of an input.
_MARKERS: Mapping[str, Callable[[str], list[Marker]]] = {
    "text": _texts,
    "long_text": _texts,
    "integer": _numbers,
    "number": _numbers,
    "date": _dates,
    "datetime": _moments,
    "time": _times,
    "duration": _durations,
    "uuid": _uuids,
    "json": _documents,
    "bytes": _files,
}
