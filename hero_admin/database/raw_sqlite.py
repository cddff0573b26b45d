"""Raw values of SQLite: stored values of any type, as JSON can hold them."""

import math
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, case, func, type_coerce
from sqlalchemy.types import NullType

MAX_PARAMETERS = 30_000
INSERTING = ""
LOCKING = ""


def selected(value: ColumnElement[Any]) -> ColumnElement[Any]:
    # A text may not be UTF-8.
    value = type_coerce(value, NullType())
    return case((func.typeof(value) == "text", func.hex(value)), else_=value)


# Any: what the driver gives, and JSON.
def written(value: Any) -> Any:
    match value:
        case bytes():
            return {"blob": value.hex()}
        case float() if not math.isfinite(value):
            return {"real": repr(value)}
        case str():
            stored = bytes.fromhex(value)
            try:
                return stored.decode()
            except UnicodeDecodeError:
                return {"text": stored.hex()}
    return value


def parameters(name: str, value: Any) -> dict[str, Any]:
    """Return the parameters that stand for a value: what it is, and whether it is a text."""
    match value:
        case {"blob": digits}:
            return {name: bytes.fromhex(digits), f"{name}_text": 0}
        case {"text": digits}:
            return {name: bytes.fromhex(digits), f"{name}_text": 1}
        case {"real": digits}:
            return {name: float(digits), f"{name}_text": 0}
    return {name: value, f"{name}_text": 0}


def value_sql(name: str, _: str) -> str:
    return f"CASE :{name}_text WHEN 1 THEN CAST(:{name} AS TEXT) ELSE :{name} END"


def given_sql(types: Sequence[str], rows: Sequence[Sequence[Any]]) -> tuple[str, dict[str, Any]]:
    found: dict[str, Any] = {}
    values = []
    for number, row in enumerate(rows):
        parts = []
        for place, value in enumerate(row):
            name = f"c{place}_{number}"
            given = parameters(name, value)
            found[name] = given[name]
            parts.append(f"CAST(:{name} AS TEXT)" if given[f"{name}_text"] else f":{name}")
        values.append(f"({number}, {', '.join(parts)})")
    names = ", ".join(f"c{place}" for place in range(len(types)))
    return f"given_rows(n, {names}) AS (VALUES {', '.join(values)})", found


def same_sql(own: Sequence[str], theirs: Sequence[str]) -> str:
    return " AND ".join(f"{one} IS {other}" for one, other in zip(own, theirs, strict=True))
