"""Links in the API: read by pages, changed by what is added and removed."""

from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.testing import Client
from tests.app.api.test_api_lists import next_of, pages_from
from tests.app.links.test_link_forms import tracks_of
from tests.playlists import Credit, Playlist, a_playlist, a_track, an_artist
from tests.stored import Stored


async def test_the_linked_records_are_read_a_page_at_a_time(
    player: Client, session: AsyncSession
) -> None:
    trip = await a_playlist(session, tracks=1_200)
    await a_track(session, "Blue")
    answer = await player.get(f"/api/playlists/{trip.id}/with-tracks?skip=1100&limit=1000")
    assert answer.status_code == 200
    found = answer.json()
    assert (found["name"], len(found["tracks"])) == ("Road trip", 100)
    assert found["tracks"][0] == {"id": 1_101, "name": "Road trip 1101", "seconds": 1_101}
    assert (await player.get(f"/api/playlists/{trip.id}")).json() == {
        "id": trip.id,
        "name": "Road trip",
    }


async def test_a_patch_adds_and_removes_and_leaves_the_rest(
    player: Client, session: AsyncSession, stored: Stored
) -> None:
    trip = await a_playlist(session, tracks=3)
    blue = await a_track(session, "Blue")
    first, second, third = await tracks_of(stored, trip)
    body = {"name": "Long", "tracks": {"add": [blue.id, first], "remove": [second, 999]}}
    answer = await player.patch(f"/api/playlists/{trip.id}", json=body)
    assert (answer.status_code, answer.json()["name"]) == (200, "Long")
    assert await tracks_of(stored, trip) == [first, third, blue.id]
    nothing: tuple[Any, ...] = ({}, None)
    for sent in nothing:
        url = f"/api/playlists/{trip.id}"
        assert (await player.patch(url, json={"tracks": sent})).status_code == 200
    assert await tracks_of(stored, trip) == [first, third, blue.id]
    history = await player.get(f"/playlists/{trip.id}/history")
    assert {"Tracks": "added Blue , removed Road trip 0002"} in [
        entry.values for entry in history.entries
    ]


async def test_a_record_is_created_with_its_links(
    player: Client, session: AsyncSession, stored: Stored
) -> None:
    blue = await a_track(session, "Blue")
    body = {"name": "New", "tracks": {"add": [blue.id]}}
    answer = await player.post("/api/playlists/", json=body)
    assert answer.status_code == 201
    (playlist,) = await stored.all(Playlist)
    assert await tracks_of(stored, playlist) == [blue.id]
    refused = await player.post("/api/playlists/", json={"name": "No", "tracks": {"add": [99]}})
    assert refused.status_code == 422
    assert refused.json()["detail"][0] == {
        "type": "invalid",
        "loc": ["body", "tracks"],
        "msg": "The track 99 no longer exists.",
    }
    # Whether a list would mean all of them or these as well, nobody could tell.
    listed = await player.post("/api/playlists/", json={"name": "No", "tracks": [blue.id]})
    assert (listed.status_code, listed.json()["detail"][0]["loc"]) == (422, ["body", "tracks"])
    said = 'Send what to add and what to remove, as in {"add": [7], "remove": [3]}.'
    assert listed.json()["detail"][0]["msg"] == said
    assert await stored.count(Playlist) == 1


async def test_a_space_at_the_end_of_a_key_counts(
    player: Client, session: AsyncSession, stored: Stored
) -> None:
    track = await a_track(session, "Blue")
    for code in ("a", "a ", " a"):
        await an_artist(session, code, track)

    async def codes() -> list[str]:
        return sorted(credit.artist_code for credit in await stored.all(Credit))

    url = f"/api/tracks/{track.id}"
    assert (await player.patch(url, json={"artists": {"remove": ["a "]}})).status_code == 200
    assert await codes() == [" a", "a"]
    assert (await player.patch(url, json={"artists": {"add": ["a "]}})).status_code == 200
    assert await codes() == [" a", "a", "a "]
    both = {"artists": {"add": ["a "], "remove": ["a"]}}
    assert (await player.patch(url, json=both)).status_code == 200
    assert await codes() == [" a", "a "]


