"""Several people, and programs, who link the same records at the same moment."""

import asyncio

from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.audit_log.changes import Change
from hero_admin.listing.sort_indexes import sort_indexes
from hero_admin.model.resource import Resource
from hero_admin.model.site import Site
from tests.app.links.test_link_forms import ADD, REMOVE, tracks_of
from tests.page import Client
from tests.playlists import Artist, Playlist, PlaylistTrack, Track, a_playlist, a_track
from tests.stored import Stored


async def test_the_same_track_is_added_once_from_both_sides(
    player: Client, session: AsyncSession, stored: Stored
) -> None:
    trip = await a_playlist(session)
    tracks = [await a_track(session, f"Song {number}") for number in range(3)]
    keys = [str(track.id) for track in tracks]
    requests = [player.post(f"/playlists/{trip.id}", data={ADD: keys}) for _ in range(3)]
    requests += [
        player.post(f"/tracks/{key}", data={"link.playlists.add": str(trip.id)}) for key in keys
    ]
    answers = await asyncio.gather(*requests)
    assert [answer.status_code for answer in answers] == [303] * 6
    assert await tracks_of(stored, trip) == [track.id for track in tracks]
    made = [each for each in await stored.all(Change) if each.resource == "playlist-tracks"]
    assert len(made) == 3, "who came second has added nothing"


async def test_a_track_is_removed_while_it_is_deleted(
    player: Client, session: AsyncSession, stored: Stored
) -> None:
    trip = await a_playlist(session, tracks=2)
    first, second = await tracks_of(stored, trip)
    answers = await asyncio.gather(
        player.post(f"/playlists/{trip.id}", data={REMOVE: str(first)}),
        player.post(f"/tracks/{first}/delete", data={}),
        player.post(f"/playlists/{trip.id}", data={ADD: str(first)}),
    )
    assert {answer.status_code for answer in answers} <= {303, 409, 422}
    assert await tracks_of(stored, trip) in ([second], [first, second])
    rows = await stored.all(PlaylistTrack)
    assert {row.track_id for row in rows} <= {track.id for track in await stored.all(Track)}


def test_both_sides_of_an_association_have_an_index() -> None:
    site = Site([Resource(Playlist), Resource(Track), Resource(Artist)])
    names = {index.name for index in sort_indexes(site)}
    # The key of the association begins with the playlist.
    assert "list_playlist_track_track_id" in names
    assert "list_playlist_track_playlist_id" not in names
    assert {"list_credit_track_id", "list_credit_artist_code"} <= names
