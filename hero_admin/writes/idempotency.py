"""Idempotency: a form that is sent twice creates its record once."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, delete, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, col

from hero_admin.database.own_tables import OwnTable
from hero_admin.database.upsert import upsert

RETENTION = timedelta(days=7)
# One in sixteen new forms removes those that are older.
PRUNING_DIGIT = "0"


class Submission(OwnTable, table=True):
    """An accepted form of a new record; `digest` covers its token and all its texts."""

    __tablename__ = "hero_admin_submission"

    digest: str = Field(primary_key=True, max_length=64)
    resource: str = Field(max_length=200)
    key: str
    created_at: datetime = Field(index=True)


def submission_digest(token: str, texts: Mapping[str, str]) -> str:
    """Return the digest of a form: the same token with other texts is another form."""
    return hashlib.sha256(json.dumps([token, sorted(texts.items())]).encode()).hexdigest()


async def claim(session: AsyncSession, digest: str, resource: str) -> bool:
    """Claim a form for this request; return False if another request has created its record.

    The database makes a concurrent request with the same form wait here.
    """
    now = datetime.now(UTC)
    if digest.startswith(PRUNING_DIGIT):
        old = col(Submission.created_at) < now - RETENTION
        await session.execute(delete(Submission).where(old))
    claimed = upsert(Submission).on_conflict_do_nothing()
    values = {"digest": digest, "resource": resource, "key": "", "created_at": now}
    made = await session.execute(claimed.values(values))
    return cast(CursorResult[Any], made).rowcount == 1


async def record_key(session: AsyncSession, digest: str, key: str) -> None:
    """Record the key of the record that a claimed form has created."""
    await session.execute(
        update(Submission).where(col(Submission.digest) == digest).values(key=key)
    )


async def fetch_key(session: AsyncSession, digest: str) -> str:
    """Return the key of the record that an earlier request has created."""
    return (await session.get_one(Submission, digest)).key
