"""Refusals: why a database does not accept a row, from the error of its driver."""

import re
import sqlite3
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy.exc import DBAPIError

from hero_admin.database.errors import driver_error

# Not unique, NULL, a foreign key without its row, not of the column's type, or another rule.
Reason = Literal["taken", "missing", "dangling", "unreadable", "rule"]

# https://www.postgresql.org/docs/current/errcodes-appendix.html
POSTGRESQL_REASONS: dict[str, Reason] = {
    "23505": "taken",
    "23502": "missing",
    "23503": "dangling",
    "22": "unreadable",
    "42804": "unreadable",
    "42846": "unreadable",
    "54": "unreadable",
}
SQLITE_REASONS: dict[int, Reason] = {
    sqlite3.SQLITE_CONSTRAINT_UNIQUE: "taken",
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY: "taken",
    sqlite3.SQLITE_CONSTRAINT_ROWID: "taken",
    sqlite3.SQLITE_CONSTRAINT_NOTNULL: "missing",
}
SQLITE_NAMED = re.compile(
    r"(?:(?:NOT NULL|CHECK) constraint failed: |cannot store \w+ value in \w+ column )(.+)",
    re.DOTALL,
)
SQLITE_INDEX = re.compile(r"UNIQUE constraint failed: index '(.+)'", re.DOTALL)
SQLITE_COLUMNS = "UNIQUE constraint failed: "


@dataclass(frozen=True)
class Refusal:
    """Why a row is refused.

    is_own: whether by a rule of its own table, as far as is known.
    columns: those that are named. rule: the constraint or index that is named, or what it says.
    """

    reason: Reason
    is_own: bool = True
    columns: frozenset[str] = frozenset()
    rule: str = ""


def refusal_of(error: DBAPIError, table: str) -> Refusal:
    """Return why a row of a table is refused."""
    driver = driver_error(error)
    state: str | None = getattr(driver, "sqlstate", None)
    return _of_sqlite(driver, table) if state is None else _of_postgresql(driver, state, table)


# Any: asyncpg has no types.
def _of_postgresql(driver: Any, state: str, table: str) -> Refusal:
    reasons = (reason for code, reason in POSTGRESQL_REASONS.items() if state.startswith(code))
    column = getattr(driver, "column_name", None)
    return Refusal(
        next(reasons, "rule"),
        getattr(driver, "table_name", None) == table,
        frozenset({column} if column else ()),
        getattr(driver, "constraint_name", None) or "",
    )


def _of_sqlite(driver: Any, table: str) -> Refusal:
    code: int | None = getattr(driver, "sqlite_errorcode", None)
    message, prefix = str(driver), f"{table}."
    reason: Reason = "rule" if code is None else SQLITE_REASONS.get(code, "rule")
    if reason == "taken" and (index := SQLITE_INDEX.match(message)):
        return Refusal(reason, rule=index[1])
    if reason == "taken":
        named = message.removeprefix(SQLITE_COLUMNS).split(", ")
        own = {each.removeprefix(prefix) for each in named if each.startswith(prefix)}
        return Refusal(reason, bool(own), frozenset(own))
    if code is not None and code & 0xFF != sqlite3.SQLITE_CONSTRAINT:
        reason = "unreadable"
    # A constraint without a name is named by its expression.
    found = SQLITE_NAMED.match(message)
    return Refusal(reason, rule=found[1].removeprefix(prefix) if found else "")
