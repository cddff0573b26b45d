"""Stored values: values as the database holds them, where Python's would lose something.

Other programs write dates in another spelling, texts into columns of numbers, and values that no
Python type has. All are shown, stay unchanged, and are found again by a cursor or key.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from hero_admin.database.broken_texts import BrokenText

MIN_INTEGER, MAX_INTEGER = -(2**63), 2**63 - 1
# Before and after the point: https://www.postgresql.org/docs/current/datatype-numeric.html
MAX_WHOLE_DIGITS, MAX_PLACES = 131_072, 16_383
_UNREADABLE = object()


class Unbindable(ValueError):
    """A value that no column of its type can hold, so that no row matches it."""


@dataclass(frozen=True, eq=False)
class Stored:
    """A value of the driver that storing the Python value would change.

    raw: a text, number, boolean or bytes. value: the Python value, if there is one.
    """

    raw: Any
    value: Any = _UNREADABLE

    @property
    def is_readable(self) -> bool:
        return self.value is not _UNREADABLE

    @property
    def text(self) -> str:
        """The text of an unreadable value for people."""
        match self.raw:
            case BrokenText():
                return self.raw.decode(errors="replace")
            case bytes():
                return f"x'{self.raw.hex()}'"
            case bool():
                return "true" if self.raw else "false"
        return str(self.raw)

    def __str__(self) -> str:
        return self.text if self.value is _UNREADABLE else str(self.value)

    # 1, 1.0 and True differ here, and NaN equals itself.
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stored) and self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)

    @property
    def _identity(self) -> tuple[type, str]:
        return type(self.raw), repr(self.raw)


# Any: JSON values.
class KeyList(list[Any]):
    """A hashable list: on PostgreSQL, JSON can be a part of a key."""

    def __hash__(self) -> int:  # type: ignore[override]  # lists have none
        return _hash_of(self)


# Any: JSON values.
class KeyObject(dict[str, Any]):
    """A hashable object."""

    def __hash__(self) -> int:  # type: ignore[override]  # dicts have none
        return _hash_of(self)


def hashable(value: Any) -> Any:
    """Return an equal value that is hashable, and must not be changed."""
    if type(value) is list:
        return KeyList(value)
    return KeyObject(value) if type(value) is dict else value


def is_storable(number: int) -> bool:
    """Whether both drivers take an integer: it has at most 64 bits."""
    return MIN_INTEGER <= number <= MAX_INTEGER


def is_unreadable(value: Any) -> bool:
    """Whether a value is one that its column's type cannot read."""
    return isinstance(value, Stored) and not value.is_readable


def plain(value: Any) -> Any:
    """Return the Python value, or the `Stored` one that is unreadable."""
    return value.value if isinstance(value, Stored) and value.is_readable else value


def readable(value: Any) -> Any:
    """Return the Python value, or the text of an unreadable one."""
    value = plain(value)
    return value.text if isinstance(value, Stored) else value


def comparable(value: Any) -> Any:
    """Return the same text for all values that a foreign key may treat as equal.

    Its columns may differ in type, in case and in trailing spaces.
    """
    value = readable(value)
    match value:
        case None:
            return None
        case int() | float() | Decimal() if math.isfinite(value) and value == int(value):
            return str(int(value))
    return str(value).rstrip(" ").casefold()


# Any: JSON values, and those of drivers.
def packed(raw: Any) -> Any:
    """Return a driver's value as JSON, which `unpacked` reverses."""
    match raw:
        case float():
            return {"float": repr(raw)}
        case BrokenText():
            return {"text": raw.hex()}
        case bytes():
            return {"bytes": raw.hex()}
        case Decimal():
            return {"decimal": str(raw)}
        case UUID():
            return {"uuid": str(raw)}
    return raw


def unpacked(value: Any) -> Any:
    """Return the driver's value of packed JSON; raises ValueError for any other."""
    match value:
        case bool() | int() | str():
            return value
        case dict() if len(value) == 1:
            ((name, text),) = value.items()
            if name in _UNPACKED and isinstance(text, str):
                return _UNPACKED[name](text)
    raise ValueError("not a stored value")


def _decimal(text: str) -> Decimal:
    """Return a decimal that a database can hold; others may have a billion digits."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError("not a number") from None
    if number.is_snan():
        raise ValueError("not a stored value")
    exponent = number.as_tuple().exponent
    # One that is not finite has a letter.
    if isinstance(exponent, int) and not (
        number.adjusted() < MAX_WHOLE_DIGITS and exponent >= -MAX_PLACES
    ):
        raise ValueError("not a stored value")
    return number


def _hash_of(value: Any) -> int:
    """Return the hash of a JSON value, equal for equal values at every level."""
    match value:
        case list():
            return hash(tuple(map(_hash_of, value)))
        case dict():
            return hash(frozenset((name, _hash_of(each)) for name, each in value.items()))
    return hash(value)


_UNPACKED: dict[str, Callable[[str], Any]] = {
    "float": float,
    "text": lambda text: BrokenText(bytes.fromhex(text)),
    "bytes": bytes.fromhex,
    "decimal": _decimal,
    "uuid": UUID,
}
