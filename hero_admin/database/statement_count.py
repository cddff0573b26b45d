"""Counts the SQL statements of a request, those of short reads included."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class StatementCount:
    """The number of SQL statements executed."""

    value: int = 0


statements: ContextVar[StatementCount | None] = ContextVar("statements", default=None)
# Each is called with the text and the parameters of every statement.
listeners: list[Callable[[str, object], None]] = []


@contextmanager
def count_statements() -> Iterator[StatementCount]:
    """Count the statements executed inside; an outer count includes them."""
    count, outer = StatementCount(), statements.get()
    token = statements.set(count)
    try:
        yield count
    finally:
        statements.reset(token)
        if outer is not None:
            outer.value += count.value


def note_statement(text: str, parameters: object) -> None:
    count = statements.get()
    if count is not None:
        count.value += 1
    for listen in listeners:
        listen(text, parameters)
