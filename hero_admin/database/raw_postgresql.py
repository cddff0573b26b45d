"""Raw values of PostgreSQL: the texts that the server itself writes and reads."""

import sys
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Text, cast

# All rows travel in one array for each column.
MAX_PARAMETERS = sys.maxsize
INSERTING = "OVERRIDING SYSTEM VALUE "
LOCKING = " FOR UPDATE OF t"


def selected(value: ColumnElement[Any]) -> ColumnElement[Any]:
    return cast(value, Text)


# Any: a text or nothing.
def written(value: Any) -> Any:
    return value


def parameters(name: str, value: Any) -> dict[str, Any]:
    return {name: value}


def value_sql(name: str, type_sql: str) -> str:
    return f"CAST(CAST(:{name} AS text) AS {type_sql})"


def given_sql(types: Sequence[str], rows: Sequence[Sequence[Any]]) -> tuple[str, dict[str, Any]]:
    names = [f"c{place}" for place in range(len(types))]
    arrays = ", ".join(f"CAST(:{name} AS text[])" for name in names)
    pairs = zip(names, types, strict=True)
    typed = ", ".join(f"CAST(u.{name} AS {type_sql}) AS {name}" for name, type_sql in pairs)
    source = f"unnest({arrays}) WITH ORDINALITY AS u({', '.join(names)}, n)"
    expression = f"given_rows AS (SELECT u.n - 1 AS n, {typed} FROM {source})"  # noqa: S608 - quoted
    return expression, {name: [row[place] for row in rows] for place, name in enumerate(names)}


def same_sql(own: Sequence[str], theirs: Sequence[str]) -> str:
    # Not every type can be compared; the texts of two rows can, quickly.
    one, other = (", ".join(f"CAST({each} AS text)" for each in side) for side in (own, theirs))
    return f"CAST(ROW({one}) AS text) = CAST(ROW({other}) AS text)"
