"""Inputs: how a value of each Python type is typed by a person and written back as text.

`format` is the exact inverse of `parse`: its text stands in forms, in URLs and in cursors.
"""

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any
from uuid import UUID

from pydantic_core import PydanticSerializationError, to_jsonable_python

from hero_admin.model.blobs import known_by
from hero_admin.model.schemas import clean_text, plain_text

# A column without a declared precision keeps this many significant digits on every database.
EXACT_DECIMAL_DIGITS = 15
LONGEST_NUMBER_TEXT = 100
# Far below what Python, pydantic and the databases can follow.
DEEPEST_JSON = 100
TOO_DEEP = "Enter JSON that is less deeply nested."
TOO_LARGE = "Enter valid JSON: a number is too large."
DURATION = re.compile(
    r"(-?)(?:([0-9]{1,6}) ?d(?:ays?)?,? ?)?"
    r"(?:([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}(?:\.[0-9]{1,6})?))?)?"
)


@dataclass(frozen=True)
class Input:
    """One kind of input; `kind` names the control that templates draw for it.

    show: what people read for a value, where that is not what they type.
    store: makes the value that a column takes of one that a schema has let pass; raises ValueError.
    """

    kind: str
    # Any: the Python type that this input stands for.
    parse: Callable[[str], Any]
    format: Callable[[Any], str] = str
    is_sortable: bool = True
    is_range: bool = False
    choices: tuple[tuple[str, str], ...] = ()
    show: Callable[[Any], str] | None = None
    store: Callable[[Any], Any] | None = None
    # Of some types only the database, or whoever wrote it, knows how a value is made.
    is_editable: bool = True

    @property
    def is_plain_text(self) -> bool:
        """Whether its values are texts, of any kind."""
        return self.parse is clean_text

    def shown(self, value: Any) -> str:
        """Return what people read for a value."""
        return self.show(value) if self.show else self.format(value)

    def __call__(self, text: str) -> Any:
        """Return the value of a typed text; raises ValueError with a sentence."""
        return self.parse(text)


def input_of_python(annotation: type, *, is_long: bool = False, is_aware: bool = True) -> Input:
    """Return the input for a plain Python type; `READ_ONLY` for one that nobody can type.

    `is_long` asks for several lines of text; `is_aware` says that a datetime is an instant, in UTC.
    """
    if issubclass(annotation, datetime):
        return datetime_input(is_aware=is_aware)
    for python_type, made in _INPUTS.items():
        if issubclass(annotation, python_type):
            return made if not (is_long and made is TEXT) else LONG_TEXT
    return READ_ONLY


def datetime_input(*, is_aware: bool) -> Input:
    """Return the input for moments: instants, typed and shown in UTC, or readings of a clock."""
    parse = partial(_parse_datetime, is_aware)
    zone = " UTC" if is_aware else ""
    return Input(
        "datetime",
        parse,
        _format_datetime,
        is_range=True,
        show=lambda moment: _format_datetime(moment).replace("T", " ") + zone,
    )


def time_input(*, is_aware: bool) -> Input:
    """Return the input for times of day; those of a zone are typed and shown in UTC."""
    parse = partial(_parse_time, is_aware)
    return Input(
        "time",
        parse,
        _format_time,
        is_range=True,
        show=lambda moment: _format_time(moment) + (" UTC" if _is_utc(moment, is_aware) else ""),
    )


def _parse_int(text: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        raise ValueError("Enter a whole number.")
    if len(text) > LONGEST_NUMBER_TEXT:
        raise ValueError("Enter a shorter number.")
    return int(text)


def _parse_float(text: str) -> float:
    if len(text) > LONGEST_NUMBER_TEXT or not re.fullmatch(
        r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text
    ):
        raise ValueError("Enter a number.")
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("Enter a smaller number.")
    return number


def _as_float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        raise ValueError("Enter a smaller number.") from None


def _parse_decimal(text: str) -> Decimal:
    if len(text) > LONGEST_NUMBER_TEXT or not re.fullmatch(
        r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)", text
    ):
        raise ValueError("Enter a number.")
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError("Enter a number.") from None


def _format_decimal(number: Decimal) -> str:
    return f"{number:f}"


def _parse_bool(text: str) -> bool:
    match text.lower():
        case "true" | "yes" | "on" | "1":
            return True
        case "false" | "no" | "off" | "0":
            return False
    raise ValueError("Choose yes or no.")


def _parse_date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError("Enter a date like 2026-11-23.") from None


def _parse_time(is_aware: bool, text: str) -> time:
    try:
        return time_in_zone(time.fromisoformat(text), is_aware)
    except ValueError:
        raise ValueError("Enter a time like 14:30.") from None


def time_in_zone(moment: time, is_aware: bool) -> time:
    """Return a time of day in UTC, or without any zone, as its column keeps it."""
    offset = moment.utcoffset() if is_aware else None
    if offset:
        # Any day will do: only the time of it is wanted.
        moment = (datetime.combine(date(2000, 1, 2), moment) - offset).time()
    return moment.replace(tzinfo=UTC if is_aware else None)


def _is_utc(moment: time, is_aware: bool) -> bool:
    # SQLite keeps no zone.
    return is_aware and not moment.utcoffset()


def _format_time(moment: time) -> str:
    # As <input type="time"> takes it; another zone than UTC is no typed value.
    return (moment.replace(tzinfo=None) if not moment.utcoffset() else moment).isoformat()


