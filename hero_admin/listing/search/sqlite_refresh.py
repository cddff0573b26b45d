"""Refreshing: updates the trigram indexes of SQLite with the changed rows before each commit."""

import logging
import sqlite3
import time
from collections.abc import Sequence

from hero_admin.listing.search.sqlite_index import SqliteIndex
from hero_admin.model.resource import Resource

# The longest time that a commit spends on it.
REFRESH_SECONDS = 0.03
ROWS_AT_ONCE = 200

logger = logging.getLogger("hero_admin.listing.search.sqlite")


class Refresher:
    """Updates the indexes of resources before a transaction is committed, for a limited time.

    Searches find rows that are left over, and the next commit continues with them.
    """

    def __init__(self, resources: Sequence[Resource]) -> None:
        self._resources = resources
        # Search fields depend on all models, some of which may be defined later.
        self._indexes: list[SqliteIndex] | None = None

    def __call__(self, connection: sqlite3.Connection) -> None:
        if self._indexes is None:
            searched = [each for each in self._resources if each.search_fields]
            self._indexes = [SqliteIndex(each) for each in searched if not each.read_only]
        latest = time.perf_counter() + REFRESH_SECONDS
        for index in self._indexes:
            while _has_changes(connection, index) and _refresh(connection, index):
                if time.perf_counter() > latest:
                    break


def _has_changes(connection: sqlite3.Connection, index: SqliteIndex) -> bool:
    try:
        return bool(connection.execute(index.asking).fetchall())
    # There is no index until `doctor --fix` creates it.
    except sqlite3.OperationalError:
        return False


def _refresh(connection: sqlite3.Connection, index: SqliteIndex) -> bool:
    connection.execute("SAVEPOINT refreshing")
    try:
        for statement in index.refreshing(ROWS_AT_ONCE):
            connection.execute(statement)
        connection.execute("RELEASE refreshing")
    # An error in the index must not fail the commit.
    except sqlite3.Error as error:
        if connection.in_transaction:
            connection.execute("ROLLBACK TO refreshing")
            connection.execute("RELEASE refreshing")
        logger.warning("The index %s needs `doctor --fix`: %s", index.name, error)
        return False
    return True
