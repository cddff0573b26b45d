"""Job pages: how far long work is, what failed, and what can be done about it."""

from collections.abc import Sequence

from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from hero_admin.audit_log.events import export_ended
from hero_admin.audit_log.request_events import events_of
from hero_admin.database.row_scopes import is_limited
from hero_admin.jobs import queue
from hero_admin.jobs.exporting import format_of, has_file, is_view_of, read_file
from hero_admin.jobs.people import UnknownPersonError
from hero_admin.jobs.table import Job, JobFailure, JobKind, JobStatus
from hero_admin.jobs.undoing import count_made, has_seen
from hero_admin.listing.references import fetch_titles
from hero_admin.model.primary_keys import parse_key
from hero_admin.model.resource_rights import permission
from hero_admin.pages.export_events import ExportEvent
from hero_admin.pages.requests import may_in, operation_of, seen_sites_of, site_of
from hero_admin.web.guards import identity_of
from hero_admin.web.mount import path_to
from hero_admin.web.requests import form_of, session_of
from hero_admin.web.responses import attachment, redirect, render
from hero_admin.writes.gate import UNSEEN

MAX_SHOWN_FAILURES = 200
MAX_ID_CHARACTERS = 32
NOTHING = "There is nothing to undo."


async def jobs_page(request: Request) -> Response:
    """GET /jobs: one's own jobs, the latest first; owners see those of everybody."""
    identity = identity_of(request)
    by_name = None if identity.is_owner else identity.name
    jobs = await queue.fetch_jobs(session_of(request), by_name)
    context = {"jobs": [job for job in jobs if _is_seen(request, job)]}
    return render(request, "admin/jobs.html", context, fragments=())


async def job_page(request: Request) -> Response:
    """GET /jobs/0af…: a job, or only the part of its page that changes."""
    session, job = session_of(request), await fetch_own_job(request)
    resource = site_of(request).named(job.resource)
    is_export = job.kind == JobKind.EXPORT
    context = {
        "job": job,
        "resource": resource,
        "failures": await fetch_failures(request, job, MAX_SHOWN_FAILURES),
        "is_export": is_export,
        "has_file": is_export and job.status == JobStatus.DONE and await has_file(session, job.id),
        "is_undo": job.kind == JobKind.UNDO,
    }
    return render(request, "admin/job.html", context, fragments=("job",))


async def cancel_job(request: Request) -> Response:
    """POST /jobs/0af…/cancel: ends it at its next batch → its page."""
    await form_of(request)
    job = await fetch_own_job(request)
    await cancel(request, job)
    return redirect(request, path_to("jobs", job.id))


async def cancel(request: Request, job: Job) -> None:
    """Let a job end at its next batch, or at once if it has not begun."""
    session = session_of(request)
    has_ended = await queue.ask_to_cancel(session, job.id)
    events = events_of(session)
    if has_ended and job.begun is not None and events is not None:
        events.events.append(export_ended(job.begun, 0, is_complete=False))


async def job_file(request: Request) -> Response:
    """GET /jobs/0af…/file: the file that it has made; 404 if there is none any more."""
    session, job = session_of(request), await fetch_own_job(request)
    resource = site_of(request).named(job.resource)
    if resource is not None and not may_in(request, resource, "export"):
        raise HTTPException(403, permission(resource, "export").refusal(identity_of(request)))
    is_done = job.kind == JobKind.EXPORT and job.status == JobStatus.DONE
    if resource is None or not is_done or not await has_file(session, job.id):
        raise HTTPException(404, "This file isn't there any more. Export the list again.")
    view = seen_sites_of(request).view_of(identity_of(request), session.get_bind().dialect)
    if not is_view_of(job, view):
        raise HTTPException(
            403, "This file was made with other permissions. Export the list again."
        )
    form = format_of(job, resource)
    details = {"format": form.extension, "job": job.id}
    await ExportEvent(request, resource.name, details).begin(job.done_count)
    name = f"{resource.name}.{form.extension}"
    headers = {"Content-Disposition": attachment(name), "Content-Length": str(job.file_bytes)}
    body = read_file(request.state.database, job.id)
    return StreamingResponse(body, headers=headers, media_type=form.media_type)


async def fetch_own_job(request: Request, job_id: str = "") -> Job:
    """Fetch a job, that in the path; 404 for one of somebody else, unless an owner asks."""
    job_id = job_id or request.path_params["id"]
    is_id = len(job_id) <= MAX_ID_CHARACTERS and job_id.isalnum() and job_id.isascii()
    job = await queue.fetch_job(session_of(request), job_id) if is_id else None
    if job is None or not _is_seen(request, job):
        raise HTTPException(404, "This job doesn't exist.")
    return job


def _is_seen(request: Request, job: Job) -> bool:
    """Whether a job is of whoever asks, or they are an owner who sees all of its records."""
    identity, session = identity_of(request), session_of(request)
    if (job.by_id, job.by_name) == (identity.user_id, identity.name):
        return True
    resource = site_of(request).named(job.resource)
    is_whole = resource is not None and not is_limited(session, resource.table)
    return identity.is_owner and is_whole


async def fetch_failures(request: Request, job: Job, limit: int) -> Sequence[JobFailure]:
    """Fetch what a job could not do, without the records that its reader no longer sees."""
    session, resource = session_of(request), site_of(request).named(job.resource)
    failures = await queue.fetch_failures(session, job.id, limit)
    if resource is not None and not is_limited(session, resource.table):
        return failures
    keys = [key for each in failures if resource and (key := parse_key(resource, each.key))]
    seen = {text for text, _ in await fetch_titles(session, resource, keys)} if resource else ()
    return [
        each if each.key in seen else JobFailure(job_id=job.id, key="", title="", sentence=UNSEEN)
        for each in failures
    ]


async def start_job(request: Request, new: queue.NewJob) -> Response:
    """Add a job to the queue → its page."""
    await add_job(request, new)
    return noticed(request, redirect(request, path_to("jobs", new.id)))


async def add_job(request: Request, new: queue.NewJob) -> None:
    """Add a job to the queue; raises 400 for a person who cannot be stored."""
    try:
        await queue.add_job(session_of(request), new)
    except UnknownPersonError as error:
        raise HTTPException(400, str(error)) from None


def noticed(request: Request, response: Response) -> Response:
    """Return a response after which the worker of this process looks for a job."""
    worker = request.app.state.worker
    if worker is not None:
        response.background = BackgroundTask(worker.notify)
    return response


async def undo_job(request: Request, job: Job) -> Response:
    """Undo what a job has done, in the background → the page of that; 409 while it goes on."""
    session, by = session_of(request), identity_of(request)
    is_seen = _is_seen(request, job)
    if not is_seen and not await has_seen(session, site_of(request), job.operation, by):
        raise HTTPException(404, NOTHING)
    if job.is_unfinished:
        raise HTTPException(409, "This is still in progress. Cancel it first.")
    total = await count_made(session, job.operation)
    if not total:
        raise HTTPException(404, NOTHING)
    new = queue.NewJob(
        JobKind.UNDO,
        f"{'Redo' if job.kind == JobKind.UNDO else 'Undo'}: {job.label}",
        job.resource,
        total,
        operation_of(request, "undo"),
        payload={"operation": job.operation},
    )
    return await start_job(request, new)
