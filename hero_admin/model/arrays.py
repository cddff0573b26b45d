"""Arrays: lists of one type of value, typed and written as JSON."""

import json
import math
from functools import partial
from typing import Any

from sqlalchemy.types import TypeEngine

from hero_admin.model.inputs import Input
from hero_admin.model.json_values import format_json, parse_json
from hero_admin.model.storable import storable

NO_LIST = "Enter a list, in brackets."
# All lists within a list have the same length.
RAGGED = "Enter lists of the same length."


def array_of(item: Input, kind: TypeEngine[Any]) -> Input:
    """Return the input of arrays of a column type, by the input of their items."""
    store = partial(_store, item, kind)
    return Input(
        "json",
        lambda text: store(parse_json(text)),
        lambda values: format_json(_written(item, values)),
        is_sortable=False,
        store=store,
    )


def _store(item: Input, kind: TypeEngine[Any], values: Any) -> list[Any]:
    if not isinstance(values, list | tuple | set | frozenset):
        # ValueError: a sentence beside the field.
        raise ValueError(NO_LIST)  # noqa: TRY004
    stored = [
        _store(item, kind, value)
        if isinstance(value, list | tuple)
        else storable(_item(item, value), kind, item)
        for value in values
    ]
    if len({len(each) if isinstance(each, list) else None for each in stored}) > 1:
        raise ValueError(RAGGED)
    return stored


def _item(item: Input, value: Any) -> Any:
    """Return the item of a JSON value: JSON has texts for dates, and ints for floats."""
    if value is None:
        return None
    if item.kind == "json":
        return value
    if item.kind in {"text", "long_text"}:
        return item(_text(value))
    try:
        return item(value if isinstance(value, str) else item.format(value))
    except (TypeError, AttributeError):
        written = json.dumps(value, default=str)
        raise ValueError(f"Remove {written}, which doesn't belong in this list.") from None


def _text(value: Any) -> str:
    if isinstance(value, bool | int | float | dict):
        raise ValueError(f"Put {json.dumps(value)} in quotes.")  # noqa: TRY004 - as above
    return str(value)


def _written(item: Input, value: Any) -> Any:
    """Return the JSON value of an item, or of each in a list."""
    if isinstance(value, list | tuple):
        return [_written(item, each) for each in value]
    is_finite = not isinstance(value, float) or math.isfinite(value)
    if value is None or (isinstance(value, str | int | float | dict) and is_finite):
        return value
    return item.format(value)
