"""Plans: how many rows a statement reads, and by which index."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from sqlalchemy import text

from hero_admin.database.engines import Database
from hero_admin.database.sqlite_files import fold_text
from tests.statements import heard_by

Executed = list[tuple[str, Any]]


@contextmanager
def queries(table: str = "hero") -> Iterator[Executed]:
    """Every query of a table executed inside, with its parameters."""
    found: Executed = []

    def note(text: str, parameters: object) -> None:
        if f"FROM {table}" in text or f"JOIN {table}" in text:
            found.append((text, parameters))

    with heard_by(note):
        yield found


async def assert_is_read_by_index(
    database: Database, executed: Executed, most: int, table: str = "hero"
) -> None:
    """Fail for a statement that reads the table itself, or more than `most` rows of an index."""
    assert executed
    # Nothing is committed; also a statement that writes is executed to be explained.
    async with database.writing.connect() as connection:
        raw = await connection.get_raw_connection()
        # Any: asyncpg has no types.
        driver: Any = raw.driver_connection
        if database.reading.dialect.name == "sqlite":
            path = database.reading.url.database
            assert path is not None
            every_row = f"SELECT count(*) FROM {table} NOT INDEXED WHERE id <> 0"
            steps = steps_of(path, [(every_row, ()), *executed])
            for (statement, _), taken in zip(executed, steps[1:], strict=True):
                assert taken < steps[0], (statement, taken, steps[0])
            return
        await connection.execute(text("SET LOCAL enable_seqscan = off"))
        for statement, parameters in executed:
            explained = await driver.fetchval(
                f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", *parameters
            )
            for node in nodes_of(explained[0]["Plan"]):
                if node.get("Relation Name") == table:
                    assert node["Node Type"] != "Seq Scan", statement
                    read = node["Actual Rows"] * node["Actual Loops"]
                    assert read + node.get("Rows Removed by Filter", 0) <= most, (statement, node)


def nodes_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", []):
        yield from nodes_of(inner)


def steps_of(path: str, executed: Executed) -> list[int]:
    """How many instructions of its machine SQLite takes for each of the statements."""
    found = []
    with closing(sqlite3.connect(path)) as connection:
        # As our connections have it.
        connection.create_function("fold", 1, fold_text, deterministic=True)
        for statement, parameters in executed:
            taken = 0

            def step() -> None:
                nonlocal taken
                taken += 1

            connection.set_progress_handler(step, 1)
            connection.execute(statement, parameters).fetchall()
            found.append(taken)
    return found
