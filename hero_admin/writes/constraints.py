"""Constraints that a database looks at only when a transaction ends."""

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.database.engines import is_postgresql
from hero_admin.database.errors import is_refusal, raised_sentence
from hero_admin.web.errors import Invalid


async def defer_constraints(session: AsyncSession) -> None:
    """Let rows come back in any order, where the database was made for that."""
    if is_postgresql(session):
        await session.execute(text("SET CONSTRAINTS ALL DEFERRED"))


async def check_now(session: AsyncSession) -> None:
    """Let the database look now, while a refusal still finds its field; raises what it says.

    SQLite looks when the transaction is committed, and then only.
    """
    if is_postgresql(session):
        await session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))


async def check_constraints(session: AsyncSession, sentence: str) -> None:
    """Let the database look now; raises Invalid with this sentence, or with that of a trigger."""
    try:
        async with session.begin_nested():
            await check_now(session)
    except DBAPIError as error:
        if not is_refusal(error):
            raise
        raise Invalid({"": raised_sentence(error) or sentence}) from None
