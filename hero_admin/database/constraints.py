"""Constraints that a database checks only when a transaction ends."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.database.engines import is_postgresql


async def defer_constraints(session: AsyncSession) -> None:
    """Let rows come back in any order, where the database was made for that."""
    if is_postgresql(session):
        await session.execute(text("SET CONSTRAINTS ALL DEFERRED"))


async def check_now(session: AsyncSession) -> None:
    """Let the database check now, while a refusal still finds its field; raises what it says.

    SQLite checks when the transaction is committed, and then only.
    """
    if is_postgresql(session):
        await session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
