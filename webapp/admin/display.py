"""Display: how a stored value reads."""

import json
from decimal import Decimal
from typing import Any

from webapp.admin.fields import Field

LONGEST_CELL_CHARACTERS = 120
# What stands for a masked value, however long it is.
MASK = "••••••••"


def shown(field: Field, value: Any) -> str:
    """Return what people read for a value; "" for none."""
    if value is None:
        return ""
    if field.is_masked:
        return MASK
    return revealed(field, value)


def revealed(field: Field, value: Any) -> str:
    """Return what people read for a value that is there, masked or not."""
    if field.is_money:
        return money(value)
    return field.input.shown(value)


def money(amount: Any) -> str:
    """Return an amount with two decimal places, or with more where it has more: 1,234.50."""
    whole, _, places = f"{Decimal(str(amount)):,f}".partition(".")
    return (
        f"{whole}.{places.rstrip('0'):0<2}"
        if whole.lstrip("-").replace(",", "").isdigit()
        else whole
    )


def shown_in_cell(field: Field, value: Any) -> str:
    """Return the same on one short line."""
    if field.input.kind == "json" and value is not None and not field.is_masked:
        return shortened(json.dumps(value, ensure_ascii=False))
    text = shown(field, value)
    return shortened(" ".join(text.split())) if field.input.kind == "long_text" else text


def shortened(text: str) -> str:
    """Return at most `LONGEST_CELL_CHARACTERS` characters of a text."""
    if len(text) <= LONGEST_CELL_CHARACTERS:
        return text
    return text[: LONGEST_CELL_CHARACTERS - 1].rstrip() + "…"
