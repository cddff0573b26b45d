"""The rows of the floors' pages, straight from the driver."""

import os
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

import asyncpg

from hero_admin.listing.search import postgresql, sqlite

# Any: a driver's row, read by position.
Row = Sequence[Any]
Rows = Callable[[bytes], Awaitable[Sequence[Row]]]

CONNECTIONS = 10
COLUMNS = "id, name, secret_name, age, team_id"


def database() -> str:
    """The database that the benchmark gives: the path of a file, or it begins with postgresql://."""
    return os.environ["BENCHMARK_DATABASE"]


def is_postgresql() -> bool:
    return database().startswith("postgresql")


def question(query: bytes) -> tuple[str, tuple[Any, ...]]:
    """Return the statement for a page of heroes, with one more than that, and its parameters.

    `?sort=-age&size=50&value=30&id=7`: behind hero 7, who is 30. There are no filters.
    """
    given = dict(parse_qsl(query.decode()))
    sort, size = given.get("sort", "name"), int(given.get("size", 25)) + 1
    if "value" not in given:
        return _select(sort, is_start=True), (size,)
    value = given["value"] if sort.endswith("name") else int(given["value"])
    return _select(sort, is_start=False), (size, value, int(given["id"]))


@cache
def _select(sort: str, *, is_start: bool) -> str:
    column = sort.removeprefix("-")
    backend = postgresql if is_postgresql() else sqlite

    # As the indexes are by which lists are sorted by name.
    def key(text: str) -> str:
        return f"({backend.sort_key_sql(text)})" if column == "name" else text

    way, sign = ("DESC", "<") if sort.startswith("-") else ("", ">")
    order = f"{key(column)} {way}, id {way}"
    page = f"SELECT {COLUMNS} FROM hero WHERE {column} IS NOT NULL ORDER BY {order} LIMIT $1"
    if not is_start:
        # No planner makes one look into the index of a comparison of rows or of an OR.
        place = key("$2" if not is_postgresql() or column != "name" else "CAST($2 AS text)")
        branches = (
            f"{key(column)} = {place} AND id {sign} $3 ORDER BY id {way}",
            f"{key(column)} {sign} {place} ORDER BY {order}",
        )
        page = " UNION ALL ".join(
            f"SELECT * FROM (SELECT {COLUMNS} FROM hero WHERE {branch} LIMIT $1) AS part"
            for branch in branches
        )
        page += " LIMIT $1"
    # An index in the order of a list ends with its last row, a sort of so few rows takes no time.
    return (
        "SELECT hero.id, hero.name, hero.secret_name, hero.age, hero.team_id, team.name"
        f" FROM ({page}) AS hero LEFT JOIN team ON team.id = hero.team_id"
        f" ORDER BY {key(f'hero.{column}')} {way}, hero.id {way}"
    )


async def open_rows() -> Rows:
    """Connect, and return what fetches the page of heroes that a query asks for."""
    if is_postgresql():
        pool = await asyncpg.create_pool(database(), min_size=1, max_size=CONNECTIONS)

        async def fetch_from_server(query: bytes) -> Sequence[Row]:
            statement, parameters = question(query)
            rows: Sequence[Row] = await pool.fetch(statement, *parameters)
            return rows

        return fetch_from_server

    connection = sqlite3.connect(database(), isolation_level=None)

    # In the event loop: the query takes less than a trip to a thread does.
    async def fetch_from_file(query: bytes) -> Sequence[Row]:
        statement, parameters = question(query)
        return connection.execute(statement.replace("$", "?"), parameters).fetchall()

    return fetch_from_file
