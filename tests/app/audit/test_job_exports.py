"""Exports in the background: the audit log says when each began, and how many rows it had."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.applications import Starlette

from hero_admin.accounts.rights_now import fetch_as_now
from hero_admin.audit_log.events import StoredEvent
from hero_admin.jobs import exporting
from hero_admin.jobs.worker import Worker
from hero_admin.listing.exports import ROWS_PER_BATCH
from hero_admin.person import Person
from hero_admin.testing import Client, Page
from tests.app.audit.test_audit_page import FIREFOX, lines_of
from tests.app.audit.test_events import told
from tests.factories import a_hero, some_heroes
from tests.stored import Stored


@pytest.fixture
def worker(app: Starlette) -> Worker:
    """A worker in the process of the application, which works when it is told to."""
    return Worker(app.state.database, app.state.seen_sites, fetch_as_now, app.state.auth.events)


@pytest.fixture
async def page(viewer: Client, session: AsyncSession) -> Page:
    """The page of an export of three heroes, which has not begun."""
    await some_heroes(session, 3)
    viewer.headers["User-Agent"] = FIREFOX
    return await viewer.follow(await viewer.post("/heroes.csv?q=hero&sort=-age"))


async def ended(stored: Stored) -> tuple[StoredEvent, StoredEvent]:
    """The two events of an export."""
    began, end = await told(stored, "exported", "export_ended")
    assert (began.kind, began.count, end.kind) == ("exported", None, "export_ended")
    assert end.details == {**began.details, "is_complete": end.details["is_complete"]}
    for name in ("by_name", "by_id", "address", "user_agent", "resource"):
        assert getattr(began, name) == getattr(end, name)
    return began, end


async def test_it_is_told_when_it_begins_and_how_many_rows_it_had(
    page: Page,
    client: Client,
    viewer: Client,
    session: AsyncSession,
    stored: Stored,
    worker: Worker,
) -> None:
    # Not one of those that were counted when it was asked for.
    await a_hero(session, "Hero of late", age=4)
    await worker.run_next()
    began, end = await ended(stored)
    job_id = page.url.path.rpartition("/")[2]
    assert began.details | {"export": ""} == {
        "format": "csv",
        "query": "q=hero",
        "job": job_id,
        "masked": False,
        "export": "",
    }
    assert (end.count, end.details["is_complete"], end.by_name) == (4, True, "Vera Viewer")
    assert (await viewer.get(f"{page.url}/file")).status_code == 200
    assert (await told(stored))[-1].details["job"] == job_id
    lines = lines_of(await client.get("/audit-log"))
    assert "Vera Viewer Finished exporting heroes" in lines[1]
    assert "CSV · 4 rows · in the background · 127.0.0.1 · Firefox on Linux" in lines[1]


async def test_one_that_is_cancelled_before_it_begins_had_no_rows(
    page: Page, viewer: Client, stored: Stored, worker: Worker
) -> None:
    await viewer.submit(page.form(press="Cancel"))
    assert not await worker.run_next()
    _, end = await ended(stored)
    assert (end.count, end.details["is_complete"]) == (0, False)


async def test_one_that_fails_on_its_way_had_what_was_written(
    app: Starlette,
    viewer: Client,
    session: AsyncSession,
    stored: Stored,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(exporting, "CHUNK_CHARACTERS", 1)
    await some_heroes(session, 1_203)
    await viewer.post("/heroes.csv")
    asked = 0

    async def shut_out_after_a_chunk(_: AsyncSession, person: Person) -> Person | None:
        nonlocal asked
        asked += 1
        return person if asked < 3 else None

    state = app.state
    worker = Worker(state.database, state.seen_sites, shut_out_after_a_chunk, state.auth.events)
    await worker.run_next()
    _, end = await ended(stored)
    assert (end.count, end.details["is_complete"]) == (ROWS_PER_BATCH, False)
