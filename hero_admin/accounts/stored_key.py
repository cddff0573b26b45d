"""The secret key of a database, for applications that set none: all processes have the same."""

import logging
import secrets

from sqlalchemy import select
from sqlmodel import Field, col

from hero_admin.database.engines import Database
from hero_admin.database.errors import is_unavailable
from hero_admin.database.own_tables import OwnTable
from hero_admin.database.upsert import upsert
from hero_admin.settings import MIN_KEY_CHARACTERS

# The id of the only row.
ONLY = 1

logger = logging.getLogger("hero_admin.accounts")


class StoredKey(OwnTable, table=True):
    """A random text that only the database and its applications know."""

    __tablename__ = "hero_admin_secret_key"

    id: int = Field(primary_key=True)
    key: str


def make_key() -> str:
    """Return a new secret key."""
    return secrets.token_urlsafe(MIN_KEY_CHARACTERS)


async def fetch_key(database: Database) -> str:
    """Return the secret key of a database, made when it is first asked for.

    Where nothing can be written, it is a new one for this process.
    """
    found = await _fetch(database)
    if found is None:
        made = make_key()
        try:
            async with database.session(is_read_only=False) as session:
                # Of several processes one makes it.
                new = upsert(StoredKey).values(id=ONLY, key=made).on_conflict_do_nothing()
                await session.execute(new)
                await session.commit()
        except Exception as error:
            if not is_unavailable(error):
                raise
            logger.warning("The secret key is not stored: %s", type(error).__name__)
            return made
        found = await _fetch(database)
    assert found is not None
    return found


async def _fetch(database: Database) -> str | None:
    async with database.session(is_read_only=True) as session:
        key: str | None = await session.scalar(
            select(col(StoredKey.key)).where(col(StoredKey.id) == ONLY)
        )
        return key
