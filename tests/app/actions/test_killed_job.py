"""A server process that is killed in the middle of a job: the next one goes on with it."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import httpx
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.audit_log.changes import Change
from hero_admin.jobs.table import Job, JobStatus
from hero_admin.testing import Client, Page
from tests.factories import some_heroes
from tests.held_actions import HELD, HELD_AT, PER_BATCH, PROGRAM
from tests.server import running_server
from tests.stored import Stored
from tests.waiting import until
from webapp.heroes import Hero

HEROES = 30
# In the third batch, of which two heroes are done by then.
IN_THE_MIDDLE = "Hero 017"


def browser(url: str) -> Client:
    headers = {"Sec-Fetch-Site": "same-origin"}
    return Client(httpx.AsyncClient(base_url=url, headers=headers, timeout=60))


async def ended(client: Client, url: str) -> Page:
    """The page of a job once it has ended."""
    page = Page("")

    async def has_ended() -> bool:
        nonlocal page
        page = await client.get(url)
        return "Ended" in page.facts

    await until(has_ended)
    return page


async def test_a_job_outlives_kill_9_and_is_done_to_each_record_once(
    database_url: str, tmp_path: Path, session: AsyncSession, stored: Stored
) -> None:
    await some_heroes(session, HEROES)
    before = [hero.age for hero in await stored.all(Hero)]
    after = [(age or 0) + 1 for age in before]
    environment = {"WEBAPP_DATABASE_URL": database_url, "WEBAPP_AUTH": "off"}
    held = tmp_path / "held"
    holding = environment | {HELD_AT: IN_THE_MIDDLE, HELD: str(held)}
    with running_server(tmp_path / "log", holding, program=PROGRAM) as server:
        async with browser(server.url) as client:
            question = await client.get("/heroes/actions/age?form.all=")
            started = await client.submit(question.form())
        await until(held.exists)
        server.process.kill()
        server.process.wait()
    done = 2 * PER_BATCH
    (job,) = await stored.all(Job)
    assert (job.status, job.done_count) == (JobStatus.RUNNING, done)
    assert [hero.age for hero in await stored.all(Hero)] == after[:done] + before[done:]
    # Half a minute later nobody holds it any more.
    await session.execute(update(Job).values(leased_until=datetime(2020, 1, 1, tzinfo=UTC)))
    await session.commit()
    with running_server(tmp_path / "log", environment, program=PROGRAM) as server:
        async with browser(server.url) as client:
            page = await ended(client, started.headers["location"])
            assert (page.facts["Done"], page.facts["Failed"]) == ("30 of 30", "0")
            assert [hero.age for hero in await stored.all(Hero)] == after
            told = Counter(change.key for change in await stored.all(Change))
            assert (len(told), {*told.values()}) == (HEROES, {1})
            undo = await client.submit(page.form(press="Undo"))
            assert (await ended(client, undo.headers["location"])).facts["Failed"] == "0"
    assert [hero.age for hero in await stored.all(Hero)] == before
