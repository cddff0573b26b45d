"""Exact values: the Python value of what a driver gives, and whether nothing is lost by it."""

import math
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.types import Numeric, TypeEngine

from hero_admin.model.dates_and_times import in_zone
from hero_admin.model.inputs import Input
from hero_admin.model.json_values import check_json
from hero_admin.model.storable import is_aware
from hero_admin.model.stored_values import hashable, is_storable

# Kinds of input whose texts always give the same value back.
EXACT_KINDS = frozenset({"integer", "bool", "date", "datetime", "uuid"})
CLASSES: dict[str, type] = {
    "integer": int,
    "bool": bool,
    "date": date,
    "time": time,
    "datetime": datetime,
    "duration": timedelta,
    "uuid": UUID,
}


# Any: the value of any column.
def checked_value(
    control: Input, number: type | None, kind: TypeEngine[Any], value: Any, raw: Any = None
) -> Any:
    """Return what the type of a column made of a driver's value, as its field has it.

    number: float or Decimal, for an input of numbers. Raises for a value of another kind.
    """
    if number is not None:
        return _checked_number(number, kind, value, raw)
    if control.kind == "json":
        # What is too deep, or has half a character, cannot be shown.
        check_json(value)
        return hashable(value)
    if control.is_plain_text and type(value) is not str:
        raise TypeError
    if control.kind == "integer" and type(value) is not int and int(value) == value:
        value = int(value) if is_storable(int(value)) else value
    expected = CLASSES.get(control.kind)
    if expected is not None and (
        not isinstance(value, expected) or (expected is int and isinstance(value, bool))
    ):
        raise ValueError
    match control.kind:
        case "date" if isinstance(value, datetime):
            raise ValueError
        case "datetime":
            return in_zone(value, is_aware(kind))
        case "bool" if raw not in (None, 0, 1):
            raise ValueError
        case "choice" if control.parse(control.format(value)) != value:
            raise ValueError
    return value


def _checked_number(number: type, kind: TypeEngine[Any], value: Any, raw: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise TypeError
    if number is float:
        return float(value)
    is_number = isinstance(raw, int | float) and math.isfinite(raw)
    if is_number and isinstance(kind, Numeric):
        return _shortest(raw, kind.scale)
    return Decimal(value)


def _shortest(number: float, scale: int | None) -> Decimal:
    """Return the decimal of the fewest digits that reads as this float, at a column's scale."""
    exact = Decimal(repr(number))
    has_more = scale is None or -int(exact.as_tuple().exponent) > scale
    return exact if has_more else Decimal(f"{exact:.{scale}f}")


def is_same_raw(bound: Any, raw: Any, *, is_number: bool) -> bool:
    """Whether storing a value would give a driver the same one back."""
    if type(bound) is type(raw):
        # A negative zero differs from zero.
        return bound == raw and (type(raw) is not float or repr(bound) == repr(raw))
    # SQLite converts 2.0 to 2 and back by the affinity of the column.
    numbers = (int, float)
    return is_number and type(bound) in numbers and type(raw) in numbers and bound == raw


def is_typed_same(control: Input, value: Any) -> bool:
    """Whether the text of a value gives the same value back."""
    try:
        return bool(control.parse(control.format(value)) == value)
    except ValueError:
        return False