def _parse_datetime(is_aware: bool, text: str) -> datetime:
    try:
        return in_zone(datetime.fromisoformat(text), is_aware)
    except (ValueError, OverflowError):
        raise ValueError("Enter a date and time like 2026-11-23 14:30.") from None


def in_zone(moment: datetime, is_aware: bool) -> datetime:
    """Return `moment` as its column keeps it: an instant in UTC, or the bare reading of a clock."""
    if is_aware:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _format_datetime(moment: datetime) -> str:
    # What <input type="datetime-local"> takes; an instant is shown, and read back, in UTC.
    return moment.replace(tzinfo=None).isoformat(
        timespec="microseconds" if moment.microsecond else "seconds"
    )


def _parse_timedelta(text: str) -> timedelta:
    found = DURATION.fullmatch(text)
    if not found or not (found[2] or found[3]):
        raise ValueError("Enter a duration like 3 days 04:30:00.")
    duration = timedelta(
        days=int(found[2] or 0), hours=int(found[3] or 0), minutes=int(found[4] or 0)
    ) + timedelta(microseconds=int(Decimal(found[5] or 0) * 1_000_000))
    return -duration if found[1] else duration


def _format_timedelta(duration: timedelta) -> str:
    sign = "-" if duration < timedelta(0) else ""
    duration = abs(duration)
    minutes, seconds = divmod(duration.seconds, 60)
    days = f"{duration.days} day{'s'[: duration.days != 1]} " if duration.days else ""
    fraction = f".{duration.microseconds:06}" if duration.microseconds else ""
    return f"{sign}{days}{minutes // 60:02}:{minutes % 60:02}:{seconds:02}{fraction}"


def _parse_uuid(text: str) -> UUID:
    if not re.fullmatch(r"[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}", text):
        raise ValueError("Enter a UUID like 123e4567-e89b-12d3-a456-426614174000.")
    return UUID(text)


def parse_json(text: str) -> Any:
    try:
        value = json.loads(text, parse_constant=_refuse_constant, parse_int=_parse_json_int)
        check_json(value)
    except RecursionError:
        raise ValueError(TOO_DEEP) from None
    except json.JSONDecodeError as error:
        raise ValueError(
            f"Enter valid JSON: error at line {error.lineno}, column {error.colno}."
        ) from None
    return value


def check_json(value: Any, depth: int = 0) -> None:
    """Raise ValueError with a sentence for JSON that could not be stored and read again."""
    if depth > DEEPEST_JSON:
        raise ValueError(TOO_DEEP)
    match value:
        case str():
            clean_text(value)
        case float() if not math.isfinite(value):
            raise ValueError(TOO_LARGE)
        case dict():
            for name, inner in value.items():
                clean_text(name)
                check_json(inner, depth + 1)
        case list():
            for inner in value:
                check_json(inner, depth + 1)


def _parse_json_int(digits: str) -> int:
    if len(digits) > LONGEST_NUMBER_TEXT:
        raise ValueError(TOO_LARGE)
    return int(digits)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"Enter valid JSON: {name} isn't allowed.")


def format_json(value: Any) -> str:
    """Return the text of a JSON value. Raises ValueError for a number that JSON does not know."""
    return json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False)


def jsonable(value: Any) -> Any:
    """Return a value as JSON has it; raises ValueError with a sentence for what it has not."""
    try:
        value = to_jsonable_python(value)
    except (PydanticSerializationError, ValueError):
        raise ValueError("Enter valid JSON.") from None
    check_json(value)
    return value


def _parse_hexadecimal(text: str) -> bytes:
    if not re.fullmatch(r"([0-9a-fA-F]{2})*", text):
        raise ValueError("Enter pairs of hexadecimal digits, like 0a1b.")
    return bytes.fromhex(text)


def _refuse(_: str) -> Any:
    raise ValueError("This value can't be typed here.")


TEXT = Input("text", clean_text, plain_text)
LONG_TEXT = Input("long_text", clean_text, plain_text)
JSON = Input("json", parse_json, format_json, is_sortable=False, store=jsonable)
BOOL = Input(
    "bool",
    _parse_bool,
    lambda value: "true" if value else "false",
    show=lambda value: "Yes" if value else "No",
)
INTEGER = Input("integer", _parse_int, is_range=True)
FLOAT = Input("number", _parse_float, repr, is_range=True, store=_as_float)
DECIMAL = Input("number", _parse_decimal, _format_decimal, is_range=True)
DATE = Input("date", _parse_date, date.isoformat, is_range=True)
DURATION_INPUT = Input("duration", _parse_timedelta, _format_timedelta, is_range=True)
UUID_INPUT = Input("uuid", _parse_uuid)
READ_ONLY = Input("other", _refuse, is_sortable=False, is_editable=False)
# What only the database reads: it is typed as PostgreSQL writes it.
DATABASE_TEXT = Input("text", clean_text, plain_text)
# What stands in a form is a digest; the file itself comes beside it.
BYTES = Input("bytes", known_by, lambda blob: blob.digest, is_sortable=False, show=str)
PICKLED = replace(BYTES, parse=_refuse, is_editable=False)
HEXADECIMAL = Input("hexadecimal", _parse_hexadecimal, lambda data: bytes(data).hex())
# In the order of isinstance: a bool is an int.
_INPUTS: dict[type, Input] = {
    str: TEXT,
    bool: BOOL,
    int: INTEGER,
    float: FLOAT,
    Decimal: DECIMAL,
    date: DATE,
    time: time_input(is_aware=False),
    timedelta: DURATION_INPUT,
    UUID: UUID_INPUT,
    dict: JSON,
    list: JSON,
}
