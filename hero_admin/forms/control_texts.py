"""Control texts: what the controls of a form hold, and how browsers send it back."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from hero_admin.model.fields import Field
from hero_admin.model.formatting import form_text

# Kinds whose controls hold only valid values.
PARTICULAR_KINDS = frozenset({"date", "time", "zoned_time", "datetime", "clock", "bool"})


def texts_of(fields: Iterable[Field], record: Mapping[str, Any]) -> dict[str, str]:
    """Return the texts of the form of an existing record, by field."""
    return {field.name: form_text(field, record.get(field.name)) for field in fields}


def default_texts(fields: Iterable[Field]) -> dict[str, str]:
    """Return the texts of an empty form, by field."""
    return {
        field.name: form_text(field, field.default)
        for field in fields
        # The defaults of masked fields and files are set when nothing is sent.
        if not (field.is_masked or field.is_bytes)
    }


def is_same_text(field: Field, typed: str, shown: str) -> bool:
    """Whether a text is the one that the form showed, as browsers send it back.

    `serialization.is_same_value` compares stored values exactly.
    """
    if _as_sent(field, typed) == _as_sent(field, shown):
        return True
    try:
        return _normalized(field, typed) == _normalized(field, shown)
    except ValueError:
        return False


def _as_sent(field: Field, text: str) -> str:
    """Return a text as a browser sends it back, without spaces around it."""
    if "\r" in text or "\n" in text:
        # A control of one line drops line ends.
        has_lines = control_of(field, text) in {"long_text", "json"}
        text = re.sub("\r\n?", "\n", text) if has_lines else re.sub("[\r\n]", "", text)
    return text.replace("\0", "\ufffd").strip()


def _normalized(field: Field, text: str) -> str:
    text = _as_sent(field, text)
    return form_text(field, field.typed(text)) if text else ""


def control_of(field: Field, text: str, *, is_stored: bool = False) -> str:
    """Return the kind of control that can hold a text."""
    kind = field.display
    if kind == "bool":
        # An unticked box would turn any other value into no.
        is_box = text in {"true", "false"} or not (text or is_stored)
        return kind if is_box else "choice"
    if kind == "text" and ("\n" in text or "\r" in text):
        # A control of one line would run the lines together.
        return "long_text"
    if not text or kind not in PARTICULAR_KINDS or can_type(field, text):
        return kind
    # A browser would drop what is no date.
    return "text"


def can_type(field: Field, text: str) -> bool:
    """Whether a text is blank or valid input of a field."""
    try:
        if text:
            field.typed(text)
    except ValueError:
        return False
    return True
