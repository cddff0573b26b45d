"""History of bytes: every file that was in a record, once, by the digest of its content.

The entries of the history hold digests; the bytes go from table to table inside the database.
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Column, ColumnElement, LargeBinary, Select, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, col

from hero_admin.database.own_tables import OwnTable


class HistoryBlob(OwnTable, table=True):
    """Bytes that are, or were, in some column of a record."""

    __tablename__ = "hero_admin_blob"

    digest: str = Field(primary_key=True, max_length=64)
    data: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


async def record_blob(session: AsyncSession, digest: str, data: bytes) -> None:
    """Keep bytes that are about to be stored, by their digest; those that are known stay."""
    given = _insert().values(digest=digest, data=data)
    # Locked, so that nobody takes them out before they are stored.
    await session.execute(
        given.on_conflict_do_update(index_elements=["digest"], set_={"digest": digest})
    )


async def fetch_known(session: AsyncSession, digests: Collection[str]) -> set[str]:
    """Return those of the digests whose bytes are there, and will be until they are stored."""
    found = select(col(HistoryBlob.digest)).where(col(HistoryBlob.digest).in_(digests))
    return set(await session.scalars(found.with_for_update(read=True)))


async def record_stored_blobs(
    session: AsyncSession, digest: ColumnElement[str], column: ColumnElement[Any], *where: Any
) -> None:
    """Keep what a column of some records holds, which others may have written there."""
    found = select(digest, column).where(column.is_not(None), *where)
    given = _insert().from_select(["digest", "data"], found)
    await session.execute(given.on_conflict_do_nothing())


def select_data(digest: ColumnElement[str]) -> Select[bytes]:
    """Return the statement for the bytes of a digest."""
    return select(col(HistoryBlob.data)).where(col(HistoryBlob.digest) == digest)


def _insert() -> postgresql.Insert:
    # SQLite has the same words for what to do with a key that is there already.
    return postgresql.insert(HistoryBlob)