async def test_a_link_of_texts(player: Client, session: AsyncSession, stored: Stored) -> None:
    track = await a_track(session, "Blue")
    await an_artist(session, "joni", track)
    await an_artist(session, "neil")
    body = {"artists": {"add": ["neil"], "remove": ["joni"]}}
    assert (await player.patch(f"/api/tracks/{track.id}", json=body)).status_code == 200
    assert [credit.artist_code for credit in await stored.all(Credit)] == ["neil"]
    found = (await player.get(f"/api/tracks/{track.id}/with-artists")).json()
    assert found["artists"] == [{"code": "neil", "name": "Neil"}]


# Any: JSON that is not what is asked for.
@pytest.mark.parametrize(
    "sent",
    [
        [1, 2],
        5,
        "1",
        {"add": 1},
        {"add": ["x"]},
        {"add": [None]},
        {"add": [True]},
        {"add": [10**40]},
        {"added": [1]},
        {"add": list(range(1_001))},
    ],
)
async def test_anything_else_is_refused(player: Client, session: AsyncSession, sent: Any) -> None:
    trip = await a_playlist(session)
    for answer in (
        await player.patch(f"/api/playlists/{trip.id}", json={"tracks": sent}),
        await player.post("/api/playlists/", json={"name": "A", "tracks": sent}),
    ):
        assert answer.status_code == 422, answer.text
        assert answer.json()["detail"][0]["loc"][:2] == ["body", "tracks"]


async def test_viewers_read_links_and_change_none(
    listener: Client, session: AsyncSession, stored: Stored
) -> None:
    trip = await a_playlist(session, tracks=1)
    answer = await listener.get(f"/api/playlists/{trip.id}/with-tracks")
    assert len(answer.json()["tracks"]) == 1
    body = {"tracks": {"remove": [answer.json()["tracks"][0]["id"]]}}
    assert (await listener.patch(f"/api/playlists/{trip.id}", json=body)).status_code == 403
    assert len(await tracks_of(stored, trip)) == 1


async def test_the_documents_tell_of_links(player: Client) -> None:
    document = (await player.get("/api/openapi.json")).json()
    schemas = document["components"]["schemas"]
    assert "tracks" in schemas["PlaylistUpdateWithLinks"]["properties"]
    assert schemas["PlaylistTracksChange"]["properties"]["add"]["items"] == {"type": "integer"}
    assert "/playlists/{id}/with-tracks" in document["paths"]
    assert (await player.get("/api/docs")).status_code == 200


async def test_a_list_is_filtered_by_what_is_linked(player: Client, session: AsyncSession) -> None:
    trip, sleep = await a_playlist(session, "Trip"), await a_playlist(session, "Sleep")
    await a_playlist(session, "Empty")
    river = await a_track(session, "River", trip, sleep)

    async def found(query: str) -> list[str]:
        url = f"/api/playlists/?{query}&limit=1"
        return [each["name"] async for page in pages_from(player, url) for each in page]

    assert await found(f"tracks={river.id}") == ["Sleep", "Trip"]
    assert await found(f"tracks={river.id}&tracks=none&sort=-name") == ["Trip", "Sleep", "Empty"]
    refused = await player.get("/api/playlists/?tracks=x")
    assert (refused.status_code, refused.json()["detail"][0]["loc"]) == (422, ["query", "tracks"])


async def test_a_list_of_texts_as_keys_is_followed_to_its_end(
    player: Client, session: AsyncSession
) -> None:
    codes = ["b", "B", "a", "É", "a b", "Z", "&;>"]
    for code in codes:
        await an_artist(session, code)
    whole = [each["code"] for each in (await player.get("/api/artists/")).json()]
    assert sorted(whole) == sorted(codes)
    for query in ("limit=1", "limit=2"):
        url = f"/api/artists/?{query}"
        met = [each["code"] async for page in pages_from(player, url) for each in page]
        assert met == whole
    skipped = await player.get("/api/artists/?skip=2&limit=3")
    assert [each["code"] for each in skipped.json()] == whole[2:5]
    by_name = [page async for page in pages_from(player, "/api/artists/?sort=code&limit=3")]
    listed = (await player.get("/artists?sort=code")).column("Code")
    assert [each["code"] for page in by_name for each in page] == listed
    assert next_of((await player.get(f"/api/artists/?limit={len(codes)}")).headers) is None
