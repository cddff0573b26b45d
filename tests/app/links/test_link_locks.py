"""Two people link the same two records from both sides at the same moment, on a server."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import registry
from sqlmodel import Field, Relationship, SQLModel

from hero_admin.application import create_app
from hero_admin.database.engines import Database
from hero_admin.model.resource import Resource
from hero_admin.person import Role
from hero_admin.settings import Settings
from hero_admin.testing import Client
from hero_admin.writes import links
from hero_admin.writes.rows import insert_records
from tests.serving import serving
from tests.stored import Stored


class Records(SQLModel, registry=registry()):
    """Records apart from those of other tests, some of which have the same names."""


class Labelling(Records, table=True):
    """A key of its own, and nothing that keeps an album from having a label twice."""

    id: int | None = Field(default=None, primary_key=True)
    album_id: int = Field(foreign_key="album.id")
    label_id: int = Field(foreign_key="label.id")


class Album(Records, table=True):
    id: int | None = Field(default=None, primary_key=True)
    title: str = Field(unique=True)
    labels: list["Label"] = Relationship(
        back_populates="albums", link_model=Labelling, sa_relationship_kwargs={"lazy": "raise"}
    )


class Label(Records, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    albums: list[Album] = Relationship(
        back_populates="labels", link_model=Labelling, sa_relationship_kwargs={"lazy": "raise"}
    )


@pytest.fixture
async def collector(settings: Settings, session: AsyncSession) -> AsyncIterator[Client]:
    """A client of an admin of album 1 and label 1."""
    await (await session.connection()).run_sync(Records.metadata.create_all)
    session.add_all([Album(id=1, title="Blue"), Label(id=1, name="Reprise")])
    await session.commit()
    resources = [Resource(Album), Resource(Label), Resource(Labelling)]
    async with serving(create_app(settings, resources), role=Role.OWNER) as client:
        yield client


class Meeting:
    """Lets the first who arrives go on once the second is there too, or waits for its lock."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.count = 0

    async def arrive(self) -> None:
        self.count += 1
        waiting = text(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        # SQLite has one writer at a time.
        while self.count < 2 and not self.database.has_one_writer:
            async with self.database.reading.connect() as connection:
                if (await connection.execute(waiting)).scalar():
                    break
            await asyncio.sleep(0.02)


@pytest.fixture
def meeting(database: Database) -> Meeting:
    return Meeting(database)


# Any: what is called has arguments of its own.
def met(meeting: Meeting, call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def met_before(*given: Any) -> Any:
        await meeting.arrive()
        return await call(*given)

    return met_before


async def test_the_same_link_is_added_once(
    collector: Client, meeting: Meeting, stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    meeting_first = met(meeting, insert_records)
    monkeypatch.setattr("hero_admin.writes.links.insert_records", meeting_first)
    answers = await asyncio.gather(
        collector.post("/albums/1", data={"link.labels.add": "1"}),
        collector.patch("/api/labels/1", json={"albums": {"add": [1]}}),
    )
    assert {answer.status_code for answer in answers} == {303, 200}
    assert [(each.album_id, each.label_id) for each in await stored.all(Labelling)] == [(1, 1)]
    assert meeting.count == 1, "who came second had nothing to add"


async def test_both_records_get_new_unique_values(
    collector: Client, meeting: Meeting, stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = links._Linking  # noqa: SLF001 - where both have changed their record
    monkeypatch.setattr(kind, "lock_targets", met(meeting, kind.lock_targets))
    answers = await asyncio.gather(
        collector.patch("/api/albums/1", json={"title": "Hejira", "labels": {"add": [1]}}),
        collector.post("/labels/1", data={"name": "Asylum", "link.albums.add": "1"}),
    )
    assert {answer.status_code for answer in answers} == {303, 200}
    assert [each.title for each in await stored.all(Album)] == ["Hejira"]
    assert [each.name for each in await stored.all(Label)] == ["Asylum"]
    assert await stored.count(Labelling) == 1
    assert meeting.count == 2, "nobody had to begin again"


async def test_what_is_linked_twice_already_is_shown_and_removed_as_one(
    collector: Client, session: AsyncSession, stored: Stored
) -> None:
    session.add_all([Labelling(album_id=1, label_id=1), Labelling(album_id=1, label_id=1)])
    await session.commit()
    assert (await collector.get("/albums/1")).link("Reprise")
    again = await collector.post("/albums/1", data={"link.labels.add": "1"})
    assert again.status_code == 303
    assert await stored.count(Labelling) == 2
    removed = await collector.post("/albums/1", data={"link.labels.remove": "1"})
    page = await collector.follow(removed)
    assert await stored.count(Labelling) == 0
    await collector.submit(page.undo)
    assert await stored.count(Labelling) == 2
