"""Inputs: how a value of each Python type is typed by a person and written back as text.

`format` is the exact inverse of `parse`: its text stands in forms, in URLs and in cursors.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any
from uuid import UUID

from hero_admin.model.blobs import known_by
from hero_admin.model.dates_and_times import (
    format_datetime,
    format_duration,
    format_time,
    is_utc,
    parse_date,
    parse_datetime,
    parse_duration,
    parse_time,
)
from hero_admin.model.json_values import MAX_NUMBER_CHARACTERS, format_json, jsonable, parse_json
from hero_admin.model.texts import clean_text, plain_text

# A column without a declared precision keeps this many significant digits on every database.
EXACT_DECIMAL_DIGITS = 15


@dataclass(frozen=True)
class Input:
    """One kind of input; `kind` names the control that templates draw for it.

    show: formats a value for reading, where people read something else than they type.
    store: converts a value that a schema has passed to one for the column; raises ValueError.
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
    # Values of some types only the database can make.
    is_editable: bool = True

    @property
    def is_plain_text(self) -> bool:
        """Whether its values are texts, of any kind."""
        return self.parse is clean_text

    def shown(self, value: Any) -> str:
        return self.show(value) if self.show else self.format(value)

    def __call__(self, text: str) -> Any:
        """Return the value of a typed text; raises ValueError with a sentence."""
        return self.parse(text)


def input_of_python(annotation: type, *, is_long: bool = False, is_aware: bool = True) -> Input:
    """Return the input for a plain Python type; `READ_ONLY` for one without a text form.

    `is_long`: a text of several lines. `is_aware`: a datetime is an instant, in UTC.
    """
    if issubclass(annotation, datetime):
        return datetime_input(is_aware=is_aware)
    for python_type, made in _INPUTS.items():
        if issubclass(annotation, python_type):
            return made if not (is_long and made is TEXT) else LONG_TEXT
    return READ_ONLY


def datetime_input(*, is_aware: bool) -> Input:
    """Return the input for datetimes: instants, typed and shown in UTC, or without a zone."""
    parse = partial(parse_datetime, is_aware)
    zone = " UTC" if is_aware else ""
    return Input(
        "datetime",
        parse,
        format_datetime,
        is_range=True,
        show=lambda moment: format_datetime(moment).replace("T", " ") + zone,
    )


def time_input(*, is_aware: bool) -> Input:
    """Return the input for times of day; those of a zone are typed and shown in UTC."""
    parse = partial(parse_time, is_aware)
    return Input(
        "time",
        parse,
        format_time,
        is_range=True,
        show=lambda moment: format_time(moment) + (" UTC" if is_utc(moment, is_aware) else ""),
    )


def _parse_int(text: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        raise ValueError("Enter a whole number.")
    if len(text) > MAX_NUMBER_CHARACTERS:
        raise ValueError("Enter a shorter number.")
    return int(text)


def _parse_float(text: str) -> float:
    if len(text) > MAX_NUMBER_CHARACTERS or not re.fullmatch(
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
    if len(text) > MAX_NUMBER_CHARACTERS or not re.fullmatch(
        r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)", text
    ):
        raise ValueError("Enter a number.")
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError("Enter a number.") from None


def _parse_bool(text: str) -> bool:
    match text.lower():
        case "true" | "yes" | "on" | "1":
            return True
        case "false" | "no" | "off" | "0":
            return False
    raise ValueError("Choose yes or no.")


def _parse_uuid(text: str) -> UUID:
    if not re.fullmatch(r"[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}", text):
        raise ValueError("Enter a UUID like 123e4567-e89b-12d3-a456-426614174000.")
    return UUID(text)


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
DECIMAL = Input("number", _parse_decimal, "{:f}".format, is_range=True)
DATE = Input("date", parse_date, date.isoformat, is_range=True)
DURATION_INPUT = Input("duration", parse_duration, format_duration, is_range=True)
UUID_INPUT = Input("uuid", _parse_uuid)
READ_ONLY = Input("other", _refuse, is_sortable=False, is_editable=False)
# Parsed by the database alone: typed as PostgreSQL writes it.
DATABASE_TEXT = Input("text", clean_text, plain_text)
# A form has the digest; the file itself comes beside it.
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
