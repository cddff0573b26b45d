"""What the history tells of links, and how single changes are undone."""

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from hero_admin.audit_log.changes import Change
from hero_admin.testing import Client, Page
from tests.app.links.test_link_forms import opened, save, tracks_of
from tests.playlists import (
    Credit,
    Playlist,
    PlaylistTrack,
    Track,
    a_playlist,
    a_track,
    an_artist,
)
from tests.stored import Stored


async def test_the_history_names_what_was_added_and_removed(
    player: Client, session: AsyncSession, stored: Stored
) -> None:
    trip = await a_playlist(session, tracks=2)
    blue = await a_track(session, "Blue")
    first, _ = await tracks_of(stored, trip)
    await save(player, await opened(player, trip), add=[str(blue.id)], remove=[str(first)])
    told = "added Blue , removed Road trip 0001"
    for url in (f"/playlists/{trip.id}/history", "/history"):
        (entry,) = (await player.get(url)).entries
        assert entry.values == {"Tracks": told}
    whole = await player.get("/history?operation=" + (await operation_of(stored)))
    assert len(whole.entries) == 3


async def operation_of(stored: Stored) -> str:
    return (await stored.all(Change))[-1].operation


async def test_one_change_is_undone_alone(
    player: Client, session: AsyncSession, stored: Stored
) -> None:
    trip = await a_playlist(session)
    blue, river = await a_track(session, "Blue"), await a_track(session, "River")
    await save(player, await opened(player, trip), add=[str(blue.id)])
    await save(player, await opened(player, trip), add=[str(river.id)])
    oldest = (await stored.all(Change))[0]
    answer = await player.post(f"/playlists/{trip.id}/undo", data={"change": str(oldest.id)})
    assert answer.status_code == 404, "a row of the association is no change of the playlist"
    (oldest, _) = [each for each in await stored.all(Change) if each.resource == "playlists"]
    answer = await player.post(f"/playlists/{trip.id}/undo", data={"change": str(oldest.id)})
    undone = await player.follow(answer)
    assert undone.flash == "Restored Road trip"
    assert await tracks_of(stored, trip) == [river.id]


async def test_a_deleted_track_leaves_its_playlists_and_comes_back_to_them(
    player: Client, session: AsyncSession, stored: Stored
) -> None:
    trip = await a_playlist(session, tracks=3)
    _, second, _ = before = await tracks_of(stored, trip)
    page = await player.get(f"/tracks/{second}/delete")
    assert "1 playlist track" in page.text
    deleted = await player.follow(await player.submit(page.form(press="Delete track")))
    assert await stored.count(PlaylistTrack) == 2
    await player.submit(deleted.undo)
    assert await tracks_of(stored, trip) == before
    assert await stored.count(Track) == 3


async def test_a_deleted_playlist_comes_back_with_its_tracks(
    player: Client, session: AsyncSession, stored: Stored
) -> None:
    trip = await a_playlist(session, tracks=1_100)
    before = await tracks_of(stored, trip)
    page = await player.get(f"/playlists/{trip.id}/delete")
    deleted = await player.follow(await player.submit(page.form(press="Delete playlist")))
    assert await stored.count(PlaylistTrack) == 0
    assert await stored.count(Track) == 1_100
    await player.submit(deleted.undo)
    assert await tracks_of(stored, trip) == before


async def changes_of(stored: Stored, resource: str) -> list[Change]:
    return [each for each in await stored.all(Change) if each.resource == resource]


async def restored(player: Client, change: Change, **more: str) -> Page:
    path = f"/{change.resource}/{change.key}/restore"
    return await player.follow(await player.post(path, data={"change": str(change.id), **more}))


async def test_a_version_is_restored_with_its_links_and_that_is_undone(
    player: Client, session: AsyncSession, stored: Stored
) -> None:
    trip, other = await a_playlist(session, tracks=2), await a_playlist(session, "Other", 1)
    blue, river = await a_track(session, "Blue"), await a_track(session, "River")
    first, second = before = await tracks_of(stored, trip)
    await save(player, await opened(player, trip), add=[str(blue.id)], remove=[str(first)])
    await player.patch(f"/api/playlists/{trip.id}", json={"name": "Renamed"})
    # From the other side, and one that has been linked and unlinked again.
    await player.patch(f"/api/tracks/{river.id}", json={"playlists": {"add": [trip.id]}})
    await player.patch(f"/api/playlists/{trip.id}", json={"tracks": {"remove": [blue.id]}})
    await player.patch(f"/api/playlists/{other.id}", json={"tracks": {"add": [blue.id]}})
    now, others = await tracks_of(stored, trip), await tracks_of(stored, other)
    assert now == [second, river.id]
    own = [each for each in await changes_of(stored, "playlists") if each.key == str(trip.id)]
    linked, renamed, _ = own

    page = await restored(player, renamed)
    assert page.flash == "Restored Renamed"
    assert await tracks_of(stored, trip) == [second, blue.id]
    entry = (await player.get(f"/playlists/{trip.id}/history")).entries[0]
    assert entry.values == {"Tracks": "added Blue , removed River"}
    await player.submit(page.undo)
    assert await tracks_of(stored, trip) == now

    page = await restored(player, linked, before="1")
    assert page.flash == "Restored Road trip"
    assert await tracks_of(stored, trip) == before
    undone = await player.follow(await player.submit(page.undo))
    assert await tracks_of(stored, trip) == now
    await player.submit(undone.undo)
    assert await tracks_of(stored, trip) == before
    assert await tracks_of(stored, other) == others


