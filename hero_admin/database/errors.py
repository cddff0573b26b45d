"""Database errors: unavailability, refused values, or our own bugs."""

import sqlite3
from enum import Enum
from typing import Any

from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError


class Trouble(Enum):
    """Why the database is unavailable; with the last two it can still be read."""

    BUSY = "busy or out of reach"
    FULL = "full"
    READ_ONLY = "read-only"


# Primary result codes: https://www.sqlite.org/rescode.html
SQLITE_TROUBLES = {
    sqlite3.SQLITE_BUSY: Trouble.BUSY,
    sqlite3.SQLITE_LOCKED: Trouble.BUSY,
    sqlite3.SQLITE_NOMEM: Trouble.BUSY,
    sqlite3.SQLITE_READONLY: Trouble.READ_ONLY,
    sqlite3.SQLITE_INTERRUPT: Trouble.BUSY,
    sqlite3.SQLITE_IOERR: Trouble.BUSY,
    sqlite3.SQLITE_CORRUPT: Trouble.BUSY,
    sqlite3.SQLITE_FULL: Trouble.FULL,
    sqlite3.SQLITE_CANTOPEN: Trouble.BUSY,
    sqlite3.SQLITE_PROTOCOL: Trouble.BUSY,
    sqlite3.SQLITE_NOTADB: Trouble.BUSY,
}
# SQLite reports a quota, a maximum size, or no space for its shared memory like this.
NO_ROOM = (sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE)
# Classes and single states: https://www.postgresql.org/docs/current/errcodes-appendix.html
POSTGRESQL_TROUBLES = {
    "08": Trouble.BUSY,  # connection lost
    "25006": Trouble.READ_ONLY,  # a standby, or a server set so
    "25P03": Trouble.BUSY,  # idle in transaction for too long
    "28": Trouble.BUSY,  # password or role refused
    "3D": Trouble.BUSY,  # no such database
    "40": Trouble.BUSY,  # deadlock, serialization failure: trying again helps
    "53100": Trouble.FULL,
    "53": Trouble.BUSY,  # out of memory, too many connections
    "55P03": Trouble.BUSY,  # lock not available in time
    "57": Trouble.BUSY,  # query cancelled, server shutting down or starting up
    "58": Trouble.BUSY,  # system error
}

# No such table, column or schema.
POSTGRESQL_LACKING = ("42P01", "42703", "3F000")
SQLITE_LACKING = ("no such table", "no such column", "has no column named")

# What may be raised where values are written; `is_refusal` tells which are about the values.
# Python's sqlite3 raises OverflowError for a number that is too large.
REFUSALS = (StatementError, OverflowError)
# Data, integrity, the check of a view, what a trigger raises, types, generated columns, limits.
# Rights too: a policy of row-level security is a rule as any other. And what a trigger, or a value
# of a type such as regclass, names and the database does not have.
REFUSING = (
    *("22", "23", "44", "P0", "42501", "42804", "42846", "428C9", "54", "27"),
    *("42P01", "42704", "42883"),
)
RAISED = "P0001"
SQLITE_REFUSING = (
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_TOOBIG,
    sqlite3.SQLITE_RANGE,
)
# Errors without a code: in generated columns and checks, and of foreign keys that point at no
# table or at no key.
SQLITE_UNCODED = (
    "malformed JSON",
    "bad JSON path",
    "integer overflow",
    "no such table: main.",
    "foreign key mismatch",
)
MAX_MESSAGE_CHARACTERS = 200

# Serialization failure and deadlock: the server has ended one of two that wait for each other.
CONFLICTS = {"40001", "40P01"}
# The time limits of a statement, and of a lock.
TOO_LONG = {"57014", "55P03"}


class RefusedAtCommit(Exception):
    """The database refused the commit: a sentence that says why."""


