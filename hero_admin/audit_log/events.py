"""Events: who signed in, read in bulk or was refused, each chained to the one before.

Changes of data are entries of the history, which are undone; events only tell.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, Index, Integer, Text
from sqlmodel import Field

from hero_admin.database.own_tables import OwnTable

MAX_KIND_CHARACTERS = 30
MAX_NAME_CHARACTERS = 200
MAX_ADDRESS_CHARACTERS = 64
MAX_AGENT_CHARACTERS = 200
MAX_TITLE_CHARACTERS = 1_000
HASH_CHARACTERS = 64
KEY_CHECK_CHARACTERS = 16
# The id of the only head.
ONLY = 1
# Whose events are those that nobody did; no account has this name.
SYSTEM = "System"


class EventKind(StrEnum):
    """What happened; changes of accounts have further kinds, named as their entries are.

    EXPORT_ENDED: how an export that was too long for one batch ended. MASKED_READ: the API gave out
    masked values. TOKEN_REFUSED: an expired token was sent. RESTARTED: the head of the chain was
    not the one that this program had left. CONFIRMED, NOT_CONFIRMED: the password was asked again.
    """

    SIGNED_IN = "signed_in"
    SIGN_IN_FAILED = "sign_in_failed"
    SIGNED_OUT = "signed_out"
    SECOND_FACTOR_FAILED = "second_factor_failed"
    CONFIRMED = "identity_confirmed"
    NOT_CONFIRMED = "identity_not_confirmed"
    EXPORTED = "exported"
    EXPORT_ENDED = "export_ended"
    MASKED_READ = "masked_read"
    REVEALED = "revealed"
    REFUSED = "refused"
    TOKEN_FIRST_USED = "token_first_used"  # noqa: S105 - no secret
    TOKEN_REFUSED = "token_refused"  # noqa: S105 - nor this
    RESTARTED = "restarted"
    PRUNED = "pruned"


@dataclass(frozen=True)
class Event:
    """What happened, before it is in the log.

    token: the name of the API token that was used, "" for none. count: of records, sessions or
    rows, None where nothing is counted. details: what else is worth knowing, as JSON.
    is_needed: whether what it tells must not happen without it; has_masked: whether it tells of
    masked values, which nobody gets while no event can be written.
    """

    kind: str
    by_name: str
    by_id: int | None = None
    address: str = ""
    user_agent: str = ""
    token: str = ""
    resource: str = ""
    key: str = ""
    title: str = ""
    count: int | None = None
    # Any: JSON.
    details: Mapping[str, Any] = field(default_factory=dict)
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    is_needed: bool = False
    has_masked: bool = False

    # Any: the values of a row.
    def values(self) -> dict[str, Any]:
        """Return the values of its row, as texts that every database can hold."""
        return {
            "at": self.at,
            "kind": _text(self.kind, MAX_KIND_CHARACTERS),
            "by_id": self.by_id,
            "by_name": _text(self.by_name, MAX_NAME_CHARACTERS),
            "address": _text(self.address, MAX_ADDRESS_CHARACTERS),
            "user_agent": _text(self.user_agent, MAX_AGENT_CHARACTERS),
            "token": _text(self.token, MAX_NAME_CHARACTERS),
            "resource": _text(self.resource, MAX_NAME_CHARACTERS),
            "key": _text(self.key, MAX_TITLE_CHARACTERS),
            "title": _text(self.title, MAX_TITLE_CHARACTERS),
            "count": self.count,
            "details_json": json.dumps(self.details, separators=(",", ":"), default=str),
        }

    # Any: JSON.
    def as_json(self) -> dict[str, Any]:
        """Return who it tells of and what, as JSON, from which `export_ended` makes another one."""
        names = ("by_name", "by_id", "address", "user_agent", "token", "resource", "details")
        return {name: getattr(self, name) for name in names}


# Any: JSON.
def export_ended(begun: Mapping[str, Any], count: int, *, is_complete: bool) -> Event:
    """Return the event that tells how many rows an export had that was left to a job.

    begun: the event with which it began, of `Event.as_json`.
    """
    details = {**begun["details"], "is_complete": is_complete}
    return Event(EventKind.EXPORT_ENDED, **{**begun, "details": details, "count": count})


class StoredEvent(OwnTable, table=True):
    """An event in the log; `hash` is a keyed digest of it and of the hash before.

    Ids have no gaps. key_check: identifies the key.
    """

    __tablename__ = "hero_admin_event"
    __table_args__ = (
        Index("ix_hero_admin_event_at", "at"),
        Index("ix_hero_admin_event_by", "by_name", "id"),
        Index("ix_hero_admin_event_kind", "kind", "id"),
        Index("ix_hero_admin_event_resource", "resource", "id"),
    )

    id: int = Field(
        sa_column=Column(
            BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False
        )
    )
    at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    kind: str = Field(max_length=MAX_KIND_CHARACTERS)
    by_id: int | None = None
    by_name: str = Field(max_length=MAX_NAME_CHARACTERS)
    address: str = Field(max_length=MAX_ADDRESS_CHARACTERS)
    user_agent: str = Field(max_length=MAX_AGENT_CHARACTERS)
    token: str = Field(max_length=MAX_NAME_CHARACTERS)
    resource: str = Field(max_length=MAX_NAME_CHARACTERS)
    key: str
    title: str
    count: int | None = Field(default=None, sa_column=Column(BigInteger))
    details_json: str = Field(sa_column=Column(Text, nullable=False))
    key_check: str = Field(max_length=KEY_CHECK_CHARACTERS)
    hash: str = Field(max_length=HASH_CHARACTERS)

    # Any: JSON.
    @property
    def details(self) -> dict[str, Any]:
        """What else is worth knowing; what somebody else has put there is one text."""
        try:
            found = json.loads(self.details_json)
        except (ValueError, RecursionError):
            found = None
        return found if isinstance(found, dict) else {"unreadable": self.details_json}

    @property
    def moment(self) -> datetime:
        """The time in UTC; SQLite stores no zone."""
        return self.at if self.at.tzinfo else self.at.replace(tzinfo=UTC)


class EventHead(OwnTable, table=True):
    """Where the chain of events begins and ends: the last event that was pruned, and the last one.

    Who appends locks it, so the ids have no gaps. Without the key nobody can make its signature,
    so events are missed also at either end of the log.
    """

    __tablename__ = "hero_admin_event_head"

    id: int = Field(primary_key=True)
    pruned_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    pruned_hash: str = Field(max_length=HASH_CHARACTERS)
    last_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    last_hash: str = Field(max_length=HASH_CHARACTERS)
    key_check: str = Field(max_length=KEY_CHECK_CHARACTERS)
    signature: str = Field(max_length=HASH_CHARACTERS)


def _text(text: str, length: int) -> str:
    """Return a text without what a database or a line of a log does not hold."""
    clean = text.replace("\0", "").encode("utf-8", "replace").decode()
    return clean[:length]
