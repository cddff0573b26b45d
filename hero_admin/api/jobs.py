"""Jobs in the API: how far one is, and cancelling it."""

from datetime import datetime
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hero_admin.api.routes import guarded
from hero_admin.api.schemas import ErrorDetail
from hero_admin.api.scopes import check_scope
from hero_admin.jobs import queue
from hero_admin.jobs.table import Job
from hero_admin.pages.jobs import cancel, fetch_failures, fetch_own_job
from hero_admin.person import Role
from hero_admin.rights import Permission
from hero_admin.web.requests import session_of

TAG = "jobs"
MAX_FAILURES = 200
# Any: what FastAPI takes.
NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"model": ErrorDetail}}


class JobFailed(BaseModel):
    """A record that a job could not be done to, and why."""

    id: str
    title: str
    sentence: str


class JobState(BaseModel):
    """How far a job is; `status` is waiting, running, done, cancelled or failed.

    operation: what Undo takes back. failures: the first ones.
    """

    id: str
    label: str
    status: str
    total: int
    done: int
    failed: int
    message: str
    operation: str
    started_at: datetime
    failures: list[JobFailed]


async def _fetch_job(request: Request, id: str) -> Job:
    """Fetch a job of the person who asks; 403 if their token isn't for its records."""
    job = await fetch_own_job(request, id)
    check_scope(request, [job.resource] if job.resource else [])
    return job


def add_job_routes(api: FastAPI) -> None:
    """Add the routes of jobs to the API."""

    async def read_job(request: Request, id: str) -> Response:
        return await _answer(request, await _fetch_job(request, id))

    async def cancel_job(request: Request, id: str) -> Response:
        job = await _fetch_job(request, id)
        await cancel(request, job)
        found = await queue.fetch_job(session_of(request), job.id)
        if found is None:
            raise HTTPException(404)
        return await _answer(request, found)

    # Everybody their own.
    route_class = guarded(Permission(Role.VIEWER, "see jobs"), ())
    for method, path, handler, summary in (
        ("GET", "/jobs/{id}", read_job, "Read job"),
        ("POST", "/jobs/{id}/cancel", cancel_job, "Cancel job"),
    ):
        api.router.add_api_route(
            path,
            handler,
            methods=[method],
            summary=summary,
            response_model=JobState,
            tags=[TAG],
            responses=NOT_FOUND,
            route_class_override=route_class,
        )


async def _answer(request: Request, job: Job) -> Response:
    failures = await fetch_failures(request, job, MAX_FAILURES)
    state = JobState(
        id=job.id,
        label=job.label,
        status=job.status,
        total=job.total,
        done=job.done_count,
        failed=job.failed_count,
        message=job.message,
        operation=job.operation,
        started_at=job.moments[0][1],
        failures=[
            JobFailed(id=each.key, title=each.title, sentence=each.sentence) for each in failures
        ],
    )
    return JSONResponse(state.model_dump(mode="json"))
