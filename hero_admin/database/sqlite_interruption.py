"""Interruption: SQLite asks every few thousand instructions of a query whether to stop it."""

import sqlite3
import time
from collections.abc import Callable

# A trip to a connection's thread costs more than reading a few rows by an index, so a query has
# this much of the processor in the event loop, and this long by the clock, as a disk may be slow.
QUICK_SECONDS = 0.002
MAX_QUICK_SECONDS = 0.02
INSTRUCTIONS_PER_CHECK = 5000


def interrupt_when(connection: sqlite3.Connection, is_late: Callable[[], bool]) -> None:
    """Interrupt queries that are late: sqlite3.OperationalError, SQLITE_INTERRUPT."""
    connection.set_progress_handler(is_late, INSTRUCTIONS_PER_CHECK)


def quick_limit() -> Callable[[], bool]:
    """Return a function that says whether a query, started now, has had its time.

    The time in which another program has the processor does not count: to ask once more in a
    thread would take even longer.
    """
    spent = time.thread_time() + QUICK_SECONDS
    deadline = time.perf_counter() + MAX_QUICK_SECONDS
    return lambda: time.thread_time() > spent or time.perf_counter() > deadline


def is_transient(error: sqlite3.Error) -> bool:
    """Whether a query was interrupted or met a lock, so that the connection stays usable."""
    code: int = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in {sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_BUSY}


def interrupted(message: str) -> sqlite3.OperationalError:
    """Return the error of a query that was interrupted."""
    error = sqlite3.OperationalError(message)
    error.sqlite_errorcode = sqlite3.SQLITE_INTERRUPT
    return error
