"""Idempotency: a form that is sent twice creates its record once."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, col

from hero_admin.database.own_tables import OwnTable

RETENTION = timedelta(days=7)


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


async def claim(session: AsyncSession, digest: str, resource: str) -> Submission | None:
    """Claim a form for this request; None if another request has created its record.

    The database makes a concurrent request with the same form wait here.
    """
    now = datetime.now(UTC)
    await session.execute(delete(Submission).where(col(Submission.created_at) < now - RETENTION))
    submission = Submission(digest=digest, resource=resource, key="", created_at=now)
    try:
        async with session.begin_nested():
            session.add(submission)
    except IntegrityError:
        return None
    return submission
