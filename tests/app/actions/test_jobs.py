"""Jobs: what takes longer than a request is done in batches, watched, cancelled and undone."""

import asyncio
from datetime import UTC, datetime

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col
from starlette.applications import Starlette

from hero_admin import Role
from hero_admin.accounts.rights_now import fetch_as_now
from hero_admin.accounts.users import User
from hero_admin.audit_log.changes import Change
from hero_admin.database.engines import Database
from hero_admin.jobs import batches, undoing
from hero_admin.jobs.table import Job, JobChunk, JobStatus
from hero_admin.jobs.worker import Worker
from hero_admin.pages import actions, selected
from hero_admin.testing import Client, Page, htmx_headers
from tests.cases import on_one_database
from tests.factories import a_hero, some_heroes, some_teams
from tests.stored import Stored
from tests.waiting import until
from webapp.heroes import Hero
from webapp.teams import Team

PART = htmx_headers("div#job")


@pytest.fixture(autouse=True)
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A job begins with 11 records, and does 7 at once."""
    monkeypatch.setattr(selected, "MAX_SELECTED", 10)
    monkeypatch.setattr(actions, "MAX_SELECTED", 10)
    for module in (batches, undoing):
        monkeypatch.setattr(module, "RECORDS_PER_BATCH", 7)


@pytest.fixture
def worker(app: Starlette) -> Worker:
    """A worker in the process of the application, which works when it is told to."""
    return another_worker(app)


def another_worker(app: Starlette) -> Worker:
    return Worker(app.state.database, app.state.seen_sites, fetch_as_now, app.state.auth.events)


async def started(client: Client, session: AsyncSession, count: int = 30) -> tuple[Page, Team]:
    """The page of a job that transfers heroes to a team, all but one of which is possible."""
    (team,) = await some_teams(session, 1)
    await some_heroes(session, count)
    question = await client.get("/heroes/actions/transfer?form.all=q%3Dhero")
    count += 1 if "Hero of old" in question.text else 0
    assert question.heading == f"Transfer {count} heroes?"
    answer = await client.submit(question.form(), team_id=str(team.id), years="1")
    page = await client.follow(answer)
    assert page.heading == f"Transfer {count} heroes"
    return page, team


async def test_an_action_on_many_is_a_job_with_one_line_in_the_history_and_one_undo(
    client: Client, session: AsyncSession, stored: Stored, worker: Worker
) -> None:
    page, team = await started(client, session)
    assert "Waiting for its turn…" in page.text
    # One more by now, and one less.
    await a_hero(session, "Hero 031", age=31)
    assert await worker.run_next()
    assert not await worker.run_next()
    done = await client.get(str(page.url))
    assert done.facts["Done"] == "31 of 30"
    assert "31 heroes transferred" in done.text
    assert "30 matched when it was started." in done.text
    assert {hero.team_id for hero in await stored.all(Hero)} == {team.id}
    assert sorted(hero.age or 0 for hero in await stored.all(Hero)) == list(range(2, 33))
    changes = await stored.all(Change)
    assert len({change.operation for change in changes}) == 1
    assert [change.group_size for change in changes if change.group_size] == [62]
    (line, *_) = (await client.get("/history")).entries
    assert line.sentence.startswith("Olive Owner changed 62 heroes Transfer")
    undoing_it = await client.follow(await client.submit(done.form(press="Undo")))
    assert undoing_it.heading == "Undo: Transfer 30 heroes"
    assert await worker.run_next()
    undone = await client.get(str(undoing_it.url))
    assert undone.facts["Failed"] == "0"
    heroes = await stored.all(Hero)
    assert [(hero.age, hero.team_id) for hero in heroes] == [(age, None) for age in range(1, 32)]
    await client.submit(undone.form(press="Redo"))
    assert await worker.run_next()
    assert {hero.team_id for hero in await stored.all(Hero)} == {team.id}


async def test_a_job_sent_twice_is_done_once(
    client: Client, session: AsyncSession, stored: Stored, worker: Worker
) -> None:
    await some_heroes(session, 20)
    (team,) = await some_teams(session, 1)
    question = (await client.get("/heroes/actions/transfer?form.all=")).form()
    sent = [await client.submit(question, team_id=str(team.id), years="1") for _ in range(2)]
    assert len({each.headers["location"] for each in sent}) == 1
    assert (await client.follow(sent[1])).flash == "Already done; not done twice."
    assert await worker.run_next()
    assert not await worker.run_next()
    assert max(hero.age or 0 for hero in await stored.all(Hero)) == 21


async def test_what_is_not_possible_is_listed_and_the_others_are_done(
    client: Client, session: AsyncSession, stored: Stored, worker: Worker
) -> None:
    await a_hero(session, "Hero of old", age=150_000)
    page, _ = await started(client, session, 20)
    await worker.run_next()
    done = await client.get(str(page.url), headers=PART)
    assert (done.facts["Done"], done.facts["Failed"]) == ("20 of 21", "1")
    assert done.link("Hero of old")
    assert "Enter 150,000 or less." in done.text
    assert [hero.name for hero in await stored.all(Hero) if not hero.team_id] == ["Hero of old"]
    # What has changed since stays.
    await client.post("/heroes/2", data={"age": "99"})
    undo = await client.follow(await client.submit(done.form(press="Undo")))
    await worker.run_next()
    assert (await client.get(str(undo.url))).facts["Failed"] == "2"
    assert [hero.age for hero in await stored.all(Hero) if hero.team_id] == [99]


async def test_a_job_that_was_killed_goes_on_where_it_was(
    app: Starlette,
    client: Client,
    session: AsyncSession,
    stored: Stored,
    worker: Worker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page, _ = await started(client, session)
    ends = 0

    async def dying(*given: object) -> bool:
        nonlocal ends
        ends += 1
        if ends == 3:
            raise asyncio.CancelledError
        return await batches.run_batch(*given)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr("hero_admin.jobs.worker.STEPS", {"action": dying})
        with pytest.raises(asyncio.CancelledError):
            await worker.run_next()
    assert (await client.get(str(page.url))).facts["Done"] == "14 of 30"
    other = another_worker(app)
    # Nobody else takes it before its lease ends.
    assert not await other.run_next()
    past = update(Job).values(leased_until=datetime(2020, 1, 1, tzinfo=UTC))
    await session.execute(past)
    await session.commit()
    assert await other.run_next()
    assert (await client.get(str(page.url))).facts["Done"] == "30 of 30"
    # Each of them once.
    assert sorted(hero.age or 0 for hero in await stored.all(Hero)) == list(range(2, 32))
    # The first one notices that it is no longer its own.
    assert not await worker.run_next()


async def test_several_workers_never_do_the_same(
    app: Starlette, client: Client, session: AsyncSession, stored: Stored
) -> None:
    await started(client, session, 20)
    team = str((await stored.all(Team))[0].id)
    for _ in range(2):
        question = await client.get("/heroes/actions/transfer?form.all=")
        await client.submit(question.form(), team_id=team, years="1")
    workers = [another_worker(app) for _ in range(5)]
    assert sum(await asyncio.gather(*(each.run_next() for each in workers))) == 3
    assert sorted(hero.age or 0 for hero in await stored.all(Hero)) == list(range(4, 24))
    assert {job.status for job in await stored.all(Job)} == {"done"}


async def test_a_job_is_cancelled_at_its_next_batch(
    app: Starlette,
    client: Client,
    session: AsyncSession,
    stored: Stored,
    worker: Worker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page, _ = await started(client, session)
    waiting = await client.submit(page.form(press="Cancel"))
    assert "Cancelled." in (await client.follow(waiting)).text
    assert not await worker.run_next()
    question = await client.get("/heroes/actions/transfer?form.all=")
    team = str((await stored.all(Team))[0].id)
    page = await client.follow(await client.submit(question.form(), team_id=team))

    async def cancelled(*given: object) -> bool:
        goes_on = await batches.run_batch(*given)  # type: ignore[arg-type]
        await client.submit((await client.get(str(page.url))).form(press="Cancel"))
        return goes_on

    monkeypatch.setattr("hero_admin.jobs.worker.STEPS", {"action": cancelled})
    (job,) = [each for each in await stored.all(Job) if each.is_unfinished]
    assert (await client.post(f"/undo/{job.operation}")).status_code == 409
    await worker.run_next()
    page = await client.get(str(page.url))
    assert page.facts["Done"] == "7 of 30"
    assert page.form(press="Undo").method == "post"
    assert sum(hero.team_id is not None for hero in await stored.all(Hero)) == 7


async def test_all_that_match_are_edited_and_deleted_in_the_background(
    client: Client, session: AsyncSession, stored: Stored, worker: Worker
) -> None:
    teams = await some_teams(session, 15)
    await some_heroes(session, 20, teams[0])
    form = (await client.get("/heroes/change?form.all=")).form()
    assert (await client.submit(form, {"form.set.age": True}, age="x")).status_code == 422
    page = await client.follow(await client.submit(form, {"form.set.age": True}, age="7"))
    await worker.run_next()
    assert "Changed 20 heroes" in (await client.get(str(page.url))).text
    assert {hero.age for hero in await stored.all(Hero)} == {7}
    question = await client.get("/teams/delete?form.all=")
    assert question.heading == "Delete 15 teams?"
    page = await client.follow(await client.submit(question.form()))
    await worker.run_next()
    page = await client.get(str(page.url))
    assert "Deleted 15 teams" in page.text
    assert await stored.count(Team) == 0
    assert {hero.team_id for hero in await stored.all(Hero)} == {None}
    await client.submit(page.form(press="Undo"))
    await worker.run_next()
    assert await stored.count(Team) == 15
    assert {hero.team_id for hero in await stored.all(Hero)} == {teams[0].id}


async def test_a_list_is_exported_to_a_file(
    client: Client, viewer: Client, session: AsyncSession, stored: Stored, worker: Worker
) -> None:
    await some_heroes(session, 30)
    streamed = (await viewer.get("/heroes.csv?age_min=11&sort=-age")).text
    page = await viewer.follow(await viewer.post("/heroes.csv?age_min=11&sort=-age"))
    assert page.heading == "Export 20 heroes"
    await worker.run_next()
    page = await viewer.get(str(page.url))
    file = await viewer.get(f"{page.url}/file")
    assert file.text == streamed
    assert file.headers["content-disposition"] == 'attachment; filename="heroes.csv"'
    lines = await viewer.follow(await viewer.post("/heroes.jsonl"))
    await worker.run_next()
    assert (await viewer.get(f"{lines.url}/file")).text == (await viewer.get("/heroes.jsonl")).text
    # An owner sees the jobs of all, others their own.
    assert len((await client.get("/jobs")).by_id("main").find_all("li")) > 2
    owned = await client.follow(await client.post("/heroes.jsonl"))
    assert (await viewer.get(str(owned.url))).status_code == 404
    assert await stored.count(JobChunk) == 2


async def test_whoever_may_no_longer_do_it_ends_the_job(
    client: Client, editor: Client, session: AsyncSession, stored: Stored, worker: Worker
) -> None:
    page, _ = await started(editor, session)
    demoted = update(User).where(col(User.role) == Role.EDITOR.value)
    await session.execute(demoted.values(role=Role.VIEWER.value))
    await session.commit()
    await worker.run_next()
    page = await client.get(str(page.url))
    assert page.alert == "Edward Editor may no longer do this."
    assert (await stored.all(Job))[0].status == JobStatus.FAILED
    assert {hero.team_id for hero in await stored.all(Hero)} == {None}
    assert (await editor.get("/heroes")).status_code == 200


@on_one_database
async def test_an_error_in_an_action_ends_the_job_and_leaves_what_was_done(
    client: Client,
    session: AsyncSession,
    worker: Worker,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    page, _ = await started(client, session)
    steps = 0

    async def failing(*given: object) -> bool:
        nonlocal steps
        steps += 1
        if steps == 2:
            raise ZeroDivisionError
        return await batches.run_batch(*given)  # type: ignore[arg-type]

    monkeypatch.setattr("hero_admin.jobs.worker.STEPS", {"action": failing})
    await worker.run_next()
    page = await client.get(str(page.url))
    assert page.alert.startswith("Something failed on our side")
    assert page.facts["Done"] == "7 of 30"
    assert page.form(press="Undo").method == "post"
    assert "A job failed" in caplog.text


@on_one_database
async def test_a_worker_finds_what_it_is_told_about_and_leaves_it_when_it_is_stopped(
    client: Client, session: AsyncSession, stored: Stored, database: Database, worker: Worker
) -> None:
    worker.start()
    page, _ = await started(client, session)
    worker.notify()

    async def is_done() -> bool:
        return "heroes transferred" in (await client.get(str(page.url))).text

    await until(is_done)
    await worker.stop()
    await client.submit((await client.get(str(page.url))).form(press="Undo"))
    assert {job.status for job in await stored.all(Job)} == {"done", "waiting"}


async def test_the_api_starts_a_job_and_says_how_far_it_is(
    client: Client, editor: Client, viewer: Client, session: AsyncSession, worker: Worker
) -> None:
    await a_hero(session, "Hero of old", age=150_000)
    (team,) = await some_teams(session, 1)
    await some_heroes(session, 20)
    body = {"all_matching": {"q": "hero"}, "form": {"team_id": team.id, "years": 2}}
    answer = await editor.post("/api/heroes/actions/transfer", json=body)
    assert answer.status_code == 202, answer.text
    assert answer.json()["count"] == 21
    url = answer.headers["location"]
    assert (await editor.get(url)).json()["status"] == "waiting"
    assert (await viewer.get(url)).status_code == 404
    await worker.run_next()
    state = (await editor.get(url)).json()
    assert (state["status"], state["done"], state["failed"]) == ("done", 20, 1)
    assert state["failures"][0]["title"] == "Hero of old"
    assert state["operation"] == answer.json()["operation"]
    assert (await editor.post(f"{url}/cancel")).json()["status"] == "done"
