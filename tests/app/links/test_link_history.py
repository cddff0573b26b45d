"""What the history tells of links, and how single changes are undone."""

from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.audit_log.changes import Change
from tests.app.links.test_link_forms import opened, save, tracks_of
from tests.page import Client
from tests.playlists import PlaylistTrack, Track, a_playlist, a_track
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
