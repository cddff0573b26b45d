"""Storable values: what a column of each type can store on every database."""

import enum
import math
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

from pydantic import SecretBytes
from sqlalchemy import BigInteger, DateTime, Enum, SmallInteger, Time
from sqlalchemy.dialects.postgresql import DOMAIN
from sqlalchemy.types import TypeDecorator, TypeEngine

from hero_admin.model.dates_and_times import in_zone, time_in_zone
from hero_admin.model.inputs import EXACT_DECIMAL_DIGITS, Input
from hero_admin.model.texts import clean_text, plain_text

MAX_DURATION_DAYS = 700_000


def unwrapped_type(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    """Return the plain type inside a domain or a `TypeDecorator`, such as SQLModel's strings."""
    while isinstance(kind, TypeDecorator | DOMAIN):
        kind = kind.data_type if isinstance(kind, DOMAIN) else kind.impl_instance
    return kind


def is_aware(kind: TypeEngine[Any]) -> bool:
    """Whether a column stores instants, or times with a zone."""
    plain = unwrapped_type(kind)
    return isinstance(plain, DateTime | Time) and plain.timezone


def storable(value: Any, kind: TypeEngine[Any], given: Input) -> Any:
    """Return `value` as a column of this type stores it on every database.

    Raises ValueError with a sentence for what one of them could not store exactly.
    """
    if value is None:
        return None
    value = _as_given(value, kind, given)
    match value:
        case bool() | enum.Enum():
            return value
        case int():
            _check_integer(value, unwrapped_type(kind))
        case float() if not math.isfinite(value):
            raise ValueError("Enter a finite number.")
        case Decimal():
            _check_decimal(value, unwrapped_type(kind))
        case str():
            return _text(value, unwrapped_type(kind))
        case datetime():
            return _moment(value, aware=is_aware(kind))
        case time():
            return time_in_zone(value, is_aware(kind))
        case timedelta() if abs(value.days) > MAX_DURATION_DAYS:
            raise ValueError(f"Enter at most {MAX_DURATION_DAYS:,} days.")
    return value


def rounded(default: Any, kind: TypeEngine[Any]) -> Any:
    """Return a model's default as its column would round it."""
    plain = unwrapped_type(kind)
    scale = getattr(plain, "scale", None)
    if scale is None or not isinstance(default, Decimal) or not default.is_finite():
        return default
    places = -int(default.as_tuple().exponent)
    return round(default, scale) if places > scale else default


def _as_given(value: Any, kind: TypeEngine[Any], given: Input) -> Any:
    """Return a validated value as the type that its column takes."""
    if given.kind == "bytes":
        return value.get_secret_value() if isinstance(value, SecretBytes) else value
    if given.store is not None:
        return given.store(value)
    if given.kind in {"text", "long_text"}:
        return plain_text(value)
    # The value of a member, unless the column takes members.
    if isinstance(value, enum.Enum) and not _takes_members(kind):
        value = value.value
    if isinstance(value, float) and getattr(unwrapped_type(kind), "asdecimal", False):
        return Decimal(repr(value))
    return value


def _takes_members(kind: TypeEngine[Any]) -> bool:
    plain = unwrapped_type(kind)
    return kind is not plain or (isinstance(plain, Enum) and plain.enum_class is not None)


def _text(value: str, kind: TypeEngine[Any]) -> str:
    value = clean_text(value)
    length = getattr(kind, "length", None)
    if length is not None and len(value) > length:
        raise ValueError(f"Use at most {length:,} characters.")
    return value


def _moment(value: datetime, *, aware: bool) -> datetime:
    try:
        return in_zone(value, aware)
    except OverflowError:
        raise ValueError("Enter a date that is less far away.") from None


def _check_integer(value: int, kind: TypeEngine[Any]) -> None:
    bits = 63 if isinstance(kind, BigInteger) else 15 if isinstance(kind, SmallInteger) else 31
    if not -(2**bits) <= value < 2**bits:
        raise ValueError(f"Enter a number from {-(2**bits):,} to {2**bits - 1:,}.")


def _check_decimal(value: Decimal, kind: TypeEngine[Any]) -> None:
    digits = getattr(kind, "precision", None) or EXACT_DECIMAL_DIGITS
    scale = getattr(kind, "scale", None)
    if not value.is_finite():
        raise ValueError("Enter a finite number.")
    _, written, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    # Trailing zeros do not count, nor those of zero itself.
    significant = "".join(map(str, written)).rstrip("0")
    if not significant:
        return
    exponent += len(written) - len(significant)
    places, whole = max(0, -exponent), max(0, len(significant) + exponent)
    if scale is not None and places > scale:
        raise ValueError(f"Use at most {scale} decimal places.")
    if whole > digits - (scale or 0) or whole + places > digits:
        raise ValueError(f"Use at most {digits} digits.")
