"""A rule over a whole record holds on every path, and says its sentence there."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, func, select

from hero_admin.application import create_app
from hero_admin.audit_log.changes import Kind
from hero_admin.model.resource import Resource
from hero_admin.person import Role
from hero_admin.settings import Settings
from hero_admin.testing import Client, Page
from hero_admin.web.errors import Invalid
from tests.app.history.test_restore import latest, reason_of, restore
from tests.app.history.test_undo import undone
from tests.app.links.test_link_forms import ADD, REMOVE, tracks_of
from tests.cases import on_one_database
from tests.playlists import Artist, Music, Playlist, PlaylistTrack, Track, a_playlist, a_track
from tests.sailors import (
    NO_BERTH,
    NO_SHIP,
    TOO_YOUNG,
    Sailor,
    Sea,
    Ship,
    a_sailor,
    a_ship,
    fits,
    ships,
)
from tests.serving import serving
from tests.stored import Stored


async def crew_of(stored: Stored, ship: Ship) -> list[str]:
    return [each.name for each in await stored.all(Sailor) if each.ship_id == ship.id]


# Forms.


async def test_a_form_says_the_sentence_at_its_field_and_keeps_what_was_typed(
    harbor: Client, session: AsyncSession, stored: Stored
) -> None:
    ship = await a_ship(session)
    new = (await harbor.get("/sailors/new")).form()
    refused = await harbor.submit(new, name="Jim", age="13", ship_id=str(ship.id))
    assert (refused.status_code, refused.errors) == (422, {"Ship": TOO_YOUNG})
    again = refused.form()
    assert (again["name"], again["age"], again["ship_id"]) == ("Jim", "13", str(ship.id))
    assert await stored.count(Sailor) == 0
    saved = await harbor.submit(again, age="18")
    assert (await harbor.follow(saved)).flash == "Created Jim"
    # As a child of its ship, and after that by the form of the record.
    page = await harbor.get(f"/ships/{ship.id}")
    child = (await harbor.get(page.link("New sailor"))).form()
    assert (await harbor.submit(child, name="Tom", age="9")).error("Ship") == TOO_YOUNG
    page = await harbor.get(page.link("Edit Jim"))
    refused = await harbor.submit(page.form(press="Save changes"), name="James", age="9")
    assert (refused.status_code, refused.heading) == (422, "Jim")
    assert (refused.error("Ship"), refused.form(press="Save changes")["age"]) == (TOO_YOUNG, "9")
    assert [(each.name, each.age) for each in await stored.all(Sailor)] == [("Jim", 18)]


async def test_the_rule_sees_the_other_records_of_the_transaction(
    harbor: Client, session: AsyncSession, stored: Stored
) -> None:
    ship = await a_ship(session, "Argo", Sailor(name="Ann"), Sailor(name="Bob"))
    for name in ("Cid", "Dee"):
        await a_sailor(session, name)
    # One of them fits, both do not.
    body = {"form.id": ["3", "4"], "form.set.ship_id": "1", "ship_id": str(ship.id)}
    refused = await harbor.post("/sailors/change", data=body)
    assert refused.status_code == 422
    assert f"Sailor “Cid”: {NO_BERTH}" in refused.alert
    assert refused.form(press="Edit 2 sailors")["ship_id"] == str(ship.id)
    assert await crew_of(stored, ship) == ["Ann", "Bob"]
    answer = await harbor.patch("/api/sailors/3", json={"ship_id": ship.id})
    assert answer.status_code == 200
    assert await crew_of(stored, ship) == ["Ann", "Bob", "Cid"]


async def test_a_sentence_about_two_fields_is_at_both_and_counts_once(
    settings: Settings, session: AsyncSession
) -> None:
    await (await session.connection()).run_sync(Sea.metadata.create_all)
    await session.commit()

    def is_known(sailor: Sailor) -> None:
        if sailor.age is None and sailor.ship_id is None:
            raise Invalid("Enter an age or a ship.", Sailor.age, Sailor.ship_id)

    app = create_app(settings, [ships, Resource(Sailor, check=is_known)])
    async with serving(app, role=Role.OWNER) as client:
        refused = await client.submit((await client.get("/sailors/new")).form(), name="Jim")
        assert refused.errors == dict.fromkeys(["Age", "Ship"], "Enter an age or a ship.")
        assert refused.alert == "There's 1 problem Enter an age or a ship."
        answer = await client.post("/api/sailors/", json={"name": "Jim"})
        found = [each["loc"] for each in answer.json()["detail"]]
        assert found == [["body", "age"], ["body", "ship_id"]]


@on_one_database
@pytest.mark.parametrize(
    "invalid",
    [
        Invalid(TOO_YOUNG, "ship_id"),
        Invalid({"ship_id": TOO_YOUNG}),
        Invalid({Sailor.ship_id: TOO_YOUNG}),
    ],
)
async def test_a_rule_names_a_field_as_it_likes(
    settings: Settings, session: AsyncSession, invalid: Invalid
) -> None:
    def refuses(_: Sailor) -> None:
        raise invalid

    refused = await a_refusal(settings, session, refuses)
    assert refused.errors == {"Ship": TOO_YOUNG}


@on_one_database
async def test_a_rule_that_refuses_in_no_way_there_is_fails(
    settings: Settings,
    session: AsyncSession,
    stored: Stored,
    caplog: pytest.LogCaptureFixture,
) -> None:
    failed = await a_refusal(settings, session, lambda sailor: sailor.age > 17)
    assert (failed.status_code, await stored.count(Sailor)) == (500, 0)
    assert "Resource(Sailor): check= returned False; raise Invalid to refuse" in caplog.text

    def names_a_value(sailor: Sailor) -> None:
        raise Invalid(TOO_YOUNG, sailor.age)

    assert (await a_refusal(settings, session, names_a_value)).status_code == 500
    assert "Invalid takes fields, such as Hero.team_id, not 13." in caplog.text


# Any: what a type checker would not let pass.
async def a_refusal(settings: Settings, session: AsyncSession, check: Any) -> Page:
    """What a form is answered with if that is the rule."""
    await (await session.connection()).run_sync(Sea.metadata.create_all)
    await session.commit()
    app = create_app(settings, [ships, Resource(Sailor, check=check)])
    async with serving(app, role=Role.OWNER) as client:
        form = (await client.get("/sailors/new")).form()
        return await client.submit(form, name="Jim", age="13")


@on_one_database
async def test_a_sentence_that_names_no_field_is_summed_up_with_all_that_it_is_about(
    settings: Settings, session: AsyncSession
) -> None:
    def refuses(_: Sailor) -> None:
        raise Invalid("One of these is too small.", Sailor.age, Sailor.ship_id)

    refused = await a_refusal(settings, session, refuses)
    assert refused.alert == "There's 1 problem Age, Ship: One of these is too small."


# The API.


async def test_the_api_checks_the_whole_record_whatever_is_sent(
    harbor: Client, session: AsyncSession, stored: Stored
) -> None:
    ship = await a_ship(session)
    jim = await a_sailor(session, "Jim", 13)
    detail = [{"type": "invalid", "loc": ["body", "ship_id"], "msg": TOO_YOUNG}]
    answers = [
        await harbor.patch(f"/api/sailors/{jim.id}", json={"ship_id": ship.id}),
        await harbor.post("/api/sailors/", json={"name": "Tom", "age": 9, "ship_id": ship.id}),
    ]
    for answer in answers:
        assert (answer.status_code, answer.json()["detail"]) == (422, detail)
    assert [(each.name, each.ship_id) for each in await stored.all(Sailor)] == [("Jim", None)]
    sent = {"age": 18, "ship_id": ship.id}
    assert (await harbor.patch(f"/api/sailors/{jim.id}", json=sent)).status_code == 200


# What brings earlier values back.


async def test_an_undo_to_what_the_rule_refuses_is_refused_with_its_sentence(
    harbor: Client, session: AsyncSession, stored: Stored
) -> None:
    # Whoever wrote it, it is there: it can be opened, corrected and saved unchanged.
    ship = await a_ship(session, "Argo", Sailor(name="Jim", age=13))
    edit = (await harbor.get("/sailors/1/edit")).form(press="Save changes")
    assert (await harbor.submit(edit)).status_code == 303
    assert (await harbor.submit(edit, name="James")).error("Ship") == TOO_YOUNG
    saved = await harbor.submit(edit, age="18")
    assert saved.status_code == 303
    sentence = f"Sailor “Jim”: {TOO_YOUNG}"
    refused = await undone(harbor, saved)
    assert (refused.status_code, reason_of(refused)) == (409, sentence)
    change = await latest(stored, Kind.CHANGED, "sailors")
    refused = await harbor.post("/sailors/1/undo", data={"change": str(change.id)})
    assert (refused.status_code, reason_of(refused)) == (409, sentence)
    data = {"change": str(change.id), "before": "1"}
    refused = await harbor.post("/sailors/1/restore", data=data)
    assert (refused.status_code, reason_of(refused)) == (409, sentence)
    assert [each.age for each in await stored.all(Sailor)] == [18]
    # Its berth was taken meanwhile.
    deleted = await harbor.follow(await harbor.post("/sailors/1/delete"))
    for name in ("Ann", "Bob", "Cid"):
        session.add(Sailor(name=name, ship_id=ship.id))
    await session.commit()
    refused = await harbor.submit(deleted.undo)
    assert (refused.status_code, reason_of(refused)) == (409, f"Sailor “Jim”: {NO_BERTH}")
    deletion = await latest(stored, Kind.DELETED, "sailors")
    assert reason_of(await restore(harbor, deletion)) == f"Sailor “Jim”: {NO_BERTH}"
    assert await crew_of(stored, ship) == ["Ann", "Bob", "Cid"]
    await harbor.post("/sailors/2/delete")
    assert (await harbor.submit(deleted.undo)).status_code == 303
    assert await crew_of(stored, ship) == ["Jim", "Bob", "Cid"]


async def test_what_a_deletion_does_to_others_passes_their_rule(
    harbor: Client, session: AsyncSession, stored: Stored
) -> None:
    captain = Sailor(name="Ahab", is_captain=True)
    ship = await a_ship(session, "Pequod", captain, Sailor(name="Jim", age=20))
    other = await a_ship(session, "Argo", *(Sailor(name=name) for name in ("Ann", "Bob")))
    refused = await harbor.post(f"/ships/{ship.id}/delete")
    assert refused.status_code == 409
    assert f"Sailor “Ahab”: {NO_SHIP}" in refused.text
    answer = await harbor.delete(f"/api/ships/{ship.id}")
    assert answer.json() == {"detail": f"Sailor “Ahab”: {NO_SHIP}"}
    # Both are moved to the other ship, which has one berth.
    refused = await harbor.post(f"/ships/{ship.id}/delete", data={"sailors": str(other.id)})
    assert (refused.status_code, NO_BERTH in refused.text) == (409, True)
    assert await crew_of(stored, ship) == ["Ahab", "Jim"]
    await harbor.post("/sailors/2/delete")
    page = await harbor.follow(
        await harbor.post(f"/ships/{ship.id}/delete", data={"sailors": str(other.id)})
    )
    assert await crew_of(stored, other) == ["Ahab", "Ann", "Bob"]
    assert (await harbor.submit(page.undo)).status_code == 303
    assert await crew_of(stored, ship) == ["Ahab"]


# Links.

FULL = "A playlist has at most 2 tracks."
EMPTY = "A long playlist needs a track."
ALONE = "A track is in one playlist at most."


async def holds(playlist: Playlist, session: AsyncSession) -> None:
    rows = select(func.count()).where(PlaylistTrack.playlist_id == playlist.id)
    count = await session.scalar(rows) or 0
    if count > 2:
        raise Invalid(FULL, Playlist.tracks)
    if not count and playlist.name == "Long":
        raise Invalid(EMPTY)


async def is_alone(track: Track, session: AsyncSession) -> None:
    rows = select(func.count()).where(PlaylistTrack.track_id == track.id)
    if (await session.scalar(rows) or 0) > 1:
        raise Invalid(ALONE, Track.name)


@pytest.fixture
async def player(settings: Settings, session: AsyncSession) -> AsyncIterator[Client]:
    await (await session.connection()).run_sync(Music.metadata.create_all)
    await session.commit()
    playlists, tracks = Resource(Playlist, check=holds), Resource(Track, check=is_alone)
    app = create_app(settings, [playlists, tracks, Resource(Artist)])
    async with serving(app, role=Role.OWNER) as client:
        yield client


async def test_a_rule_about_links_is_asked_once_fields_and_links_are_saved(
    player: Client, session: AsyncSession, stored: Stored
) -> None:
    trip = await a_playlist(session, tracks=2)
    blue = await a_track(session, "Blue")
    edit = (await player.get(f"/playlists/{trip.id}/edit")).form(press="Save changes")
    refused = await player.submit(edit, {ADD: [str(blue.id)]})
    assert (refused.status_code, FULL in refused.alert) == (422, True)
    answer = await player.patch(f"/api/playlists/{trip.id}", json={"tracks": {"add": [blue.id]}})
    detail = [{"type": "invalid", "loc": ["body", "tracks"], "msg": FULL}]
    assert (answer.status_code, answer.json()["detail"]) == (422, detail)
    # A new one has its links by then.
    new = (await player.get("/playlists/new")).form()
    assert EMPTY in (await player.submit(new, name="Long")).alert
    saved = await player.submit(new, {ADD: [str(blue.id)]}, name="Long")
    assert saved.status_code == 303
    # And the other side has a rule of its own.
    edit = (await player.get(f"/playlists/{trip.id}/edit")).form(press="Save changes")
    refused = await player.submit(edit, {ADD: [str(blue.id)], REMOVE: ["1"]})
    assert (refused.status_code, f"Track “Blue”: {ALONE}" in refused.alert) == (422, True)
    assert await tracks_of(stored, trip) == [1, 2]
    # Its name and its last track are changed together, and brought back together.
    long = (await stored.all(Playlist))[1]
    edit = (await player.get(f"/playlists/{long.id}/edit")).form(press="Save changes")
    moved = await player.submit(edit, {REMOVE: [str(blue.id)]}, name="Short")
    assert moved.status_code == 303
    assert (await undone(player, moved)).status_code == 303
    assert await tracks_of(stored, long) == [blue.id]


# What a rule gets.


async def test_a_value_that_cannot_be_read_is_none_for_a_rule(
    harbor: Client, session: AsyncSession
) -> None:
    ship = await a_ship(session, "Argo", Sailor(name="Jim"))
    if session.get_bind().dialect.name == "sqlite":
        await session.execute(text("UPDATE sailor SET age = 'old'"))
        await session.commit()
    answer = await harbor.post("/sailors/1", data={"name": "James"})
    assert answer.status_code == 303
    assert (await harbor.get(f"/ships/{ship.id}")).column("Name") == ["James"]


# Beside rights.


async def test_a_rule_counts_what_whoever_writes_may_not_see(
    settings: Settings, session: AsyncSession, stored: Stored
) -> None:
    await (await session.connection()).run_sync(Sea.metadata.create_all)
    await session.commit()
    ghosts = [Sailor(name="Ghost") for _ in range(3)]
    ship = await a_ship(session, "Argo", *ghosts)
    jim = await a_sailor(session, "Jim", 20)
    seen = Resource(Sailor, check=fits, rows=lambda person: col(Sailor.name) != "Ghost")
    async with serving(create_app(settings, [ships, seen]), role=Role.EDITOR) as client:
        assert (await client.get("/sailors")).column("Name") == ["Jim"]
        edit = (await client.get(f"/sailors/{jim.id}/edit")).form(press="Save changes")
        refused = await client.submit(edit, ship_id=str(ship.id))
        assert (refused.status_code, refused.error("Ship")) == (422, NO_BERTH)
    assert await crew_of(stored, ship) == ["Ghost"] * 3
