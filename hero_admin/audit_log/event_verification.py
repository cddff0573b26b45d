"""Verification of the chain of events: the first one that was changed, removed or put in."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import String, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.audit_log.event_chain import (
    EVENTS,
    HASHED,
    ChainKey,
    Head,
    SignedHead,
    fetch_head,
)
from hero_admin.audit_log.events import EventKind

ROWS_PER_BATCH = 2_000

# Any: the values of a row, by column; `at` is None if it is no time.
Row = Mapping[str, Any]


@dataclass
class Verified:
    """What a verification has found.

    broken: a sentence about the first broken event, "" if there is none. restarts: the ids of
    events that say that the head was not as it had been left, without those of a new key. unknown:
    the first and the last id that a key nobody gave has signed, and how many. head: where the chain
    ends.
    """

    count: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    broken: str = ""
    restarts: list[int] = field(default_factory=list)
    unknown_first_id: int = 0
    unknown_last_id: int = 0
    unknown_count: int = 0
    head: Head = field(default_factory=Head)


async def verify(
    session: AsyncSession, keys: Sequence[ChainKey], anchors: Mapping[int, str] | None = None
) -> Verified:
    """Verify all events by the keys that may have signed them, up to the first broken one.

    anchors: the hashes of events, by id, that were noted elsewhere. The session should see one
    state of the database.
    """
    signed = await fetch_head(session)
    found, head = Verified(), signed.head if signed else Head()
    known = {key.check: key for key in keys}
    last_id, last_hash, last_check = head.pruned_id, head.pruned_hash, ""
    async for row in _rows(session):
        found.broken = _break_of(row, last_id, last_hash, known, anchors or {})
        if found.broken:
            return found
        _count(found, row, known)
        is_restart = row["kind"] == EventKind.RESTARTED and row["key_check"] in known
        if is_restart and not _is_new_key(row, (last_id, last_hash, last_check), known):
            found.restarts.append(row["id"])
        last_id, last_hash, last_check = row["id"], row["hash"], row["key_check"]
    found.head = Head(head.pruned_id, head.pruned_hash, last_id, last_hash)
    found.broken = _break_at_the_end(signed, found.head, last_check, known, anchors or {})
    return found


def _break_of(
    row: Row,
    last_id: int,
    last_hash: str,
    known: Mapping[str, ChainKey],
    anchors: Mapping[int, str],
) -> str:
    """Return what is wrong with an event after the one with `last_id`, "" if nothing is."""
    if row["id"] <= last_id:
        return f"Event {row['id']:,} should have been pruned."
    if row["id"] > last_id + 1:
        return f"Event {last_id + 1:,} is missing."
    key = known.get(row["key_check"])
    if row["at"] is None or (key is not None and key.hash_of(row, last_hash) != row["hash"]):
        return f"Event {row['id']:,} was changed, or doesn't follow the one before it."
    if anchors.get(row["id"], row["hash"]) != row["hash"]:
        return f"Event {row['id']:,} isn't the one that was noted as an anchor."
    return ""


def _is_new_key(row: Row, last: tuple[int, str, str], known: Mapping[str, ChainKey]) -> bool:
    """Whether a restart tells of nothing but a new key: the head of the former one ends the log.

    last: the id, the hash and the key check of the event before.
    """
    details = json.loads(row["details_json"])
    if details["reason"] != "key":
        return False
    found = SignedHead.of(details["head"])
    key, last_check = known.get(found.key_check), last[2]
    names_last = (found.head.last_id, found.head.last_hash) == last[:2]
    # What nobody's key has signed counts as unknown. All events of the key may have been pruned.
    is_of_last = last_check in ("", found.key_check) and found.key_check != row["key_check"]
    return names_last and is_of_last and (key is None or found.is_signed_by(key))


def _break_at_the_end(
    signed: SignedHead | None,
    head: Head,
    last_check: str,
    known: Mapping[str, ChainKey],
    anchors: Mapping[int, str],
) -> str:
    if signed is None:
        return "The head of the log is missing." if head.last_id or anchors else ""
    if signed.head.last_id > head.last_id:
        return f"Event {head.last_id + 1:,} is missing."
    if signed.head != head:
        return f"Event {head.last_id:,} isn't the one that the head of the log names."
    key = known.get(signed.key_check)
    # The last event has the same key then, and counts as unknown.
    is_unknown = key is None and signed.key_check == last_check
    if not is_unknown and not (key and signed.is_signed_by(key)):
        return "The head of the log was changed: its signature doesn't match."
    late = [each for each in anchors if each > head.last_id]
    return f"Event {min(late):,} is missing." if late else ""


def _count(found: Verified, row: Row, known: Mapping[str, ChainKey]) -> None:
    found.count += 1
    found.first_at, found.last_at = found.first_at or row["at"], row["at"]
    if row["key_check"] not in known:
        found.unknown_first_id = found.unknown_first_id or row["id"]
        found.unknown_last_id = row["id"]
        found.unknown_count += 1


async def _rows(session: AsyncSession) -> AsyncIterator[Row]:
    columns = [EVENTS.c[name] for name in (*HASHED, "key_check", "hash") if name != "at"]
    # SQLite may hold anything there.
    columns.append(type_coerce(EVENTS.c.at, String).label("at"))
    last_id: int | None = None
    while True:
        statement = select(*columns).order_by(EVENTS.c.id).limit(ROWS_PER_BATCH)
        if last_id is not None:
            statement = statement.where(EVENTS.c.id > last_id)
        rows = (await session.execute(statement)).mappings().all()
        for row in rows:
            yield {**row, "at": _moment(row["at"])}
        if len(rows) < ROWS_PER_BATCH:
            return
        last_id = rows[-1]["id"]


def _moment(value: object) -> datetime | None:
    """Return a time as a database gives it back, None if it is none."""
    if isinstance(value, datetime):
        return value
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
