"""Turns: transactions that others have to wait for. SQLite has one writer anyway."""

from collections.abc import Sequence

from sqlalchemy import Connection, Table, text
from sqlalchemy.ext.asyncio import AsyncConnection


def take_turn(connection: Connection, lock: int) -> None:
    """Wait until no other transaction has a lock of this number, which nothing else takes."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": lock})


async def lock_tables(connection: AsyncConnection, tables: Sequence[Table]) -> None:
    """Let nobody else write to tables until the transaction ends, however long it takes."""
    if connection.dialect.name == "postgresql":
        names = ", ".join(map(connection.dialect.identifier_preparer.format_table, tables))
        await connection.execute(text("SET LOCAL statement_timeout = 0"))
        await connection.execute(text("SET LOCAL lock_timeout = 0"))
        await connection.execute(text(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE"))
