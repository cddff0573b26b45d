"""The SQL statements of a request."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from hero_admin.database.statement_count import listeners

Statements = Callable[[], AbstractContextManager[list[str]]]


@contextmanager
def heard_by(listen: Callable[[str, object], None]) -> Iterator[None]:
    """Tell `listen` the text and the parameters of every statement executed inside."""
    listeners.append(listen)
    try:
        yield
    finally:
        listeners.remove(listen)


@contextmanager
def all_statements() -> Iterator[list[str]]:
    """The text of every statement executed inside, in order."""
    executed: list[str] = []
    with heard_by(lambda text, _: executed.append(text)):
        yield executed
