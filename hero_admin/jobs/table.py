"""The tables of jobs: what each does, how far it is, what failed, and the file it has made."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, Index, LargeBinary, Text
from sqlmodel import Field

from hero_admin.database.own_tables import OwnTable
from hero_admin.jobs.people import unpacked
from hero_admin.person import Person


class JobKind(StrEnum):
    """What a job does."""

    ACTION = "action"
    EDIT = "edit"
    DELETE = "delete"
    UNDO = "undo"
    EXPORT = "export"


class JobStatus(StrEnum):
    """How far a job is. FAILED: it met an error, and what it did before is there."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


UNFINISHED = (JobStatus.WAITING, JobStatus.RUNNING)


class Job(OwnTable, table=True):
    """One piece of long work.

    query: the list, all of whose records it is about, as in its URL. payload_json: what to do.
    position_json: the key of the last record, or the id of the last change, that it came to; of an
        export, a digest of what whoever has started it may read.
    worker, leased_until: who works at it, and until when nobody else may.
    done_count: the records without those that failed; total: how many there were at its start.
    """

    __tablename__ = "hero_admin_job"
    __table_args__ = (
        Index("ix_hero_admin_job_status", "status", "created_at"),
        Index("ix_hero_admin_job_by", "by_name", "created_at"),
    )

    id: str = Field(primary_key=True, max_length=32)
    kind: str = Field(max_length=20)
    label: str = Field(max_length=400)
    resource: str = Field(max_length=200)
    query: str = Field(default="", sa_column=Column(Text, nullable=False))
    payload_json: str = Field(default="{}", sa_column=Column(Text, nullable=False))
    by_id: int | None = None
    by_name: str = Field(max_length=200)
    by_json: str = Field(sa_column=Column(Text, nullable=False))
    operation: str = Field(max_length=32, index=True)
    action: str | None = Field(default=None, max_length=80)
    status: str = Field(default=JobStatus.WAITING.value, max_length=20)
    is_cancel_asked: bool = False
    total: int = 0
    done_count: int = 0
    failed_count: int = 0
    is_change: bool = False
    position_json: str = Field(default="null", sa_column=Column(Text, nullable=False))
    message: str = Field(default="", sa_column=Column(Text, nullable=False))
    file_bytes: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    worker: str | None = Field(default=None, max_length=32)
    leased_until: datetime | None = Field(
        default=None, sa_column=Column(DateTime(timezone=True), nullable=True)
    )
    created_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    started_at: datetime | None = Field(
        default=None, sa_column=Column(DateTime(timezone=True), nullable=True)
    )
    ended_at: datetime | None = Field(
        default=None, sa_column=Column(DateTime(timezone=True), nullable=True)
    )

    @property
    def is_unfinished(self) -> bool:
        return self.status in UNFINISHED

    @property
    def by(self) -> Person:
        """Who started it, as they were then; raises UnknownPersonError."""
        return unpacked(self.by_json)

    # Any: JSON.
    @property
    def payload(self) -> Mapping[str, Any]:
        found: dict[str, Any] = json.loads(self.payload_json)
        return found

    # Any: JSON.
    @property
    def begun(self) -> Mapping[str, Any] | None:
        """The event with which an export began, as JSON; None for all else."""
        return self.payload.get("event")

    @property
    def seen_count(self) -> int:
        """How many records it has come to."""
        return self.done_count + self.failed_count

    @property
    def can_undo(self) -> bool:
        return self.is_change and not self.is_unfinished

    @property
    def moments(self) -> list[tuple[str, datetime]]:
        """When it was started and ended; SQLite stores no zone."""
        found = (("Started", self.created_at), ("Ended", self.ended_at))
        return [(label, at if at.tzinfo else at.replace(tzinfo=UTC)) for label, at in found if at]


class JobFailure(OwnTable, table=True):
    """A record that a job could not be done to, and why."""

    __tablename__ = "hero_admin_job_failure"
    __table_args__ = (Index("ix_hero_admin_job_failure_job", "job_id", "id"),)

    id: int | None = Field(default=None, primary_key=True)
    job_id: str = Field(max_length=32)
    key: str = Field(sa_column=Column(Text, nullable=False))
    title: str = Field(sa_column=Column(Text, nullable=False))
    sentence: str = Field(sa_column=Column(Text, nullable=False))


class JobChunk(OwnTable, table=True):
    """A part of the file that a job has made, the same for every server."""

    __tablename__ = "hero_admin_job_chunk"

    job_id: str = Field(primary_key=True, max_length=32)
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    data: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
