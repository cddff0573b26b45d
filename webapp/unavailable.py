"""What a database cannot do now and may do later, told apart from mistakes of ours."""

import sqlite3
from enum import Enum

from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError


class Trouble(Enum):
    """Why the database does not do its work; the last two keep it from saving only."""

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
# SQLite's words for a quota or a largest size that is reached, and for no room for its index.
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

# The statement's time, and a lock's.
TOO_LONG = {"57014", "55P03"}


def trouble_of(error: BaseException) -> Trouble | None:
    """What keeps the database from its work, None for mistakes of ours and refused constraints."""
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
    """Whether the database is busy, away, full or read-only, so that later may be better."""
    return trouble_of(error) is not None


def is_away(error: BaseException) -> bool:
    """Whether it is the server's fault, so that another one may do what was asked.

    False for what takes too long, which would take as long there.
    """
    origin = error.orig if isinstance(error, DBAPIError) and error.orig else error
    if isinstance(origin, TimeoutError | PoolTimeoutError):
        return False
    return is_unavailable(error) and getattr(origin, "sqlstate", None) not in TOO_LONG


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
