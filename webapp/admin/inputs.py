"""Inputs: how a value of each Python type is typed by a person and written back as text.

`format` is the exact inverse of `parse`: its text stands in forms, in URLs and in cursors.
"""

import enum
import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from webapp.admin.schemas import clean_text

# A column without a declared precision keeps this many significant digits on every database.
EXACT_DECIMAL_DIGITS = 15
LONGEST_NUMBER_TEXT = 100
# Far below what Python, pydantic and the databases can follow.
DEEPEST_JSON = 100
TOO_DEEP = "Enter JSON that is not nested so deeply."
TOO_LARGE = "Enter valid JSON; a number in it is too large."
DURATION = re.compile(
    r"(-?)(?:([0-9]{1,6}) ?d(?:ays?)?,? ?)?"
    r"(?:([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}(?:\.[0-9]{1,6})?))?)?"
)


@dataclass(frozen=True)
class Input:
    """One kind of input; `kind` names the control that templates draw for it."""

    kind: str
    # Any: the Python type that this input stands for.
    parse: Callable[[str], Any]
    format: Callable[[Any], str] = str
    is_sortable: bool = True
    is_range: bool = False
    choices: tuple[tuple[str, str], ...] = ()

    def __call__(self, text: str) -> Any:
        """Return the value of a typed text; raises ValueError with a sentence."""
        return self.parse(text)


def input_for(annotation: Any, *, is_long: bool = False, is_aware: bool = True) -> Input:
    """Return the input for a field's annotation, `Optional` taken off.

    `is_long` asks for several lines of text; `is_aware` says that a datetime is an instant, in UTC.
    """
    if isinstance(annotation, type):
        if issubclass(annotation, enum.Enum):
            return _choice_of(annotation)
        if issubclass(annotation, datetime):
            return Input(
                "datetime", partial(_parse_datetime, is_aware), _format_datetime, True, True
            )
        for python_type, made in _INPUTS.items():
            if issubclass(annotation, python_type):
                return made if not (is_long and made is _TEXT) else _LONG_TEXT
    if annotation in (dict, list, Any) or hasattr(annotation, "__origin__"):
        return _JSON
    return Input("text", partial(_parse_other, TypeAdapter(annotation)), is_sortable=False)


def _parse_int(text: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        raise ValueError("Enter a whole number.")
    if len(text) > LONGEST_NUMBER_TEXT:
        raise ValueError("Enter a number that is not so long.")
    return int(text)


def _parse_float(text: str) -> float:
    if len(text) > LONGEST_NUMBER_TEXT or not re.fullmatch(
        r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text
    ):
        raise ValueError("Enter a number.")
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("Enter a number that is not so large.")
    return number


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


def _parse_time(text: str) -> time:
    try:
        return time.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        raise ValueError("Enter a time like 14:30.") from None


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


def _parse_json(text: str) -> Any:
    try:
        value = json.loads(text, parse_constant=_refuse_constant, parse_int=_parse_json_int)
        check_json(value)
    except RecursionError:
        raise ValueError(TOO_DEEP) from None
    except json.JSONDecodeError as error:
        raise ValueError(
            f"Enter valid JSON; line {error.lineno}, column {error.colno} is not."
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
    raise ValueError(f"Enter valid JSON; {name} is not.")


def _format_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _parse_other(adapter: TypeAdapter[Any], text: str) -> Any:
    try:
        return adapter.validate_python(text)
    except ValidationError as error:
        raise ValueError(error.errors()[0]["msg"].removesuffix(".") + ".") from None


def _choice_of(options: type[enum.Enum]) -> Input:
    def parse(text: str) -> enum.Enum:
        try:
            return options[text]
        except KeyError:
            raise ValueError("Choose one of the options.") from None

    names = tuple((option.name, title_of(option)) for option in options)
    return Input("choice", parse, lambda option: str(option.name), choices=names)


def title_of(option: enum.Enum) -> str:
    """Return what people read for an enum's member: “ON_LEAVE” → “On leave”."""
    return option.name.replace("_", " ").capitalize()


_TEXT = Input("text", clean_text)
_LONG_TEXT = Input("long_text", clean_text)
_JSON = Input("json", _parse_json, _format_json, is_sortable=False)
# In the order of isinstance: a bool is an int.
_INPUTS: dict[type, Input] = {
    str: _TEXT,
    bool: Input("bool", _parse_bool, lambda value: "true" if value else "false"),
    int: Input("integer", _parse_int, is_range=True),
    float: Input("number", _parse_float, repr, is_range=True),
    Decimal: Input("number", _parse_decimal, _format_decimal, is_range=True),
    date: Input("date", _parse_date, date.isoformat, is_range=True),
    time: Input("time", _parse_time, time.isoformat, is_range=True),
    timedelta: Input("duration", _parse_timedelta, _format_timedelta, is_range=True),
    UUID: Input("uuid", _parse_uuid),
    dict: _JSON,
    list: _JSON,
}
