"""Counting the SQL statements of a request."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from sqlalchemy import event

from webapp.database import Database

Statements = Callable[[], AbstractContextManager[list[str]]]


@contextmanager
def statements_of(database: Database) -> Iterator[list[str]]:
    """The text of every statement executed inside, in order."""
    executed: list[str] = []

    def note(connection: object, cursor: object, statement: str, *_: object) -> None:
        executed.append(statement)

    engines = [database.writing.sync_engine]
    # On PostgreSQL reading is a view of the same engine, and would be heard twice.
    if database.reading.sync_engine.pool is not engines[0].pool:
        engines.append(database.reading.sync_engine)
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        yield executed
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)
