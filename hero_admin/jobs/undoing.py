"""Undoing in batches: the changes of an operation of a job, the last ones first."""

import json
from collections.abc import Sequence

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from hero_admin.audit_log.changes import WRITES, Change, Operation
from hero_admin.audit_log.operation_changes import NEWEST_FIRST, is_of_operation
from hero_admin.database.after_commit import commit
from hero_admin.history.revert import revert
from hero_admin.history.timeline import MAX_PAGES_UNSEEN
from hero_admin.history.visibility import without_unseen
from hero_admin.jobs import queue
from hero_admin.jobs.batch_transaction import BatchTransaction
from hero_admin.jobs.batches import RECORDS_PER_BATCH, Failure
from hero_admin.jobs.table import Job, JobStatus
from hero_admin.jobs.workplace import NOT_ALLOWED, TaskError, Workplace
from hero_admin.model.resource_rights import undo_permission
from hero_admin.model.site import Site
from hero_admin.person import Person
from hero_admin.web.errors import Invalid
from hero_admin.writes.gate import UNSEEN
from hero_admin.writes.row_changes import RowsChange, is_of_rows, rows_change_of


async def count_made(session: AsyncSession, operation_id: str) -> int:
    """Count the changes of an operation."""
    counted = select(func.count()).select_from(Change).where(*_is_made(operation_id))
    return (await session.execute(counted)).scalar_one()


async def has_seen(session: AsyncSession, site: Site, operation_id: str, by: Person) -> bool:
    """Whether a person sees one of the last changes of an operation."""
    changes = select(Change).where(*_is_made(operation_id)).order_by(*NEWEST_FIRST)
    for number in range(MAX_PAGES_UNSEEN):
        some = changes.offset(number * RECORDS_PER_BATCH).limit(RECORDS_PER_BATCH)
        found = list(await session.scalars(some))
        if not found or await without_unseen(session, site, found, by):
            return bool(found)
    return False


async def undo_batch(place: Workplace, job: Job) -> bool:
    """Go on with undoing an operation by a batch; return whether there is more to do.

    A record that has changed since is left as it is, and is a failure.
    """
    undone = str(job.payload["operation"])
    ids = await _fetch_ids(place, undone, json.loads(job.position_json))
    person = await place.fetch_by(job)
    async with place.session(person, is_read_only=False) as session:
        held = await place.hold(session, job.id)
        if held is None:
            return False
        if not ids:
            message = f"Undone: {held.done_count:,} changes"
            await place.end(session, held, JobStatus.DONE, message)
            await session.commit()
            return False
        by = await place.check_person(session, held)
        if not undo_permission(place.site.recorded).allows(by):
            raise TaskError(NOT_ALLOWED.format(job.by_name))
        made = await _fetch_made(session, undone, ids)
        via = "redo" if made and made[0].via == "undo" else "undo"
        operation = Operation(by, via, held.operation)
        transaction = BatchTransaction(session, place.site, operation)
        failures = await _undo(transaction, place.site, made)
        await queue.record_failures(session, held, failures)
        await queue.advance(
            session,
            job.id,
            place.worker,
            done_count=held.done_count + len(made) - len(failures),
            failed_count=held.failed_count + len(failures),
            is_change=held.is_change or len(failures) < len(made),
            position_json=json.dumps(ids[-1]),
        )
        await commit(session)
    return True


async def _undo(transaction: BatchTransaction, site: Site, made: Sequence[Change]) -> list[Failure]:
    """Undo changes together or, if one of the records has changed since, one by one."""
    session, failures = transaction.session, list[Failure]()
    records = [each for each in made if not is_of_rows(each)]
    seen = await without_unseen(session, site, records, transaction.operation.by)
    # Not even a title of what they may not see.
    failures += [("", "", UNSEEN)] * (len(records) - len(seen))
    unknown = [each for each in seen if not _is_known(site, each)]
    for each in unknown:
        sentence = f"The {each.resource} are not here any more, or read-only."
        failures.append((each.key, each.title, sentence))
    # By their ids: comparing two changes compares all of their values.
    ids = {each.id for each in seen} - {each.id for each in unknown}
    known = [each for each in made if is_of_rows(each) or each.id in ids]
    try:
        async with session.begin_nested():
            await revert(transaction, [_read(each) for each in known])
    except Invalid:
        for each in known:
            try:
                async with session.begin_nested():
                    await revert(transaction, [_read(each)])
            except Invalid as invalid:
                failures.append((each.key, each.title, str(invalid)))
    return failures


async def _fetch_ids(place: Workplace, operation_id: str, before: int | None) -> list[int]:
    """Fetch the ids of the next changes to undo, the last ones first."""
    ids = select(col(Change.id)).where(*_is_made(operation_id))
    if before is not None:
        ids = ids.where(col(Change.id) < before)
    ids = ids.order_by(*NEWEST_FIRST).limit(RECORDS_PER_BATCH)
    async with place.database.session(is_read_only=True) as session:
        return [each for each in await session.scalars(ids) if each is not None]


async def _fetch_made(session: AsyncSession, operation_id: str, ids: Sequence[int]) -> list[Change]:
    """Fetch and lock changes, the last ones first."""
    changes = select(Change).where(col(Change.id).between(ids[-1], ids[0]), *_is_made(operation_id))
    return list(await session.scalars(changes.order_by(*NEWEST_FIRST).with_for_update()))


def _is_made(operation_id: str) -> tuple[ColumnElement[bool], ...]:
    return (
        is_of_operation(operation_id),
        col(Change.kind).in_([kind.value for kind in WRITES]),
    )


def _is_known(site: Site, change: Change) -> bool:
    resource = site.recorded_named(change.resource)
    return resource is not None and not resource.read_only


def _read(change: Change) -> Change | RowsChange:
    return rows_change_of(change) if is_of_rows(change) else change