def trouble_of(error: BaseException) -> Trouble | None:
    """Return why the database is unavailable; None for bugs and refused values."""
    if isinstance(error, TimeoutError | ConnectionError | PoolTimeoutError):
        return Trouble.BUSY
    if isinstance(error, DBAPIError):
        trouble = trouble_of(error.orig) if error.orig is not None else None
        return trouble or (Trouble.BUSY if error.connection_invalidated else None)
    if isinstance(error, sqlite3.Error):
        return _sqlite_trouble(error)
    state: str = getattr(error, "sqlstate", None) or ""
    return next(
        (trouble for start, trouble in POSTGRESQL_TROUBLES.items() if state.startswith(start)), None
    )


def is_unavailable(error: BaseException) -> bool:
    """Whether the database is busy, unreachable, full or read-only, so that a retry may help."""
    return trouble_of(error) is not None


def is_away(error: BaseException) -> bool:
    """Whether the server is unreachable or failing, so that another one may answer.

    False for what takes too long, which would take as long there.
    """
    origin = error.orig if isinstance(error, DBAPIError) and error.orig else error
    if isinstance(origin, TimeoutError | PoolTimeoutError):
        return False
    return is_unavailable(error) and getattr(origin, "sqlstate", None) not in TOO_LONG


def is_conflict(error: BaseException) -> bool:
    """Whether the server has rolled a transaction back for the sake of another one."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in CONFLICTS


def is_refusal(error: Exception) -> bool:
    """Whether a database refuses values; False if it is unavailable or the SQL is wrong."""
    if not isinstance(error, DBAPIError):
        return isinstance(error, REFUSALS)
    if is_unavailable(error):
        return False
    driver = driver_error(error)
    state = getattr(driver, "sqlstate", None)
    if state is not None:
        return str(state).startswith(REFUSING)
    code = getattr(driver, "sqlite_errorcode", None)
    if code is not None and code & 0xFF in SQLITE_REFUSING:
        return True
    return str(driver).startswith(SQLITE_UNCODED)


def raised_sentence(error: DBAPIError) -> str:
    """Return the message that a trigger raised as a sentence; "" if none did."""
    driver = driver_error(error)
    is_raised = getattr(driver, "sqlstate", None) == RAISED
    code = getattr(driver, "sqlite_errorcode", None)
    if not is_raised and code != sqlite3.SQLITE_CONSTRAINT_TRIGGER:
        return ""
    message = " ".join(str(driver).split())[:MAX_MESSAGE_CHARACTERS].removesuffix(".")
    return f"{message[:1].upper()}{message[1:]}."


def refusal_sentence(error: DBAPIError) -> str:
    """Return why a database refuses a change, as a sentence."""
    name = getattr(driver_error(error), "constraint_name", None)
    rule = f"its rule “{name}”" if name else "one of its rules"
    return raised_sentence(error) or f"The database doesn't accept this because of {rule}."


def is_lacking(error: BaseException) -> bool:
    """Whether the database has no table or column of a model, which are not migrated yet."""
    if not isinstance(error, DBAPIError):
        return False
    driver = driver_error(error)
    state = getattr(driver, "sqlstate", None)
    if state is not None:
        return state in POSTGRESQL_LACKING
    return isinstance(driver, sqlite3.Error) and any(each in str(driver) for each in SQLITE_LACKING)


# Any: errors of both drivers.
def driver_error(error: DBAPIError) -> Any:
    """Return the driver's own error: SQLAlchemy wraps that of asyncpg twice."""
    return error.orig.__cause__ if error.orig and error.orig.__cause__ else error.orig


def is_no_value(error: BaseException) -> bool:
    """Whether a driver or a server was given a value that its column cannot hold."""
    if not isinstance(error, StatementError):
        return False
    state = getattr(error.orig, "sqlstate", None) or ""
    return state.startswith("22") or isinstance(error.orig, ValueError | OverflowError)


def _sqlite_trouble(error: sqlite3.Error) -> Trouble | None:
    # Python's own errors have no code.
    code: int = getattr(error, "sqlite_errorcode", -1)
    if code in NO_ROOM:
        return Trouble.FULL
    # The low byte is the primary code of an extended one.
    return SQLITE_TROUBLES.get(code & 0xFF)
