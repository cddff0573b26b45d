"""Batches: a job goes on by some records, in a transaction that also writes down how far it is."""

import json
from collections.abc import Sequence

from starlette.datastructures import QueryParams

from hero_admin.audit_log.changes import Operation
from hero_admin.database.after_commit import commit
from hero_admin.jobs import queue
from hero_admin.jobs.batch_transaction import BatchTransaction
from hero_admin.jobs.table import Job, JobStatus
from hero_admin.jobs.tasks import Outcome, Task, fetch_title, task_of, verb_of
from hero_admin.jobs.workplace import TaskError, Workplace
from hero_admin.listing.matching import fetch_matching_keys, fetch_still_matching
from hero_admin.listing.query import ListQuery
from hero_admin.listing.query_parser import parse_query
from hero_admin.listing.search.backend import backend_of
from hero_admin.model.primary_keys import Key, key_text, parse_key
from hero_admin.model.resource import Resource
from hero_admin.model.site import Site
from hero_admin.person import Person
from hero_admin.rights import ACTION
from hero_admin.web.errors import Invalid
from hero_admin.writes import deletion
from hero_admin.writes.transaction import Transaction

# Few, so that neither the event loop nor other writers wait for long.
RECORDS_PER_BATCH = 200

# The key, the title and the sentence of a record that something could not be done to.
Failure = tuple[str, str, str]


async def run_batch(place: Workplace, job: Job) -> bool:
    """Go on with a job on records by a batch; return whether there is more to do.

    Raises TaskError if it cannot go on.
    """
    person = await place.fetch_by(job)
    resource = _resource_of(place, job, person)
    query = _query_of(place.seen_sites.of(person), resource, job)
    keys = await _fetch_keys(place, person, query, job)
    async with place.session(person, is_read_only=False) as session:
        held = await place.hold(session, job.id)
        if held is None:
            return False
        if not keys:
            await place.end(session, held, JobStatus.DONE)
            await session.commit()
            return False
        by = await place.check_person(session, held)
        task = task_of(place.site, _resource_of(place, held, by), held)
        via = "action" if held.action else "bulk"
        operation = Operation(by, via, held.operation, held.action)
        transaction = BatchTransaction(session, place.site, operation)
        await deletion.lock(session, query.resource, keys)
        matching = await fetch_still_matching(session, query, keys)
        outcome, failures = await _do(transaction, query, task, matching, held.done_count)
        await queue.record_failures(session, held, failures)
        await queue.advance(
            session,
            job.id,
            place.worker,
            done_count=held.done_count + len(matching) - len(failures),
            failed_count=held.failed_count + len(failures),
            is_change=held.is_change or outcome.is_change,
            message=outcome.message or held.message,
            position_json=json.dumps(key_text(query.resource, keys[-1])),
        )
        await commit(session)
    return True


async def _do(
    transaction: Transaction, query: ListQuery, task: Task, keys: Sequence[Key], earlier: int
) -> tuple[Outcome, list[Failure]]:
    """Do a task to records together or, if it is not possible for one of them, one by one."""
    session, resource = transaction.session, query.resource
    if not keys:
        return Outcome(False), []
    try:
        async with session.begin_nested():
            return await task.do(transaction, keys, earlier), []
    except Invalid as invalid:
        first = invalid
    outcome, failures = Outcome(False), list[Failure]()
    for key in keys:
        try:
            if len(keys) == 1:
                raise first
            async with session.begin_nested():
                one = await task.do(transaction, [key], earlier)
        except Invalid as invalid:
            title = await fetch_title(session, resource, key)
            failures.append((key_text(resource, key), title, str(invalid)))
            continue
        earlier += 1
        outcome = Outcome(outcome.is_change or one.is_change, one.message or outcome.message)
    return outcome, failures


async def _fetch_keys(place: Workplace, person: Person, query: ListQuery, job: Job) -> list[Key]:
    """Fetch the keys of the next records, without a lock, as it may take long to find them."""
    position = json.loads(job.position_json)
    after = parse_key(query.resource, position) if position is not None else None
    async with place.session(person, is_read_only=True) as session:
        await backend_of(session).prepare_streaming(session, is_narrowed=query.is_narrowed)
        return await fetch_matching_keys(session, query, RECORDS_PER_BATCH, after)


def _resource_of(place: Workplace, job: Job, person: Person) -> Resource:
    verb = verb_of(job)
    whole = place.site.named(job.resource)
    name = verb.removeprefix(ACTION)
    if verb != name and whole and name not in {each.name for each in whole.actions}:
        raise TaskError(f"There is no action “{name}” any more.")
    return place.resource_of(job, person, verb)


def _query_of(site: Site, resource: Resource, job: Job) -> ListQuery:
    query = parse_query(site, resource, "", QueryParams(job.query))
    if query.problems:
        raise TaskError(" ".join(problem.sentence for problem in query.problems))
    return query
