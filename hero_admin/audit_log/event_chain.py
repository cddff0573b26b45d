"""The chain of events: each has a keyed digest of itself and of the digest before.

Whoever has the database but not the key can change no event, leave none out and put none in
without a trace: https://datatracker.ietf.org/doc/html/rfc5848 signs logs for the same reason.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.audit_log.events import (
    HASH_CHARACTERS,
    KEY_CHECK_CHARACTERS,
    ONLY,
    SYSTEM,
    Event,
    EventHead,
    EventKind,
    StoredEvent,
)
from hero_admin.database.upsert import upsert

# What the first event follows.
NO_HASH = "0" * HASH_CHARACTERS
# The columns that a hash is about, in this order.
HASHED = (
    *("id", "at", "kind", "by_id", "by_name", "address", "user_agent", "token"),
    *("resource", "key", "title", "count", "details_json"),
)
# The columns of a head.
SIGNED = ("pruned_id", "pruned_hash", "last_id", "last_hash", "key_check", "signature")
EVENTS = StoredEvent.__table__  # type: ignore[attr-defined]  # SQLModel does not declare it
HEADS = EventHead.__table__  # type: ignore[attr-defined]  # nor here


@dataclass(frozen=True)
class ChainKey:
    """The key of a chain, derived from the secret key of the server.

    check: identifies it without telling it.
    """

    secret: bytes
    check: str

    # Any: the values of a row, by column.
    def hash_of(self, values: Mapping[str, Any], before: str) -> str:
        """Return the hash of an event that follows the one with the hash `before`."""
        at: datetime = values["at"]
        at = at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
        told = {**values, "at": at.isoformat(timespec="microseconds")}
        parts = [before, *(told[name] for name in HASHED)]
        # SQLite gives back bytes, which somebody else has put into a text.
        return self._digest(json.dumps(parts, separators=(",", ":"), default=repr))

    def signature_of(self, head: "Head") -> str:
        """Return the signature of a head."""
        parts = ["head", head.pruned_id, head.pruned_hash, head.last_id, head.last_hash]
        return self._digest(json.dumps(parts, separators=(",", ":")))

    def _digest(self, text: str) -> str:
        return hmac.new(self.secret, text.encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class Head:
    """The ends of the chain: the last event that was pruned, and the last one."""

    pruned_id: int = 0
    pruned_hash: str = NO_HASH
    last_id: int = 0
    last_hash: str = NO_HASH


@dataclass(frozen=True)
class SignedHead:
    """A head as it is stored."""

    head: Head
    key_check: str
    signature: str

    # Any: the values of a row, or JSON.
    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "SignedHead":
        """Return the head with these values."""
        *ends, key_check, signature = (values[name] for name in SIGNED)
        return cls(Head(*ends), key_check, signature)

    # Any: the same.
    def values(self) -> dict[str, Any]:
        """Return the values of its row."""
        return {**asdict(self.head), "key_check": self.key_check, "signature": self.signature}

    def is_signed_by(self, key: ChainKey) -> bool:
        signature = key.signature_of(self.head)
        return self.key_check == key.check and hmac.compare_digest(self.signature, signature)


def chain_key_of(secret_key: str) -> ChainKey:
    """Return the key of the chain that belongs to the secret key of a server."""
    secret = hmac.new(secret_key.encode(), b"hero_admin.events", hashlib.sha256).digest()
    check = hmac.new(secret, b"key_check", hashlib.sha256).hexdigest()[:KEY_CHECK_CHARACTERS]
    return ChainKey(secret, check)


async def append(session: AsyncSession, key: ChainKey, events: Sequence[Event]) -> None:
    """Append events to the log, in the transaction of the caller, who commits at once.

    Who appends waits for others who do until then.
    """
    signed = await lock_head(session)
    # After the lock, as what was appended until then counts.
    head = await _after_last(session, signed.head)
    problem = _problem_of(signed, key) or ("added" if head != signed.head else "")
    # The first event of all follows nothing.
    if problem and (head.last_id or head.pruned_id):
        # With the head that was found: whoever has its key verifies that it ended the log.
        details = {"reason": problem, "head": signed.values()}
        events = [Event(EventKind.RESTARTED, SYSTEM, details=details), *events]
    rows = []
    for event in events:
        values = {**event.values(), "id": head.last_id + 1, "key_check": key.check}
        values["hash"] = key.hash_of(values, head.last_hash)
        head = replace(head, last_id=values["id"], last_hash=values["hash"])
        rows.append(values)
    await session.execute(insert(EVENTS), rows)
    await store_head(session, key, head)


async def lock_head(session: AsyncSession) -> SignedHead:
    """Return the head, locked until the transaction ends; an unsigned one where there is none."""
    found = await _fetch_head(session, is_locked=True)
    if found is None:
        first = {"id": ONLY, **SignedHead(Head(), "", "").values()}
        await session.execute(upsert(EventHead).values(first).on_conflict_do_nothing())
        found = await _fetch_head(session, is_locked=True)
    assert found is not None
    return found


async def fetch_head(session: AsyncSession) -> SignedHead | None:
    """Return the head, None before the first event."""
    return await _fetch_head(session, is_locked=False)


async def store_head(session: AsyncSession, key: ChainKey, head: Head) -> None:
    """Store the head that somebody has locked, signed."""
    signed = SignedHead(head, key.check, key.signature_of(head))
    await session.execute(update(HEADS).where(HEADS.c.id == ONLY).values(signed.values()))


async def _fetch_head(session: AsyncSession, *, is_locked: bool) -> SignedHead | None:
    found = select(*(HEADS.c[name] for name in SIGNED)).where(HEADS.c.id == ONLY)
    found = found.with_for_update() if is_locked else found
    row = (await session.execute(found)).mappings().first()
    return SignedHead.of(dict(row)) if row else None


def _problem_of(signed: SignedHead, key: ChainKey) -> str:
    """Return what is wrong with a head: “missing”, “key” or “signature”, "" if nothing is."""
    if signed.is_signed_by(key):
        return ""
    if not signed.signature:
        return "missing"
    return "signature" if signed.key_check == key.check else "key"


async def _after_last(session: AsyncSession, head: Head) -> Head:
    """Return a head that goes on after the last event, where the stored one names an earlier one.

    Where it names a later one, that was removed, and leaves a gap which shows.
    """
    later = select(EVENTS.c.id, EVENTS.c.hash).where(EVENTS.c.id > head.last_id)
    row = (await session.execute(later.order_by(EVENTS.c.id.desc()).limit(1))).first()
    return head if row is None else replace(head, last_id=row.id, last_hash=row.hash)
