"""Transactions: their locks, and when constraints are checked.

SQLite has one writer anyway, and checks what it defers when the transaction is committed.
"""

from collections.abc import Sequence

from sqlalchemy import ARRAY, Connection, Integer, Table, bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from hero_admin.database.engines import is_postgresql


async def defer_constraints(session: AsyncSession) -> None:
    """Defer the constraints that are deferrable, so that rows can be restored in any order."""
    if is_postgresql(session):
        await session.execute(text("SET CONSTRAINTS ALL DEFERRED"))


async def check_now(session: AsyncSession) -> None:
    """Check deferred constraints now, so that a refusal still finds its field; raises it."""
    if is_postgresql(session):
        await session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))


def take_turn(connection: Connection, lock: int) -> None:
    """Wait for the advisory lock of this number, and hold it until the transaction ends."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": lock})


async def take_turns(session: AsyncSession, space: int, locks: Sequence[int]) -> None:
    """Wait for several advisory locks, and hold them until the transaction ends.

    Without a deadlock, as everybody takes them in order: `locks` are sorted.
    """
    if is_postgresql(session):
        taking = text("SELECT pg_advisory_xact_lock(:space, each) FROM unnest(:locks) AS each")
        typed = taking.bindparams(bindparam("locks", type_=ARRAY(Integer)))
        await session.execute(typed, {"space": space, "locks": locks})


async def lock_tables(connection: AsyncConnection, tables: Sequence[Table]) -> None:
    """Lock tables against other writers until the transaction ends, without a time limit."""
    if connection.dialect.name == "postgresql":
        names = ", ".join(map(connection.dialect.identifier_preparer.format_table, tables))
        await connection.execute(text("SET LOCAL statement_timeout = 0"))
        await connection.execute(text("SET LOCAL lock_timeout = 0"))
        await connection.execute(text(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE"))
