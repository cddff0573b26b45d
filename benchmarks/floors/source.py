"""The rows of the floors' page, straight from the driver."""

import os
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import asyncpg

# Any: a driver's row, read by position.
Row = Sequence[Any]

SELECT = """
SELECT hero.id, hero.name, hero.secret_name, hero.age, hero.team_id, team.name
FROM hero LEFT JOIN team ON team.id = hero.team_id
ORDER BY hero.name, hero.id LIMIT 26
"""
CONNECTIONS = 10


def database() -> str:
    """The database that the benchmark gives: the path of a file, or it begins with postgresql://."""
    return os.environ["BENCHMARK_DATABASE"]


def is_postgresql() -> bool:
    return database().startswith("postgresql")


async def open_rows() -> Callable[[], Awaitable[Sequence[Row]]]:
    """Connect, and return what fetches the first page of heroes by name."""
    if is_postgresql():
        pool = await asyncpg.create_pool(database(), min_size=1, max_size=CONNECTIONS)

        async def fetch_from_server() -> Sequence[Row]:
            rows: Sequence[Row] = await pool.fetch(SELECT)
            return rows

        return fetch_from_server

    connection = sqlite3.connect(database(), isolation_level=None)

    # In the event loop: the query takes less than a trip to a thread does.
    async def fetch_from_file() -> Sequence[Row]:
        return connection.execute(SELECT).fetchall()

    return fetch_from_file
