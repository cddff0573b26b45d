"""Time limits of statements whose result can be left out."""

from collections.abc import Awaitable, Callable
from sqlite3 import SQLITE_INTERRUPT
from typing import TypeVar

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.database import sqlite
from hero_admin.database.engines import is_postgresql

CANCELLED = "57014"
TIMEOUT = text("SELECT set_config('statement_timeout', :milliseconds, true)")

Answer = TypeVar("Answer")


async def in_time(
    session: AsyncSession, answer: Callable[[], Awaitable[Answer | None]], milliseconds: int
) -> Answer | None:
    """Return the result, or None if it takes longer, as it may with a cold cache.

    On PostgreSQL the limit is for each of its statements, and is restored afterwards.
    """
    connection = await session.connection()
    if is_postgresql(session):
        savepoint = await connection.begin_nested()
        try:
            await connection.execute(TIMEOUT, {"milliseconds": str(milliseconds)})
            return await answer()
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != CANCELLED:
                raise
            return None
        finally:
            await savepoint.rollback()
    driver = (await connection.get_raw_connection()).driver_connection
    assert isinstance(driver, sqlite.Connection)
    try:
        with driver.ending_after(milliseconds / 1000):
            return await answer()
    except DBAPIError as error:
        if getattr(error.orig, "sqlite_errorcode", 0) & 0xFF != SQLITE_INTERRUPT:
            raise
        return None