async def test_the_present_version_restores_nothing(
    player: Client, session: AsyncSession, stored: Stored
) -> None:
    trip = await a_playlist(session, tracks=1)
    await player.patch(f"/api/playlists/{trip.id}", json={"name": "Renamed"})
    (latest,) = await changes_of(stored, "playlists")
    page = await restored(player, latest)
    assert "/undo/" not in page.text
    assert await stored.count(Change) == 1


async def test_a_deleted_playlist_is_restored_with_the_tracks_of_an_earlier_version(
    player: Client, session: AsyncSession, stored: Stored
) -> None:
    blue, river = await a_track(session, "Blue"), await a_track(session, "River")
    body = {"name": "Trip", "tracks": {"add": [blue.id]}}
    await player.post("/api/playlists/", json=body)
    _, linked = await changes_of(stored, "playlists")
    change = {"tracks": {"add": [river.id], "remove": [blue.id]}}
    await player.patch("/api/playlists/1", json=change)
    await player.delete("/api/playlists/1")
    assert (await restored(player, linked)).flash == "Restored Trip"
    (trip,) = await stored.all(Playlist)
    assert await tracks_of(stored, trip) == [blue.id]
    deletion = next(
        each for each in await changes_of(stored, "playlists") if each.kind == "deleted"
    )
    await restored(player, deletion)
    assert await tracks_of(stored, trip) == [river.id]


async def test_a_track_that_is_gone_is_left_out_with_a_sentence(
    player: Client, session: AsyncSession, stored: Stored
) -> None:
    trip = await a_playlist(session, tracks=2)
    first, second = await tracks_of(stored, trip)
    await player.patch(f"/api/playlists/{trip.id}", json={"name": "Renamed"})
    (renamed,) = await changes_of(stored, "playlists")
    await player.patch(f"/api/playlists/{trip.id}", json={"tracks": {"remove": [first]}})
    await player.delete(f"/api/tracks/{first}")
    await player.delete(f"/api/tracks/{second}")
    page = await restored(player, renamed)
    assert page.flash == "Restored Renamed 2 of its earlier tracks no longer exist."
    assert await tracks_of(stored, trip) == []


async def test_the_row_of_a_link_comes_back_with_its_other_columns(
    player: Client, session: AsyncSession, stored: Stored
) -> None:
    track = await a_track(session, "Blue")
    await an_artist(session, "joni", track)
    await player.patch(f"/api/tracks/{track.id}", json={"name": "Blues"})
    (version,) = await changes_of(stored, "tracks")
    (credit,) = await stored.all(Credit)
    # The row is changed by its own form, and then removed.
    await player.post(f"/credits/{credit.id}", data={"role": "guitar"})
    await player.patch(f"/api/tracks/{track.id}", json={"artists": {"remove": ["joni"]}})
    assert await stored.count(Credit) == 0
    await restored(player, version)
    assert [(each.artist_code, each.role) for each in await stored.all(Credit)] == [
        ("joni", "singer")
    ]


async def test_a_reassigned_link_is_followed_back(
    player: Client, session: AsyncSession, stored: Stored
) -> None:
    track = await a_track(session, "Blue")
    await an_artist(session, "joni", track)
    await an_artist(session, "neil")
    await player.patch(f"/api/tracks/{track.id}", json={"name": "Blues"})
    (version,) = await changes_of(stored, "tracks")
    (credit,) = await stored.all(Credit)
    answer = await player.post(f"/credits/{credit.id}", data={"artist_code": "neil"})
    assert answer.status_code == 303
    await restored(player, version)
    assert [each.artist_code for each in await stored.all(Credit)] == ["joni"]


async def test_links_that_the_history_does_not_tell_stay(
    player: Client, session: AsyncSession, stored: Stored
) -> None:
    trip = await a_playlist(session, tracks=1)
    blue = await a_track(session, "Blue")
    await player.patch(f"/api/playlists/{trip.id}", json={"name": "Renamed"})
    (renamed,) = await changes_of(stored, "playlists")
    await save(player, await opened(player, trip), add=[str(blue.id)])
    await player.patch(f"/api/playlists/{trip.id}", json={"name": "Again"})
    # As they were called before the association had its name.
    rows = col(Change.resource).not_in(["playlists", "tracks"])
    await session.execute(update(Change).where(rows).values(resource="older"))
    await session.commit()
    now = await tracks_of(stored, trip)
    page = await restored(player, renamed)
    sentence = "The tracks stay as they are: the history doesn't tell which there were."
    assert page.flash == f"Restored Renamed {sentence}"
    assert await tracks_of(stored, trip) == now


async def test_viewers_restore_nothing(
    player: Client, listener: Client, session: AsyncSession, stored: Stored
) -> None:
    trip = await a_playlist(session)
    blue = await a_track(session, "Blue")
    await player.patch(f"/api/playlists/{trip.id}", json={"name": "Renamed"})
    (renamed,) = await changes_of(stored, "playlists")
    await player.patch(f"/api/playlists/{trip.id}", json={"tracks": {"add": [blue.id]}})
    path = f"/playlists/{trip.id}/restore"
    assert (await listener.post(path, data={"change": str(renamed.id)})).status_code == 403
    assert await tracks_of(stored, trip) == [blue.id]
