"""Hooks are called for every write of a record, whatever it comes from, and once."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.types import Message, Receive, Scope, Send

from hero_admin import Change, Invalid, Resource
from hero_admin.application import create_app
from hero_admin.audit_log.changes import Kind
from hero_admin.person import Role
from hero_admin.settings import Settings
from hero_admin.testing import Client
from hero_admin.web import request_session
from tests.app.history.test_restore import latest, reason_of, restore
from tests.app.history.test_undo import undone
from tests.app.links.test_link_forms import ADD, REMOVE
from tests.playlists import Music, Playlist, PlaylistTrack, Track, a_playlist, a_track
from tests.sailors import Sailor, Sea, Ship, a_sailor, a_ship, fits
from tests.serving import client_of, serving
from tests.statements import Statements
from tests.stored import Stored

PIRATE = "Pirates are never taken on."
CAPTAIN = "A captain is never dismissed."


@dataclass
class Office:
    """Gives sailors their badges, and writes down what is saved."""

    saved: list[tuple[str, str | None, str | None, str]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    is_on_strike: bool = False

    def before(self, change: Change[Sailor]) -> None:
        self.asked.append(change.kind)
        if change.after is None:
            if change.before and change.before.is_captain:
                raise Invalid(CAPTAIN)
            return
        if change.after.name == "Pirate":
            raise Invalid(PIRATE, Sailor.name)
        change.after.badge = f"{change.after.name.lower()}-{change.after.ship_id or 'ashore'}"

    async def after_commit(self, change: Change[Sailor]) -> None:
        if self.is_on_strike:
            raise RuntimeError("strike")
        old, new = (each.badge if each else None for each in (change.before, change.after))
        self.saved.append((change.kind, old, new, change.via))

    def take(self) -> list[tuple[str, str | None, str | None, str]]:
        """What was saved since it was asked the last time; each of it was asked for before."""
        saved, asked, self.saved, self.asked = self.saved, self.asked, [], []
        assert [each[0] for each in saved] == asked
        return saved


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
async def harbor(
    settings: Settings, session: AsyncSession, office: Office
) -> AsyncIterator[Client]:
    await (await session.connection()).run_sync(Sea.metadata.create_all)
    await session.commit()
    sailors = Resource(Sailor, check=fits, before=office.before, after_commit=office.after_commit)
    async with serving(create_app(settings, [Resource(Ship), sailors]), role=Role.OWNER) as client:
        yield client


async def badges(stored: Stored) -> list[str]:
    return [each.badge for each in await stored.all(Sailor)]


async def test_whatever_changes_a_record_passes_its_hooks_once(
    harbor: Client, session: AsyncSession, stored: Stored, office: Office
) -> None:
    ship = await a_ship(session)
    # By a form, and undone.
    saved = await harbor.submit((await harbor.get("/sailors/new")).form(), name="Ann")
    assert office.take() == [("create", None, "ann-ashore", "page")]
    await undone(harbor, saved)
    assert office.take() == [("delete", "ann-ashore", None, "undo")]
    # By the API.
    made = (await harbor.post("/api/sailors/", json={"name": "Bob"})).json()
    bob = f"sailors/{made['id']}"
    assert made["badge"] == "bob-ashore"
    assert office.take() == [("create", None, "bob-ashore", "api")]
    patched = await harbor.patch(f"/api/{bob}", json={"ship_id": ship.id})
    assert patched.json()["badge"] == f"bob-{ship.id}"
    assert office.take() == [("update", "bob-ashore", f"bob-{ship.id}", "api")]
    history = await harbor.get(f"/{bob}/history")
    assert history.entries[0].values["Badge"] == f"bob-ashore became bob-{ship.id}"
    # What changes nothing is no write.
    await harbor.patch(f"/api/{bob}", json={"ship_id": ship.id})
    edit = (await harbor.get(f"/{bob}/edit")).form(press="Save changes")
    await harbor.submit(edit)
    assert office.take() == []
    # By a form, and that one change undone, with what the hook had set.
    await harbor.submit(edit, name="Rob")
    assert office.take() == [("update", f"bob-{ship.id}", f"rob-{ship.id}", "page")]
    change = await latest(stored, Kind.CHANGED, "sailors")
    await harbor.post(f"/{bob}/undo", data={"change": str(change.id)})
    assert office.take() == [("update", f"rob-{ship.id}", f"bob-{ship.id}", "undo")]
    # Many at once, and undone.
    cid = await a_sailor(session, "Cid")
    body = {"form.id": [bob.split("/")[1], str(cid.id)], "form.set.ship_id": "1", "ship_id": ""}
    saved = await harbor.post("/sailors/change", data=body)
    gone = [("update", f"bob-{ship.id}", "bob-ashore", "bulk")]
    # The ship of the other one is not changed, so it has no badge yet.
    assert office.take() == gone
    page = await harbor.follow(saved)
    await harbor.submit(page.undo)
    assert office.take() == [("update", "bob-ashore", f"bob-{ship.id}", "undo")]
    # As a consequence, and undone.
    saved = await harbor.post(f"/ships/{ship.id}/delete")
    assert office.take() == [("update", f"bob-{ship.id}", "bob-ashore", "page")]
    assert await badges(stored) == ["bob-ashore", ""]
    await undone(harbor, saved)
    assert office.take() == [("update", "bob-ashore", f"bob-{ship.id}", "undo")]
    assert await badges(stored) == [f"bob-{ship.id}", ""]
    # Deleted, and restored.
    await harbor.post(f"/{bob}/delete")
    assert office.take() == [("delete", f"bob-{ship.id}", None, "page")]
    await restore(harbor, await latest(stored, Kind.DELETED, "sailors"))
    assert office.take() == [("create", None, f"bob-{ship.id}", "restore")]
    assert await badges(stored) == [f"bob-{ship.id}", ""]


async def test_what_a_hook_or_a_rule_refuses_is_not_saved_and_nothing_follows(
    harbor: Client, session: AsyncSession, stored: Stored, office: Office
) -> None:
    ship = await a_ship(session, "Argo", Sailor(name="Ahab", is_captain=True))
    new = (await harbor.get("/sailors/new")).form()
    refused = await harbor.submit(new, name="Pirate")
    assert (refused.status_code, refused.errors) == (422, {"Name": PIRATE})
    answer = await harbor.patch("/api/sailors/1", json={"name": "Pirate"})
    detail = [{"type": "invalid", "loc": ["body", "name"], "msg": PIRATE}]
    assert (answer.status_code, answer.json()["detail"]) == (422, detail)
    # The rule comes after the hook, and refuses what was written.
    assert (await harbor.submit(new, name="Jim", age="9", ship_id=str(ship.id))).status_code == 422
    refused = await harbor.post("/sailors/1/delete")
    assert (refused.status_code, f"Sailor “Ahab”: {CAPTAIN}" in refused.text) == (409, True)
    assert (await harbor.delete("/api/sailors/1")).status_code == 409
    assert (office.saved, await badges(stored)) == ([], [""])
    # An undo that would bring back what the hook refuses by now.
    pirate = await a_sailor(session, "Pirate")
    office.asked.clear()
    deleted = await harbor.post(f"/sailors/{pirate.id}/delete")
    assert office.take() == [("delete", "", None, "page")]
    assert reason_of(await undone(harbor, deleted)) == f"Sailor “Pirate”: {PIRATE}"
    assert office.saved == []


async def test_an_error_after_the_commit_is_logged_and_the_answer_stays(
    harbor: Client, stored: Stored, office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    office.is_on_strike = True
    answer = await harbor.post("/api/sailors/", json={"name": "Ann"})
    assert (answer.status_code, await badges(stored)) == (201, ["ann-ashore"])
    (record,) = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert record.getMessage() == "after_commit= of Resource(Sailor) failed"


async def test_many_records_cost_no_statement_each(
    harbor: Client, session: AsyncSession, stored: Stored, office: Office, statements: Statements
) -> None:
    session.add_all(Sailor(name=f"Sailor {number}") for number in range(60))
    await session.commit()
    ids = [str(each.id) for each in await stored.all(Sailor)]
    counts = []
    for some in (ids[:3], ids[3:]):
        with statements() as executed:
            body = {"form.id": some, "form.set.age": "1", "age": "30"}
            await harbor.post("/sailors/change", data=body)
        counts.append(len(executed))
        assert len(office.take()) == len(some)
    assert counts[0] == counts[1]
    assert (await badges(stored))[-1] == "sailor 59-ashore"


async def test_the_rows_of_an_association_have_hooks_of_their_own(
    settings: Settings, session: AsyncSession
) -> None:
    await (await session.connection()).run_sync(Music.metadata.create_all)
    await session.commit()
    seen: list[tuple[str, int | None]] = []

    def note(change: Change[PlaylistTrack]) -> None:
        row = change.after or change.before
        seen.append((change.kind, row.track_id if row else None))

    linking = Resource(PlaylistTrack, after_commit=note)
    app = create_app(settings, [Resource(Playlist), Resource(Track), linking])
    async with serving(app, role=Role.OWNER) as client:
        trip, blue = await a_playlist(session, tracks=1), await a_track(session, "Blue")
        edit = (await client.get(f"/playlists/{trip.id}/edit")).form(press="Save changes")
        await client.submit(edit, {ADD: [str(blue.id)], REMOVE: ["1"]})
    assert sorted(seen, key=str) == [("create", blue.id), ("delete", 1)]


async def test_a_hook_that_lasts_does_not_hold_the_answer_back(
    settings: Settings,
    session: AsyncSession,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(request_session, "FOLLOWING_SECONDS", 0.01)
    await (await session.connection()).run_sync(Sea.metadata.create_all)
    await session.commit()
    answered = asyncio.Event()
    seen: list[str] = []

    async def wait(change: Change[Ship]) -> None:
        await answered.wait()
        seen.append(change.kind)

    app = create_app(settings, [Resource(Ship, after_commit=wait)])

    async def noting(scope: Scope, receive: Receive, send: Send) -> None:
        async def noted(message: Message) -> None:
            await send(message)
            answered.set()

        await app(scope, receive, noted)

    async with serving(app, role=Role.OWNER) as client:
        other = client_of(noting)
        other.http.cookies = client.cookies
        async with other:
            assert (await other.post("/api/ships/", json={"name": "Argo"})).status_code == 201
    assert seen == ["create"]


async def test_a_transaction_that_is_tried_again_is_followed_once(
    settings: Settings, session: AsyncSession, office: Office
) -> None:
    await (await session.connection()).run_sync(Sea.metadata.create_all)
    await session.commit()
    if session.get_bind().dialect.name == "sqlite":
        # It has one writer, so no two transactions wait for each other.
        return
    tried: list[str] = []

    async def meet(change: Change[Ship], session: AsyncSession) -> None:
        tried.append(change.kind)
        if len(tried) == 1:
            await session.execute(text("DO $$BEGIN RAISE SQLSTATE '40P01'; END$$"))

    resources = [Resource(Ship, before=meet), Resource(Sailor, after_commit=office.after_commit)]
    async with serving(create_app(settings, resources), role=Role.OWNER) as client:
        ship = await a_ship(session, "Argo", Sailor(name="Ann"))
        answer = await client.post(f"/ships/{ship.id}/delete")
    assert (answer.status_code, tried) == (303, ["delete", "delete"])
    assert office.saved == [("update", "", "", "page")]
