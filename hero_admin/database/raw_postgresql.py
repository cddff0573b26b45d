"""Raw values of PostgreSQL: the texts that the server itself writes and reads."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Text, cast

INSERTING = "OVERRIDING SYSTEM VALUE "
LOCKING = " FOR UPDATE OF t"


def selected(value: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return the expression by which a value is read."""
    return cast(value, Text)


# Any: a text or nothing.
def written(value: Any) -> Any:
    """Return what was read as JSON can hold it."""
    return value


def parameters(name: str, value: Any) -> dict[str, Any]:
    """Return the parameter that stands for a value."""
    return {name: value}


def value_sql(name: str, type_sql: str) -> str:
    """Return the SQL of this parameter."""
    return f"CAST(CAST(:{name} AS text) AS {type_sql})"


def given_sql(types: Sequence[str], rows: Sequence[Sequence[Any]]) -> tuple[str, dict[str, Any]]:
    """Return a table expression `given_rows` of rows, with their places `n`, and its parameters."""
    names = [f"c{place}" for place in range(len(types))]
    arrays = ", ".join(f"CAST(:{name} AS text[])" for name in names)
    pairs = zip(names, types, strict=True)
    typed = ", ".join(f"CAST(u.{name} AS {type_sql}) AS {name}" for name, type_sql in pairs)
    source = f"unnest({arrays}) WITH ORDINALITY AS u({', '.join(names)}, n)"
    expression = f"given_rows AS (SELECT u.n - 1 AS n, {typed} FROM {source})"  # noqa: S608 - quoted
    return expression, {name: [row[place] for row in rows] for place, name in enumerate(names)}


def same_sql(own: Sequence[str], theirs: Sequence[str]) -> str:
    """Return the predicate that all values of two rows are equal, or NULL in both."""
    # Not every type can be compared; the texts of two rows can, quickly.
    one, other = (", ".join(f"CAST({each} AS text)" for each in side) for side in (own, theirs))
    return f"CAST(ROW({one}) AS text) = CAST(ROW({other}) AS text)"


def rows_at_once(_: int) -> int | None:
    """Return how many rows of this width one statement takes; None for any number."""
    return None
