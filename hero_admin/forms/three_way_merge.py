"""Three-way merge: a submitted form and the changes of others since it was opened.

A form carries the texts it was opened with: the common base. A field that only one side has
changed takes the text of that side; one that both have changed differently is a conflict, which a
person resolves. Source: Khanna, Kunal, Pierce, “A Formal Investigation of Diff3” (2007), applied
to fields instead of lines.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.datastructures import FormData

from hero_admin.forms.control_texts import is_same_text
from hero_admin.forms.hidden_fields import KEEP, OPENED, THEIRS
from hero_admin.model.fields import Field
from hero_admin.model.serialization import keyed_digest


@dataclass(frozen=True)
class Merge:
    """The outcome of a merge.

    mine: the texts to save, by field. theirs: the fields that only others have changed. conflicts:
    those that both have changed differently.
    """

    mine: dict[str, str]
    theirs: tuple[Field, ...]
    conflicts: tuple[Field, ...]


def opened_text(secret: str, fields: Sequence[Field], texts: Mapping[str, str]) -> str:
    """Return the texts of a record as a form carries them, masked ones as digests."""
    return json.dumps(
        {field.name: _carried(secret, field, texts[field.name]) for field in fields},
        ensure_ascii=False,
        separators=(",", ":"),
    )


def opened_of(form: FormData) -> dict[str, str]:
    """Return the texts with which a form was opened; none where they are missing or malformed."""
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
    """Merge the typed texts of a form with the stored texts of its record.

    secret: keys the digests of masked values.
    """
    opened = opened_of(form)
    mine: dict[str, str] = {}
    theirs: list[Field] = []
    conflicts: list[Field] = []
    for field in fields:
        now = stored[field.name]
        then = opened.get(field.name, _carried(secret, field, now))
        is_changed = _carried(secret, field, now) != then
        if field.name not in typed or _is_left(field, form, typed[field.name], then):
            # A column that every change updates is no change of theirs.
            if is_changed and not field.column.onupdate:
                theirs.append(field)
        elif is_changed and not is_same_text(field, typed[field.name], now):
            conflicts.append(field)
        else:
            mine[field.name] = typed[field.name]
    return Merge(mine, tuple(theirs), tuple(conflicts))


def _is_left(field: Field, form: FormData, typed: str, then: str) -> bool:
    if form.get(KEEP + field.name) == THEIRS:
        return True
    return not field.is_masked and is_same_text(field, typed, then)


def _carried(secret: str, field: Field, text: str) -> str:
    return keyed_digest(secret, field.name, text) if field.is_masked else text
