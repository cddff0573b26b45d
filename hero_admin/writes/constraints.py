"""Constraints that a database looks at only when a transaction ends."""

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.database.constraints import check_now
from hero_admin.database.errors import is_refusal, raised_sentence
from hero_admin.web.errors import Invalid


async def check_constraints(session: AsyncSession, sentence: str) -> None:
    """Let the database look now; raises Invalid with this sentence, or with that of a trigger."""
    try:
        async with session.begin_nested():
            await check_now(session)
    except DBAPIError as error:
        if not is_refusal(error):
            raise
        raise Invalid({"": raised_sentence(error) or sentence}) from None
