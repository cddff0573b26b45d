"""Submissions: each form that created a record, so that sending it twice creates it once."""

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
    """One create form that was accepted; `digest` covers its one-time token and all it held."""

    __tablename__ = "hero_admin_submission"

    digest: str = Field(primary_key=True, max_length=64)
    resource: str = Field(max_length=200)
    key: str
    created_at: datetime = Field(index=True)


def submission_digest(token: str, texts: Mapping[str, str]) -> str:
    """Return the digest of a submitted form: the same token with other texts is another form."""
    return hashlib.sha256(json.dumps([token, sorted(texts.items())]).encode()).hexdigest()


async def claim(session: AsyncSession, digest: str, resource: str) -> Submission | None:
    """Claim a form for this request; None says that another request has created its record.

    Two requests with the same form take turns here: the database makes the second one wait.
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
