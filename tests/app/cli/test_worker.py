"""`worker`: runs jobs in a process of its own."""

import asyncio

from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.jobs.table import Job
from hero_admin.settings import Settings
from hero_admin.testing import Client
from tests.commands import run
from tests.factories import some_heroes
from tests.stored import Stored
from webapp.heroes import Hero


async def test_a_worker_does_what_a_server_was_asked_for(
    client: Client, session: AsyncSession, settings: Settings, stored: Stored
) -> None:
    await some_heroes(session, 1_001)
    question = await client.get("/heroes/change?form.all=")
    page = await client.follow(
        await client.submit(question.form(), {"form.set.age": True}, age="7")
    )
    assert page.heading == "Edit 1,001 heroes"
    assert [job.status for job in await stored.all(Job)] == ["waiting"]
    done = await asyncio.to_thread(run, "worker", "--once", url=settings.database_url)
    assert done.returncode == 0, done.stderr
    assert [job.status for job in await stored.all(Job)] == ["done"]
    assert {hero.age for hero in await stored.all(Hero)} == {7}
