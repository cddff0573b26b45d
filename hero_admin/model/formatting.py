"""Formatting: the texts of values in pages, forms and URLs."""

import json
import logging
from datetime import datetime, time
from typing import Any

from hero_admin.model.fields import Field
from hero_admin.model.formats import money, one_line
from hero_admin.model.stored_values import Stored, is_unreadable, plain
from hero_admin.web.texts import shortened

# Shown for a masked value of any length.
MASK = "••••••••"

logger = logging.getLogger("hero_admin.model")


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


def shown_in_cell(field: Field, value: Any) -> str:
    """Return the text of a value for people, on one short line."""
    if field.input.kind == "json" and value is not None and not field.is_masked:
        value = plain(value)
        if isinstance(value, Stored):
            return shortened(value.text)
        return shortened(json.dumps(value, ensure_ascii=False, default=str))
    text = shown(field, value)
    if field.input.kind == "long_text" or is_unreadable(value):
        return one_line(text)
    return text


def exact_text(field: Field, value: Any) -> str:
    """Return the exact text of a value, also of one that its type cannot read."""
    if value is None:
        return ""
    value = plain(value)
    return value.text if isinstance(value, Stored) else field.input.format(value)


def form_text(field: Field, value: Any) -> str:
    """Return the text of a value as its control holds it."""
    if field.control.has_parser and value is not None and not is_unreadable(value):
        try:
            return field.control.format(plain(value))
        # It is not ours; the exact text stays as it is, unless it is changed.
        except Exception:
            logger.exception("The control of %s can't format a value", field.name)
    text, value = exact_text(field, value), plain(value)
    # Browsers take milliseconds at most; an unchanged value is not written back.
    return text[:-3] if isinstance(value, datetime | time) and value.microsecond else text
