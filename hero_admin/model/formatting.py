"""Formatting: the texts of values in pages, forms and URLs."""

import json
from datetime import datetime, time
from decimal import Decimal
from typing import Any

from hero_admin.model.fields import Field
from hero_admin.model.stored_values import Stored, is_unreadable, plain

LONGEST_CELL_CHARACTERS = 120
# Shown for a masked value of any length.
MASK = "••••••••"


def shown(field: Field, value: Any) -> str:
    """Return the text of a value for people; "" for None."""
    if value is None:
        return ""
    if field.is_masked:
        return MASK
    return revealed(field, value)


def revealed(field: Field, value: Any) -> str:
    """Return the text of a value for people, even if it is masked."""
    value = plain(value)
    if isinstance(value, Stored):
        return value.text
    if field.is_money:
        return money(value)
    return field.input.shown(value)


def money(amount: Any) -> str:
    """Return an amount with at least two decimal places: 1,234.50."""
    whole, _, places = f"{Decimal(str(amount)):,f}".partition(".")
    return (
        f"{whole}.{places.rstrip('0'):0<2}"
        if whole.lstrip("-").replace(",", "").isdigit()
        else whole
    )


def shown_in_cell(field: Field, value: Any) -> str:
    """Return the text of a value for people, on one short line."""
    if field.input.kind == "json" and value is not None and not field.is_masked:
        value = plain(value)
        if isinstance(value, Stored):
            return shortened(value.text)
        return shortened(json.dumps(value, ensure_ascii=False, default=str))
    text = shown(field, value)
    if field.input.kind == "long_text" or is_unreadable(value):
        return shortened(" ".join(text.split()))
    return text


def exact_text(field: Field, value: Any) -> str:
    """Return the exact text of a value, also of one that its type cannot read."""
    if value is None:
        return ""
    value = plain(value)
    return value.text if isinstance(value, Stored) else field.input.format(value)


def form_text(field: Field, value: Any) -> str:
    text, value = exact_text(field, value), plain(value)
    # Browsers take milliseconds at most; an unchanged value is not written back.
    return text[:-3] if isinstance(value, datetime | time) and value.microsecond else text


def shortened(text: str) -> str:
    """Return at most `LONGEST_CELL_CHARACTERS` characters of a text."""
    if len(text) <= LONGEST_CELL_CHARACTERS:
        return text
    return text[: LONGEST_CELL_CHARACTERS - 1].rstrip() + "…"
