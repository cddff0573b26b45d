"""Merging: what becomes of a form when somebody else has changed its record since it was opened.

A form carries the texts it was opened with. A field that I left alone keeps what others made of it;
one that others left alone becomes mine; one that both changed is a conflict, and I decide.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.datastructures import FormData

from hero_admin.forms.form import is_same_text
from hero_admin.forms.hidden_fields import KEEP, OPENED, THEIRS
from hero_admin.model.fields import Field
from hero_admin.model.serialization import keyed_digest


@dataclass(frozen=True)
class Merge:
    """What a submitted form and its record make together.

    mine: the texts to save, by field. kept: the fields that only others changed. conflicts: those
    that both changed, differently.
    """

    mine: dict[str, str]
    kept: tuple[Field, ...]
    conflicts: tuple[Field, ...]


def opened_text(secret: str, fields: Sequence[Field], texts: Mapping[str, str]) -> str:
    """Return what a form carries along: the texts of its record, masked ones as a digest."""
    return json.dumps(
        {field.name: _carried(secret, field, texts[field.name]) for field in fields},
        ensure_ascii=False,
        separators=(",", ":"),
    )


def opened_of(form: FormData) -> dict[str, str]:
    """Return what a form was opened with, as far as it says so and can be read."""
    try:
        read = json.loads(str(form.get(OPENED, "")))
        return {name: text for name, text in read.items() if isinstance(text, str)}
    except (AttributeError, ValueError, RecursionError):
        return {}


def merge(
    secret: str,
    fields: Sequence[Field],
    form: FormData,
    typed: Mapping[str, str],
    stored: Mapping[str, str],
) -> Merge:
    """Merge what was typed into a form with what its record holds now."""
    opened = opened_of(form)
    mine: dict[str, str] = {}
    kept: list[Field] = []
    conflicts: list[Field] = []
    for field in fields:
        now = stored[field.name]
        then = opened.get(field.name, _carried(secret, field, now))
        is_changed = _carried(secret, field, now) != then
        if field.name not in typed or _is_left(field, form, typed[field.name], then):
            # What every change writes by itself is no news.
            if is_changed and not field.column.onupdate:
                kept.append(field)
        elif is_changed and not is_same_text(field, typed[field.name], now):
            conflicts.append(field)
        else:
            mine[field.name] = typed[field.name]
    return Merge(mine, tuple(kept), tuple(conflicts))


def _is_left(field: Field, form: FormData, typed: str, then: str) -> bool:
    if form.get(KEEP + field.name) == THEIRS:
        return True
    return not field.is_masked and is_same_text(field, typed, then)


def _carried(secret: str, field: Field, text: str) -> str:
    return keyed_digest(secret, field.name, text) if field.is_masked else text
