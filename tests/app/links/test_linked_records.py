"""The page of a record, and the list of those that are linked with it."""

from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.testing import Client
from tests.app.links.test_link_forms import tracks_of
from tests.playlists import Credit, Track, a_playlist, a_track, an_artist
from tests.statements import Statements
from tests.stored import Stored


async def test_a_playlist_lists_its_tracks_and_no_others(
    player: Client, session: AsyncSession
) -> None:
    trip = await a_playlist(session, "Road trip", tracks=2)
    await a_playlist(session, "Sleep", tracks=3)
    page = await player.get(f"/playlists/{trip.id}")
    assert page.column("Name") == ["Road trip 0001", "Road trip 0002"]
    assert (await player.get(page.link("Road trip 0001"))).heading == "Road trip 0001"


async def test_a_track_lists_its_playlists(player: Client, session: AsyncSession) -> None:
    trip, sleep = await a_playlist(session, "Road trip"), await a_playlist(session, "Sleep")
    await a_playlist(session, "Empty")
    track = await a_track(session, "Blue", trip, sleep)
    page = await player.get(f"/tracks/{track.id}/playlists")
    assert page.column("Name") == ["Road trip", "Sleep"]


async def test_a_link_without_a_relationship_back_is_followed(
    player: Client, session: AsyncSession
) -> None:
    blue = await a_track(session, "Blue")
    await an_artist(session, "joni", blue)
    await an_artist(session, "other")
    page = await player.get(f"/tracks/{blue.id}/artists")
    assert page.column("Code") == ["joni"]


async def test_the_linked_records_are_searched_and_paged(
    player: Client, session: AsyncSession
) -> None:
    trip = await a_playlist(session, "Road trip", tracks=60)
    await a_track(session, "Road trip 0007 live")
    page = await player.get(f"/playlists/{trip.id}/tracks?q=0007")
    assert page.column("Name") == ["Road trip 0007"]
    page = await player.get(f"/playlists/{trip.id}/tracks?size=50")
    following = await player.get(page.link("Next page"))
    assert following.column("Name") == [f"Road trip {number:04}" for number in range(51, 61)]


async def test_three_thousand_linked_records_take_a_few_statements(
    player: Client, session: AsyncSession, statements: Statements
) -> None:
    many = await a_playlist(session, "Many", tracks=3_000)
    with statements() as executed:
        page = await player.get(f"/playlists/{many.id}")
    assert len(page.rows) == 25
    assert len(executed) <= 8


async def test_a_playlist_without_tracks_says_so(player: Client, session: AsyncSession) -> None:
    empty = await a_playlist(session)
    page = await player.get(f"/playlists/{empty.id}")
    assert page.rows == []
    assert "No tracks here" in page.text


async def test_tracks_are_removed_from_the_list_of_a_playlist(
    player: Client, session: AsyncSession, stored: Stored
) -> None:
    trip = await a_playlist(session, tracks=4)
    first, _, third, fourth = await tracks_of(stored, trip)
    page = await player.get(f"/playlists/{trip.id}/tracks?q=road&sort=-name")
    answer = await player.submit(page.form(press="Remove Road trip 0002"))
    assert await tracks_of(stored, trip) == [first, third, fourth]
    after = await player.follow(answer)
    assert (after.url.path, after.url.query) == (
        f"/playlists/{trip.id}/tracks",
        b"q=road&sort=-name",
    )
    assert after.flash == "Removed Road trip 0002"
    assert after.column("Name") == ["Road trip 0004", "Road trip 0003", "Road trip 0001"]
    several = await player.submit(after.form(press="Remove"), id=[str(first), str(third)])
    last = await player.follow(several)
    assert last.flash == "Removed 2 tracks"
    assert await tracks_of(stored, trip) == [fourth]
    await player.submit(last.undo)
    assert await tracks_of(stored, trip) == [first, third, fourth]
    assert await stored.count(Track) == 4


async def test_only_what_was_linked_is_said_to_be_removed(
    player: Client, session: AsyncSession, stored: Stored
) -> None:
    trip = await a_playlist(session, tracks=3)
    first, second, third = map(str, await tracks_of(stored, trip))
    url = f"/playlists/{trip.id}/tracks"
    assert (await player.follow(await player.post(url, data={"id": first}))).flash == (
        "Removed Road trip 0001"
    )
    again = await player.follow(await player.post(url, data={"id": first}))
    assert again.flash == "Nothing was removed: this track is no longer linked."
    gone = await player.follow(await player.post(url, data={"id": [first, "99"]}))
    assert gone.flash == "Nothing was removed: these tracks are no longer linked."
    one = await player.follow(await player.post(url, data={"id": [first, second]}))
    assert one.flash == "Removed Road trip 0002"
    assert await tracks_of(stored, trip) == [int(third)]


async def test_a_new_track_is_linked_from_the_page_of_its_playlist(
    player: Client, session: AsyncSession, stored: Stored
) -> None:
    trip = await a_playlist(session)
    page = await player.get(f"/playlists/{trip.id}/tracks")
    new = await player.get(page.link("New track"))
    await player.submit(new.form(press="Create track"), name="Blue")
    (track,) = await stored.all(Track)
    assert await tracks_of(stored, trip) == [track.id]


async def test_a_new_record_is_linked_where_only_the_other_one_has_the_link(
    player: Client, session: AsyncSession, stored: Stored
) -> None:
    blue = await a_track(session, "Blue")
    page = await player.get(f"/tracks/{blue.id}/artists")
    new = await player.get(page.link("New artist"))
    refused = await player.submit(new.form(press="Create artist"), code="", name="Joni")
    assert refused.status_code == 422
    created = await player.submit(refused.form(press="Create artist"), code="joni")
    after = await player.follow(created)
    assert after.column("Code") == ["joni"]
    assert [each.artist_code for each in await stored.all(Credit)] == ["joni"]
    await player.submit(after.undo)
    assert await stored.all(Credit) == []
    for gone in ("99", "x", "9" * 40, "%00"):
        answer = await player.post(
            f"/artists?link.tracks.artists.add={gone}", data={"code": "neil", "name": "Neil"}
        )
        assert answer.status_code == 422


async def test_viewers_see_links_and_cannot_change_them(
    listener: Client, session: AsyncSession, stored: Stored
) -> None:
    trip = await a_playlist(session, tracks=2)
    page = await listener.get(f"/playlists/{trip.id}/tracks")
    assert page.column("Name") == ["Road trip 0001", "Road trip 0002"]
    assert "Remove" not in page.text
    before = await tracks_of(stored, trip)
    for url, data in (
        (f"/playlists/{trip.id}/tracks", {"id": "1"}),
        (f"/playlists/{trip.id}", {"link.tracks.remove": "1"}),
    ):
        assert (await listener.post(url, data=data)).status_code == 403
    assert await tracks_of(stored, trip) == before


async def test_nothing_else_is_removed(player: Client, session: AsyncSession) -> None:
    trip = await a_playlist(session, tracks=1)
    for url, data, status in (
        (f"/playlists/{trip.id}/tracks", {}, 400),
        (f"/playlists/{trip.id}/tracks", {"id": "x"}, 404),
        (f"/playlists/{trip.id}/tracks", {"id": "99"}, 303),
        ("/playlists/99/tracks", {"id": "1"}, 404),
        (f"/playlists/{trip.id}/artists", {"id": "1"}, 404),
    ):
        assert (await player.post(url, data=data)).status_code == status, (url, data)
