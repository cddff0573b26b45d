"""Stored values: what a database holds, exactly, beside what Python makes of it.

Other programs write dates in another spelling, texts into columns of numbers, and what no Python
type can be. All of that is shown, kept where nobody touches it, and found again by a cursor or key.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from hero_admin.database.broken_texts import BrokenText

MIN_INTEGER, MAX_INTEGER = -(2**63), 2**63 - 1
_UNREADABLE = object()


class Unbindable(ValueError):
    """A value that no column of its kind can hold, so there is nothing like it."""


@dataclass(frozen=True, eq=False)
class Stored:
    """A value as the driver has it, where storing what Python reads would change it.

    `raw` is a text, number, boolean or bytes. `value` is what Python reads, if it can.
    """

    raw: Any
    value: Any = _UNREADABLE

    @property
    def is_readable(self) -> bool:
        return self.value is not _UNREADABLE

    @property
    def text(self) -> str:
        """What people see of a value that cannot be read."""
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

    # 1, 1.0 and True are three values here, and one that is no number equals itself.
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stored) and self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)

    @property
    def _identity(self) -> tuple[type, str]:
        return type(self.raw), repr(self.raw)


# Any: JSON values.
class KeyList(list[Any]):
    """A list that can be a part of a key, as any type can be on PostgreSQL."""

    def __hash__(self) -> int:  # type: ignore[override]  # lists have none
        return _hash_of(self)


# Any: JSON values.
class KeyObject(dict[str, Any]):
    """An object that can be a part of a key."""

    def __hash__(self) -> int:  # type: ignore[override]  # dicts have none
        return _hash_of(self)


def hashable(value: Any) -> Any:
    """Return an equal value that can be looked up; nobody changes it afterwards."""
    if type(value) is list:
        return KeyList(value)
    return KeyObject(value) if type(value) is dict else value


def is_storable(number: int) -> bool:
    """Whether both drivers take a whole number."""
    return MIN_INTEGER <= number <= MAX_INTEGER


def is_unreadable(value: Any) -> bool:
    """Whether a value of a record is one that its column's type cannot read."""
    return isinstance(value, Stored) and not value.is_readable


def plain(value: Any) -> Any:
    """Return the Python value, or `Stored` where there is none."""
    return value.value if isinstance(value, Stored) and value.is_readable else value


def readable(value: Any) -> Any:
    """Return the Python value, or a text where there is none."""
    value = plain(value)
    return value.text if isinstance(value, Stored) else value


def comparable(value: Any) -> Any:
    """Return what is the same for values that a database may hold for the same.

    Columns that point at each other may differ in type, in case and in spaces at the end.
    """
    value = readable(value)
    match value:
        case None:
            return None
        case int() | float() | Decimal() if math.isfinite(value) and value == int(value):
            return str(int(value))
    return str(value).rstrip(" ").casefold()


# Any: JSON values, and what drivers have.
def packed(raw: Any) -> Any:
    """Return a driver's value as JSON, from which `unpacked` makes the very same one."""
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
    """Return the driver's value. Raises ValueError for what is none."""
    match value:
        case bool() | int() | str():
            return value
        case dict() if len(value) == 1:
            ((name, text),) = value.items()
            if name in _UNPACKED and isinstance(text, str):
                return _UNPACKED[name](text)
    raise ValueError("not a stored value")


def _hash_of(value: Any) -> int:
    """Return the same number for equal values, such as 1 and 1.0, on every level."""
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
    "decimal": Decimal,
    "uuid": UUID,
}
