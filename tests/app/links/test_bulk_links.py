"""Links of many records at once: what is added to all of them, and removed."""

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.audit_log.changes import Change
from hero_admin.testing import Client
from tests.app.links.test_link_forms import ADD, REMOVE, tracks_of
from tests.playlists import Playlist, PlaylistTrack, Track, a_playlist, a_track
from tests.stored import Stored


async def test_tracks_are_added_to_and_removed_from_all_selected(
    player: Client, session: AsyncSession, stored: Stored
) -> None:
    trip, sleep = await a_playlist(session, "Road trip"), await a_playlist(session, "Sleep")
    other = await a_playlist(session, "Other")
    blue = await a_track(session, "Blue", trip)
    river = await a_track(session, "River", trip, sleep, other)
    page = await player.get(f"/playlists/change?id={trip.id}&id={sleep.id}")
    form = page.form(press="Edit 2 playlists")
    saved = await player.submit(form, {ADD: [str(blue.id)], REMOVE: [str(river.id)]})
    after = await player.follow(saved)
    assert after.flash == "Changed 2 playlists"
    assert [await tracks_of(stored, each) for each in (trip, sleep, other)] == [
        [blue.id],
        [blue.id],
        [river.id],
    ]
    undone = await player.follow(await player.submit(after.undo))
    assert undone.flash == "Restored 2 playlists"
    assert [await tracks_of(stored, each) for each in (trip, sleep, other)] == [
        [blue.id, river.id],
        [river.id],
        [river.id],
    ]


async def test_links_and_fields_are_changed_together(
    player: Client, session: AsyncSession, stored: Stored
) -> None:
    for number in range(3):
        await a_playlist(session, f"Road {number}")
    blue = await a_track(session, "Blue")
    await player.post(
        "/playlists/change",
        data={"form.id": ["1", "2", "3"], "form.set.name": "1", "name": "Same", ADD: str(blue.id)},
    )
    assert await stored.count(PlaylistTrack) == 3
    changes = [each for each in await stored.all(Change) if each.resource == "playlists"]
    assert len(changes) == 6
    assert {each.group_size for each in await stored.all(Change)} == {0, 1}


async def test_nothing_chosen_is_said(player: Client, session: AsyncSession) -> None:
    trip = await a_playlist(session)
    page = await player.get(f"/playlists/change?id={trip.id}")
    refused = await player.submit(page.form(press="Edit 1 playlist"))
    assert refused.status_code == 422
    assert "Tick at least one field." in refused.alert


async def test_what_is_chosen_is_kept(player: Client, session: AsyncSession) -> None:
    trip = await a_playlist(session, tracks=60)
    blue = await a_track(session, "Blue")
    form = {"form.id": str(trip.id), ADD: ["99", str(blue.id)], REMOVE: [str(blue.id), "1"]}
    refused = await player.post("/playlists/change", data=form)
    assert refused.status_code == 422
    assert refused.error("Add a track") == "The track 99 no longer exists."
    again = refused.form(press="Edit 1 playlist")
    assert again.data[ADD] == ["99", str(blue.id), ""]
    assert again.data[REMOVE] == [str(blue.id), "1", ""]
    found = await player.post("/playlists/change", data={**form, f"{REMOVE}.q": "0042"})
    assert found.status_code == 200
    assert list(found.field("Remove a track").options) == ["Remove a track…", "Road trip 0042"]
    assert found.form(press="Edit 1 playlist").data[REMOVE] == [str(blue.id), "1", ""]


async def test_thousands_of_links_are_removed_at_once(
    player: Client, session: AsyncSession, stored: Stored
) -> None:
    playlists = [Playlist(name=f"Road {number}") for number in range(500)]
    tracks = [Track(name=f"Song {number}") for number in range(21)]
    session.add_all([*playlists, *tracks])
    await session.flush()
    pairs = [
        {"playlist_id": playlist.id, "track_id": track.id}
        for playlist in playlists
        for track in tracks
    ]
    await session.execute(insert(PlaylistTrack), pairs)
    await session.commit()
    form = {"form.id": [str(each.id) for each in playlists]}
    keys = [str(track.id) for track in tracks]
    refused = await player.post("/playlists/change", data={**form, REMOVE: keys})
    assert refused.status_code == 422
    assert "Remove at most 10,000 tracks at once." in refused.text
    assert await stored.count(PlaylistTrack) == 10_500
    removed = await player.follow(
        await player.post("/playlists/change", data={**form, REMOVE: keys[:18]})
    )
    assert removed.flash == "Changed 500 playlists"
    assert await stored.count(PlaylistTrack) == 1_500
    undone = await player.follow(await player.submit(removed.undo))
    assert undone.flash == "Restored 500 playlists"
    assert await stored.count(PlaylistTrack) == 10_500
