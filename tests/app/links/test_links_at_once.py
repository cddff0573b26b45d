"""Several people, and programs, who link the same records at the same moment."""

import asyncio

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from hero_admin.audit_log.changes import Change
from hero_admin.listing.sort_indexes import sort_indexes
from hero_admin.model.resource import Resource
from hero_admin.model.site import Site
from hero_admin.testing import Client
from tests.app.links.test_link_forms import ADD, REMOVE, tracks_of
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


async def test_a_record_is_changed_while_another_is_being_linked_with_it(
    player: Client, session: AsyncSession, stored: Stored
) -> None:
    trip, other = await a_playlist(session), await a_playlist(session, "Other")
    blue = await a_track(session, "Blue")
    key = select(col(Playlist.id)).where(col(Playlist.id).in_([trip.id, other.id]))
    # As by a program that is inserting a row which refers to it.
    await session.execute(key.with_for_update(read=True, key_share=True))
    if session.get_bind().dialect.name == "sqlite":
        # It has one writer at a time.
        await session.commit()
    form = {"name": "Long trip", ADD: str(blue.id)}
    assert (await player.post(f"/playlists/{trip.id}", data=form)).status_code == 303
    body = {"tracks": {"add": [blue.id]}}
    assert (await player.patch(f"/api/playlists/{trip.id}", json=body)).status_code == 200
    many = {"form.id": [str(trip.id), str(other.id)], ADD: str(blue.id)}
    assert (await player.post("/playlists/change", data=many)).status_code == 303
    assert await tracks_of(stored, trip) == await tracks_of(stored, other) == [blue.id]


async def test_many_are_linked_from_both_sides(
    player: Client, session: AsyncSession, stored: Stored
) -> None:
    playlists = [str((await a_playlist(session)).id) for _ in range(4)]
    tracks = [str((await a_track(session, f"Song {number}")).id) for number in range(4)]
    answers = await asyncio.gather(
        *(
            player.post(f"/{path}/change", data={"form.id": owners, f"link.{link}.add": chosen})
            for number in range(4)
            for path, owners, link, chosen in (
                ("playlists", playlists, "tracks", tracks[number]),
                ("tracks", tracks, "playlists", playlists[number]),
            )
        )
    )
    assert {answer.status_code for answer in answers} == {303}
    assert await stored.count(PlaylistTrack) == 16


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
    assert "hero_admin_list_playlist_track_track_id" in names
    assert "hero_admin_list_playlist_track_playlist_id" not in names
    assert {f"hero_admin_list_credit_{name}" for name in ("track_id", "artist_code")} <= names
