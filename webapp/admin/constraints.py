"""Constraints that a database looks at only when a transaction ends."""

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from webapp.database import is_postgresql
from webapp.errors import Invalid


async def defer_constraints(session: AsyncSession) -> None:
    """Let rows come back in any order, where the database was made for that."""
    if is_postgresql(session):
        await session.execute(text("SET CONSTRAINTS ALL DEFERRED"))


async def check_constraints(session: AsyncSession, sentence: str) -> None:
    """Let the database look now; raises Invalid with the sentence if it refuses."""
    if not is_postgresql(session):
        return
    try:
        async with session.begin_nested():
            await session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    except IntegrityError:
        raise Invalid({"": sentence}) from None
