"""PostgreSQL texts: the text form of values that asyncpg does not convert without loss.

For asyncpg one date before Christ fails a whole statement, and 24 hours are 1 day.
"""

import json
import re
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from sqlalchemy import ARRAY, JSON, Boolean, Date, DateTime, Integer, Numeric, Time, Uuid
from sqlalchemy.dialects.postgresql import HSTORE, INTERVAL
from sqlalchemy.types import Float, LargeBinary, String, TypeEngine

from hero_admin.model.storable import unwrapped_type

INTERVAL_TEXT = re.compile(
    r"(?:(-?[0-9]+) days?)? ?(?:([+-]?)([0-9]+):([0-9]{2}):([0-9]{2}(?:\.[0-9]{1,6})?))?"
)
ARRAY_TOKEN = re.compile(r'[{},]|"((?:[^"\\]|\\.)*)"|((?:[^{},"\\]|\\.)+)', re.DOTALL)

# Any: the driver's values of any type.
Decode = Callable[[str], Any]


def is_carried(kind: TypeEngine[Any]) -> bool:
    """Whether asyncpg converts every value of a type without loss."""
    exact = (Integer, Boolean, Float, String, Uuid, LargeBinary)
    return isinstance(kind, exact)


def decoder_of(kind: TypeEngine[Any]) -> Decode | None:
    """Return the function from a text to the driver's value; None for types that stay texts.

    The function raises ValueError where Python has no such value.
    """
    if isinstance(kind, ARRAY):
        return _array_decoder(kind.item_type)
    for known, decode in _DECODERS.items():
        if isinstance(kind, known):
            return decode
    return None


def encoded(value: Any) -> str:
    """Return the text of a driver's value."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return interval_text(value)
        case bytes():
            return f"\\x{value.hex()}"
        case list() | tuple():
            return "{" + ",".join(map(_encoded_item, value)) + "}"
    return str(value)


def interval_text(duration: timedelta) -> str:
    """Return a duration as PostgreSQL writes it, with the same number of days."""
    days, rest = duration.days, duration - timedelta(days=duration.days)
    parts = []
    if days:
        parts.append(f"{days} day{'s'[: days != 1]}")
    if rest or not days:
        seconds = rest.seconds
        fraction = f".{rest.microseconds:06}".rstrip("0") if rest.microseconds else ""
        sign = "+" if days < 0 else ""
        clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        parts.append(f"{sign}{clock}{fraction}")
    return " ".join(parts)


def _interval(text: str) -> timedelta:
    found = INTERVAL_TEXT.fullmatch(text)
    if not found:
        # The length of a month varies.
        raise ValueError(text)
    days, sign, hours, minutes, seconds = found.groups()
    clock = timedelta()
    if hours:
        microseconds = int(Decimal(seconds) * 1_000_000)
        clock = timedelta(hours=int(hours), minutes=int(minutes), microseconds=microseconds)
    try:
        return timedelta(days=int(days or 0)) + (-clock if sign == "-" else clock)
    except OverflowError:
        raise ValueError(text) from None


def _refuse(name: str) -> None:
    raise ValueError(name)


_DECODERS: dict[type[TypeEngine[Any]], Decode] = {
    Date: date.fromisoformat,
    DateTime: datetime.fromisoformat,
    Time: time.fromisoformat,
    INTERVAL: _interval,
    Float: float,
    Numeric: Decimal,
    JSON: partial(json.loads, parse_constant=_refuse),
    Boolean: lambda text: text == "t",
    Integer: int,
    String: str,
    HSTORE: str,
}


def _array_decoder(item: TypeEngine[Any]) -> Decode:
    decode = decoder_of(unwrapped_type(item)) or str

    def decoded(text: str) -> Any:
        if not text.startswith("{"):
            # Its lower bound is not 1, as that of a Python list.
            raise ValueError(text)
        tokens = _tokens(text)
        next(tokens)
        value = _items(tokens, decode)
        if next(tokens, None) is not None:
            raise ValueError(text)
        return value

    return decoded


# A token and whether it was quoted.
Token = tuple[str, bool]


def _tokens(text: str) -> Iterator[Token]:
    for found in ARRAY_TOKEN.finditer(text):
        quoted, plain = found.groups()
        if quoted is not None:
            yield re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL), True
        elif plain is not None:
            yield plain, False
        else:
            yield found[0], False


def _items(tokens: Iterator[Token], decode: Decode) -> list[Any]:
    items: list[Any] = []
    for token, is_quoted in tokens:
        if is_quoted:
            items.append(decode(token))
        elif token == "{":  # noqa: S105 - a brace
            items.append(_items(tokens, decode))
        elif token == "}":  # noqa: S105 - the other one
            return items
        elif token != ",":  # noqa: S105 - what stands between
            items.append(None if token.upper() == "NULL" else decode(token))
    raise ValueError("an array without an end")


def _encoded_item(item: Any) -> str:
    if item is None:
        return "NULL"
    text = encoded(item)
    if isinstance(item, list | tuple):
        return text
    if not isinstance(item, str | bytes | datetime | timedelta) and re.fullmatch(
        r"[A-Za-z0-9.:+-]+", text
    ):
        return text
    if text and text.upper() != "NULL" and not re.search(r'[{}",\\\s]', text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
