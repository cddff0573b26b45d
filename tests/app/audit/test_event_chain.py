"""The chain of events: a changed, removed, moved or added event shows, and where."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial

import pytest
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.audit_log.event_chain import (
    EVENTS,
    HASHED,
    HEADS,
    ChainKey,
    Head,
    append,
    chain_key_of,
    store_head,
)
from hero_admin.audit_log.event_log import EventLog
from hero_admin.audit_log.event_retention import prune
from hero_admin.audit_log.event_verification import Verified, verify
from hero_admin.audit_log.events import Event, StoredEvent
from hero_admin.database.engines import Database
from hero_admin.listing.search.connect import connect
from hero_admin.settings import Settings
from hero_admin.testing import Client
from tests.cases import each
from tests.commands import run
from tests.stored import Stored

KEY = chain_key_of("the secret key of the server")
# Whoever has the database has no key, and can only guess.
GUESSED = chain_key_of("guessed")
HEAD_CHANGED = "The head of the log was changed: its signature doesn't match."
COUNT = 10
CHANGED = "was changed, or doesn't follow the one before it."


def event(number: int) -> Event:
    return Event("exported", f"Zoë {number}", count=number, details={"ü": [None, number]})


async def write(session: AsyncSession, count: int = COUNT, key: ChainKey = KEY) -> None:
    for number in range(count):
        await append(session, key, [event(number)])
        await session.commit()


async def verified(
    database: Database, keys: Sequence[ChainKey] = (KEY,), anchors: dict[int, str] | None = None
) -> Verified:
    async with database.session(is_read_only=True) as session:
        return await verify(session, keys, anchors)


async def test_what_nobody_touched_is_unbroken(database: Database, session: AsyncSession) -> None:
    assert (await verified(database)).broken == ""
    await write(session)
    found = await verified(database)
    assert (found.broken, found.count, found.restarts, found.unknown_count) == ("", COUNT, [], 0)
    assert found.head.last_id == COUNT
    # Without the key nothing can be said.
    unknown = await verified(database, [GUESSED])
    assert (unknown.unknown_first_id, unknown.unknown_last_id) == (1, COUNT)


@each("name", [*HASHED[1:], "key_check", "hash"])
async def test_a_changed_value_shows_in_the_event_that_has_it(
    database: Database, session: AsyncSession, name: str
) -> None:
    await session.execute(delete(EVENTS))
    await session.execute(delete(HEADS))
    await write(session)
    value = {"at": text("'2020-01-01 00:00:00'"), "by_id": 7, "count": 99}.get(name, "x" * 16)
    await session.execute(update(EVENTS).where(EVENTS.c.id == 4).values({name: value}))
    await session.commit()
    found = await verified(database)
    if name == "key_check":
        # As if another key had signed it: the next one follows its hash, and it is counted.
        assert (found.broken, found.unknown_first_id, found.unknown_count) == ("", 4, 1)
    else:
        assert found.broken == "Event 4 was changed, or doesn't follow the one before it."


@each("value", ["at = 'x'", "at = 7", "at = x'ff'", "by_name = x'ff'", "details_json = x'ff'"])
async def test_what_no_column_should_hold_shows_in_the_event_that_has_it(
    database: Database, session: AsyncSession, value: str
) -> None:
    for table in (EVENTS, HEADS):
        await session.execute(delete(table))
    await write(session)
    try:
        await session.execute(text(f"UPDATE hero_admin_event SET {value} WHERE id = 4"))
    except DBAPIError:
        # PostgreSQL takes it for no time.
        await session.rollback()
        return
    await session.commit()
    assert (await verified(database)).broken == f"Event 4 {CHANGED}"


async def take_out(session: AsyncSession, ids: Sequence[int]) -> None:
    await session.execute(delete(EVENTS).where(EVENTS.c.id.in_(ids)))


async def swap(session: AsyncSession) -> None:
    for old, new in ((3, 99), (4, 3), (99, 4)):
        await session.execute(update(EVENTS).where(EVENTS.c.id == old).values(id=new))


async def put_in(session: AsyncSession) -> None:
    row = (await session.execute(select(EVENTS).where(EVENTS.c.id == COUNT))).mappings().one()
    values = {**row, "id": COUNT + 1, "by_name": "Eve"}
    values["hash"] = GUESSED.hash_of(values, row["hash"])
    await session.execute(insert(EVENTS).values(values))


async def renumber(session: AsyncSession) -> None:
    await take_out(session, [4])
    for number in range(5, COUNT + 1):
        moved = update(EVENTS).where(EVENTS.c.id == number).values(id=number - 1)
        await session.execute(moved)


async def cut_off(session: AsyncSession) -> None:
    await take_out(session, [9, 10])
    last = select(EVENTS.c.hash).where(EVENTS.c.id == 8)
    last_hash = (await session.execute(last)).scalar_one()
    await session.execute(update(HEADS).values(last_id=8, last_hash=last_hash))


async def cut_off_without_a_key(session: AsyncSession, **head: object) -> None:
    await cut_off(session)
    await session.execute(update(HEADS).values(head))


async def pretend_to_have_pruned_all(session: AsyncSession) -> None:
    last_hash = (await session.execute(select(HEADS.c.last_hash))).scalar_one()
    await take_out(session, range(1, COUNT + 1))
    await session.execute(update(HEADS).values(pruned_id=COUNT, pruned_hash=last_hash))
    await session.execute(update(HEADS).values(signature=""))


async def take_head(session: AsyncSession) -> None:
    await session.execute(delete(HEADS))


async def pretend_pruning(session: AsyncSession) -> None:
    await take_out(session, [1, 2])
    found = select(EVENTS.c.hash).where(EVENTS.c.id == 10)
    last_hash = (await session.execute(found)).scalar_one()
    await store_head(session, replace(GUESSED, check=KEY.check), Head(2, "0" * 64, 10, last_hash))


Attack = Callable[[AsyncSession], Awaitable[None]]


@pytest.mark.parametrize(
    ("attack", "sentence"),
    {
        "one": (partial(take_out, ids=(4,)), "Event 4 is missing."),
        "the first": (partial(take_out, ids=(1,)), "Event 1 is missing."),
        "the last": (partial(take_out, ids=(9, 10)), "Event 9 is missing."),
        "all": (partial(take_out, ids=range(1, 11)), "Event 1 is missing."),
        "moved": (swap, f"Event 3 {CHANGED}"),
        "gap": (renumber, f"Event 4 {CHANGED}"),
        "forged": (put_in, f"Event 11 {CHANGED}"),
        "cut": (cut_off, HEAD_CHANGED),
        "unsigned": (partial(cut_off_without_a_key, signature=""), HEAD_CHANGED),
        "other key": (partial(cut_off_without_a_key, key_check=GUESSED.check), HEAD_CHANGED),
        "emptied": (pretend_to_have_pruned_all, HEAD_CHANGED),
        "pruned": (pretend_pruning, f"Event 3 {CHANGED}"),
        "head": (take_head, "The head of the log is missing."),
    }.values(),
    ids=[str(number) for number in range(13)],
)
async def test_whoever_has_the_database_but_no_key_leaves_a_trace(
    database: Database, session: AsyncSession, attack: Attack, sentence: str
) -> None:
    await write(session)
    await attack(session)
    await session.commit()
    found = await verified(database)
    assert found.broken == sentence
    # It stays, whatever is told afterwards.
    await append(session, KEY, [event(11)])
    await session.commit()
    found = await verified(database)
    assert found.broken or found.restarts


async def test_an_anchor_shows_a_log_that_was_begun_anew(
    database: Database, session: AsyncSession
) -> None:
    await write(session)
    head = (await verified(database)).head
    anchors = {head.last_id: head.last_hash}
    assert (await verified(database, anchors=anchors)).broken == ""
    await session.execute(delete(EVENTS))
    await session.execute(delete(HEADS))
    await session.commit()
    assert (await verified(database)).broken == ""
    assert (await verified(database, anchors=anchors)).broken
    await write(session, COUNT + 1)
    assert (await verified(database, anchors=anchors)).broken == (
        "Event 10 isn't the one that was noted as an anchor."
    )


async def test_another_key_goes_on_where_the_former_one_stopped(
    database: Database, session: AsyncSession
) -> None:
    await write(session, 2)
    await write(session, 2, GUESSED)
    found = await verified(database, [GUESSED])
    assert (found.broken, found.restarts) == ("", [])
    assert (found.unknown_first_id, found.unknown_last_id) == (1, 2)
    both = await verified(database, [GUESSED, KEY])
    assert (both.broken, both.unknown_count, both.count) == ("", 0, 5)


@each("head", [{}, {"signature": ""}, {"key_check": GUESSED.check}, {"key_check": "x"}])
async def test_a_new_key_does_not_hide_what_was_cut_off_before(
    database: Database, session: AsyncSession, head: dict[str, str]
) -> None:
    for table in (EVENTS, HEADS):
        await session.execute(delete(table))
    await write(session)
    await cut_off_without_a_key(session, **{"last_id": 8, **head})
    await session.commit()
    await write(session, 2, GUESSED)
    found = await verified(database, [GUESSED, KEY])
    assert (found.broken, found.restarts) == ("", [9])


async def test_a_new_key_is_no_restart_after_all_events_of_the_former_were_pruned(
    database: Database, session: AsyncSession, stored: Stored
) -> None:
    await write(session, 2)
    await write(session, 2, GUESSED)
    cut = (await stored.all(StoredEvent))[2].moment
    assert await prune(session, [GUESSED], cut) == 2
    found = await verified(database, [GUESSED])
    assert (found.broken, found.restarts, found.unknown_count) == ("", [], 0)


async def test_many_processes_that_tell_at_once_make_one_chain(
    settings: Settings, database: Database, stored: Stored
) -> None:
    others = [connect(settings) for _ in range(3)]
    logs = [EventLog(each, KEY) for each in others]
    await asyncio.gather(
        *(log.save([event(number), event(number)]) for number in range(20) for log in logs)
    )
    for log, other in zip(logs, others, strict=True):
        await log.close()
        await other.close()
    found = await verified(database)
    assert (found.broken, found.count, found.restarts) == ("", 120, [])
    rows = await stored.all(StoredEvent)
    assert [each.id for each in rows] == list(range(1, 121))


async def test_what_is_pruned_leaves_a_chain_that_begins_later(
    database: Database, session: AsyncSession, stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hero_admin.audit_log.event_retention.ROWS_PER_BATCH", 2)
    await write(session)
    cut = (await stored.all(StoredEvent))[6].moment
    assert await prune(session, [KEY], cut) == 6
    found = await verified(database)
    assert (found.broken, found.head.pruned_id, found.head.last_id) == ("", 6, 11)
    *_, last = await stored.all(StoredEvent)
    assert (last.kind, last.count, last.details["last_id"]) == ("pruned", 6, 6)
    # What is removed beside it shows as ever.
    await take_out(session, [7])
    await session.commit()
    assert (await verified(database)).broken == "Event 7 is missing."
    assert await prune(session, [KEY], cut) == 0


async def test_a_head_that_was_changed_is_not_signed_by_pruning(
    database: Database, session: AsyncSession, stored: Stored
) -> None:
    await write(session)
    cut = (await stored.all(StoredEvent))[6].moment
    await cut_off(session)
    await session.commit()
    assert await prune(session, [GUESSED, KEY], cut) == 0
    assert (await verified(database)).broken == HEAD_CHANGED


async def test_the_head_of_a_former_key_is_pruned_and_signed_anew(
    database: Database, session: AsyncSession, stored: Stored
) -> None:
    await write(session)
    cut = (await stored.all(StoredEvent))[6].moment
    assert await prune(session, [GUESSED, KEY], cut) == 6
    found = await verified(database, [GUESSED, KEY])
    assert (found.broken, found.restarts, found.head.last_id) == ("", [], 11)


# The command.


async def test_the_doctor_names_the_first_broken_event(
    client: Client, database_url: str, session: AsyncSession
) -> None:
    key = "a key of the operator that is long enough"

    async def doctor(*arguments: str, code: int = 0, key: str = key) -> str:
        environment = {"WEBAPP_SECRET_KEY": key}
        done = await asyncio.to_thread(
            run, "doctor", "audit", *arguments, url=database_url, environment=environment
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    assert await doctor() == "No events yet.\n"
    await write(session, 5, chain_key_of(key))
    lines = (await doctor()).splitlines()
    assert lines[0].startswith("5 events from ")
    anchor = lines[-1].removeprefix("Anchor: ")
    assert anchor.startswith("5:")
    assert (await doctor("--anchor", anchor)).splitlines() == lines
    assert "isn't the one" in await doctor("--anchor", f"5:{'0' * 64}", code=1)
    other = "another key that is long enough, too"
    assert "have another key" in await doctor(key=other, code=1)
    again = await doctor("--old-key", key, key=other)
    assert again.splitlines() == lines
    refused = await asyncio.to_thread(run, "doctor", "audit", "--anchor=x", url=database_url)
    assert refused.returncode == 2
    assert "Removed 0 events" in await doctor("--prune", "2020-01-01")
    pruned = await doctor("--prune", "2100-01-01")
    assert "Removed 5 events before 2100-01-01." in pruned
    assert pruned.splitlines()[-1].startswith("Anchor: 6:")
    await session.execute(update(EVENTS).values(by_name="Eve"))
    await session.commit()
    broken = await doctor("--prune", "2100-01-01", code=1)
    assert broken.startswith("Broken: Event 6 was changed")
