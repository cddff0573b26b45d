"""Snapshots: the values of a record as texts, from which the very same values can be made again."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from webapp.admin.fields import Field
from webapp.admin.resource import Resource

# Name → text of each field of one record; None is no value.
Snapshot = dict[str, str | None]


def snapshot_of(resource: Resource, values: Mapping[str, Any]) -> Snapshot:
    """Return the texts of a record's values, by field."""
    return {name: kept_text(resource.by_name[name], value) for name, value in values.items()}


def values_of(resource: Resource, snapshot: Mapping[str, str | None]) -> dict[str, Any]:
    """Return the values of a snapshot; fields that the model has no longer are left out.

    Raises ValueError for a text that its field would not take any more.
    """
    return {
        name: kept_value(resource.by_name[name], text)
        for name, text in snapshot.items()
        if name in resource.by_name
    }


def kept_text(field: Field, value: Any) -> str | None:
    """Return the text that stands for a value of a field, the same for equal values."""
    if isinstance(value, Decimal):
        # Databases keep, or add, zeros at the end.
        whole, point, places = f"{value:f}".partition(".")
        text = f"{whole}{point}{places.rstrip('0')}".rstrip(".")
        return "0" if text == "-0" else text
    return None if value is None else field.input.format(value)


def kept_value(field: Field, text: str | None) -> Any:
    """Return the value that a text stands for."""
    if text is None or field.is_text:
        return text
    return field.input(text)


def digest_of(secret: str, *parts: object) -> str:
    """Return a digest that tells equal from other values and, without the secret, nothing else."""
    packed = json.dumps(parts, default=str).encode()
    return hmac.new(secret.encode(), packed, hashlib.sha256).hexdigest()[:32]
