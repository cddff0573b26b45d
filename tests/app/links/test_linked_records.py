"""The page of a record, and the list of those that are linked with it."""

from sqlalchemy.ext.asyncio import AsyncSession

from tests.page import Client
from tests.playlists import a_playlist, a_track, an_artist
from tests.statements import Statements


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
    assert len(executed) <= 6


async def test_a_playlist_without_tracks_says_so(player: Client, session: AsyncSession) -> None:
    empty = await a_playlist(session)
    page = await player.get(f"/playlists/{empty.id}")
    assert page.rows == []
    assert "No tracks here" in page.text
