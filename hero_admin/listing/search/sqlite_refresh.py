"""Refreshing: brings changed rows into the search indexes of SQLite with each commit."""

import logging
import sqlite3
import time
from collections.abc import Sequence

from hero_admin.listing.search.sqlite_index import SqliteIndex
from hero_admin.model.resource import Resource

# What a commit takes the time for.
REFRESH_SECONDS = 0.03
ROWS_AT_ONCE = 200

logger = logging.getLogger("hero_admin.listing.search.sqlite")


class Refresher:
    """Brings changed rows into the indexes of resources, before a transaction is committed.

    For a limited time: searches find the rest, too, and the next commit goes on.
    """

    def __init__(self, resources: Sequence[Resource]) -> None:
        self._resources = resources
        # Fields follow from all models, of which some may come later.
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
    # The doctor creates it.
    except sqlite3.OperationalError:
        return False


def _refresh(connection: sqlite3.Connection, index: SqliteIndex) -> bool:
    connection.execute("SAVEPOINT refreshing")
    try:
        for statement in index.refreshing(ROWS_AT_ONCE):
            connection.execute(statement)
        connection.execute("RELEASE refreshing")
    # The change itself must not fail because of it.
    except sqlite3.Error as error:
        if connection.in_transaction:
            connection.execute("ROLLBACK TO refreshing")
            connection.execute("RELEASE refreshing")
        logger.warning("The index %s needs `doctor --fix`: %s", index.name, error)
        return False
    return True
