"""Files of the history: each file that was in a record, once, by the digest of its content.

Entries hold digests; the bytes are copied from table to table within the database.
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Column, ColumnElement, LargeBinary, Select, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, col

from hero_admin.database.own_tables import OwnTable
from hero_admin.database.upsert import upsert


class HistoryBlob(OwnTable, table=True):
    """The bytes of a file that is, or was, in a record."""

    __tablename__ = "hero_admin_blob"

    digest: str = Field(primary_key=True, max_length=64)
    data: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


async def record_blob(session: AsyncSession, digest: str, data: bytes) -> None:
    """Add files that are about to be stored, by digest, unless they are there."""
    given = upsert(HistoryBlob).values(digest=digest, data=data)
    # Locked, so that nobody removes them before they are stored.
    await session.execute(
        given.on_conflict_do_update(index_elements=["digest"], set_={"digest": digest})
    )


async def fetch_known(session: AsyncSession, digests: Collection[str]) -> set[str]:
    """Return the digests whose files exist, and lock these until they are stored."""
    found = select(col(HistoryBlob.digest)).where(col(HistoryBlob.digest).in_(digests))
    return set(await session.scalars(found.with_for_update(read=True)))


async def record_stored_blobs(
    session: AsyncSession, digest: ColumnElement[str], column: ColumnElement[Any], *where: Any
) -> None:
    """Add the files in a column of some records, which other programs may have written."""
    found = select(digest, column).where(column.is_not(None), *where)
    given = upsert(HistoryBlob).from_select(["digest", "data"], found)
    await session.execute(given.on_conflict_do_nothing())


def select_data(digest: ColumnElement[str]) -> Select[bytes]:
    return select(col(HistoryBlob.data)).where(col(HistoryBlob.digest) == digest)
