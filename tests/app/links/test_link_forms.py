"""Links in a form: what is added and removed, and never the whole set."""

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from hero_admin.testing import Client, Page
from tests.playlists import (
    Credit,
    Playlist,
    PlaylistTrack,
    Track,
    a_playlist,
    a_track,
    an_artist,
)
from tests.statements import Statements
from tests.stored import Stored

ADD, REMOVE = "link.tracks.add", "link.tracks.remove"


async def tracks_of(stored: Stored, playlist: Playlist) -> list[int]:
    rows = await stored.all(PlaylistTrack)
    return sorted(row.track_id or 0 for row in rows if row.playlist_id == playlist.id)


async def opened(player: Client, playlist: Playlist) -> Page:
    return await player.get(f"/playlists/{playlist.id}/edit")


async def save(player: Client, page: Page, **changes: list[str]) -> Page:
    values = {f"link.tracks.{name}": value for name, value in changes.items()}
    return await player.submit(page.form(press="Save changes"), values)


async def test_saving_the_form_as_it_is_changes_no_link(
    player: Client, session: AsyncSession, stored: Stored
) -> None:
    trip = await a_playlist(session, tracks=1_200)
    before = await tracks_of(stored, trip)
    page = await opened(player, trip)
    saved = await player.submit(page.form(press="Save changes"), name="Renamed")
    assert (await player.follow(saved)).flash == "Saved Renamed"
    assert await tracks_of(stored, trip) == before


async def test_tracks_are_added_and_removed_by_one_save_and_one_undo(
    player: Client, session: AsyncSession, stored: Stored
) -> None:
    trip = await a_playlist(session, tracks=3)
    blue, river = await a_track(session, "Blue"), await a_track(session, "River")
    first, second, third = before = await tracks_of(stored, trip)
    page = await opened(player, trip)
    saved = await save(player, page, add=[str(blue.id), str(river.id)], remove=[str(second)])
    assert await tracks_of(stored, trip) == [first, third, blue.id, river.id]
    after = await player.follow(saved)
    assert after.flash == "Saved Road trip"
    undone = await player.follow(await player.submit(after.undo))
    assert undone.flash == "Restored Road trip"
    assert await tracks_of(stored, trip) == before
    await player.submit(undone.undo)
    assert await tracks_of(stored, trip) == [first, third, blue.id, river.id]


async def test_a_new_playlist_has_its_tracks_at_once(
    player: Client, session: AsyncSession, stored: Stored
) -> None:
    blue = await a_track(session, "Blue")
    page = await player.get("/playlists/new")
    form = page.form(press="Create playlist")
    saved = await player.submit(form, {ADD: [str(blue.id)]}, name="New")
    (playlist,) = await stored.all(Playlist)
    assert await tracks_of(stored, playlist) == [blue.id]
    undone = await player.submit((await player.follow(saved)).undo)
    assert undone.status_code == 303
    assert await stored.all(Playlist) == []
    assert await stored.all(PlaylistTrack) == []
    assert len(await stored.all(Track)) == 1


async def test_two_people_never_undo_each_other(
    player: Client, session: AsyncSession, stored: Stored
) -> None:
    trip = await a_playlist(session, tracks=2)
    blue, river = await a_track(session, "Blue"), await a_track(session, "River")
    first, second = await tracks_of(stored, trip)
    mine, theirs = await opened(player, trip), await opened(player, trip)
    added = await save(player, theirs, add=[str(blue.id)], remove=[str(first)])
    undo = (await player.follow(added)).undo
    await save(player, mine, add=[str(river.id)], remove=[str(second)])
    assert await tracks_of(stored, trip) == [blue.id, river.id]
    # The first one is undone, and what the second has done stays.
    await player.submit(undo)
    assert await tracks_of(stored, trip) == [first, river.id]


async def test_adding_what_is_linked_and_removing_what_is_gone_is_no_error(
    player: Client, session: AsyncSession, stored: Stored
) -> None:
    trip = await a_playlist(session, tracks=2)
    blue = await a_track(session, "Blue")
    first, second = await tracks_of(stored, trip)
    stale = await opened(player, trip)
    await save(player, await opened(player, trip), add=[str(blue.id)], remove=[str(first)])
    again = await save(player, stale, add=[str(blue.id)], remove=[str(first)])
    page = await player.follow(again)
    assert page.flash == "Saved Road trip"
    assert "Undo" not in page.text.partition("Saved")[2][:200]
    assert await tracks_of(stored, trip) == [second, blue.id]


async def test_what_is_both_added_and_removed_stays(
    player: Client, session: AsyncSession, stored: Stored
) -> None:
    trip = await a_playlist(session, tracks=1)
    before = [str(number) for number in await tracks_of(stored, trip)]
    await save(player, await opened(player, trip), add=before, remove=before)
    assert [str(number) for number in await tracks_of(stored, trip)] == before


async def test_a_track_that_is_gone_is_said_and_nothing_typed_is_lost(
    player: Client, session: AsyncSession, stored: Stored
) -> None:
    trip = await a_playlist(session, tracks=2)
    blue, river = await a_track(session, "Blue"), await a_track(session, "River")
    first, _ = before = await tracks_of(stored, trip)
    page = await opened(player, trip)
    await session.execute(delete(Track).where(col(Track.id) == blue.id))
    await session.commit()
    form = page.form(press="Save changes")
    sent = {ADD: [str(blue.id), str(river.id)], REMOVE: [str(first)]}
    refused = await player.submit(form, sent, name="Renamed")
    assert refused.status_code == 422
    assert refused.error("Add a track") == f"The track {blue.id} no longer exists."
    assert refused.field("Name").value == "Renamed"
    assert await tracks_of(stored, trip) == before
    again = refused.form(press="Save changes")
    assert again.data[ADD] == [str(blue.id), str(river.id), ""]
    assert again.data[REMOVE] == [str(first)]
    await player.submit(again, {ADD: [str(river.id)]})
    assert await tracks_of(stored, trip) == sorted([*before[1:], river.id or 0])


async def test_an_invalid_field_keeps_what_was_chosen(
    player: Client, session: AsyncSession, stored: Stored
) -> None:
    trip = await a_playlist(session, tracks=1)
    blue = await a_track(session, "Blue")
    form = (await opened(player, trip)).form(press="Save changes")
    refused = await player.submit(form, {ADD: [str(blue.id)]}, name="")
    assert refused.status_code == 422
    assert refused.form(press="Save changes").data[ADD] == [str(blue.id), ""]
    assert len(await stored.all(PlaylistTrack)) == 1


async def test_nonsense_is_a_sentence(player: Client, session: AsyncSession) -> None:
    trip = await a_playlist(session)
    for text in ("x", "1.5", "9" * 40, "\0"):
        answer = await player.post(f"/playlists/{trip.id}", data={ADD: text})
        assert answer.status_code == 422, text
        assert answer.error("Add a track")
    answer = await player.post(f"/playlists/{trip.id}", data={REMOVE: "12345"})
    assert answer.status_code == 303


async def test_a_picker_is_searched_and_keeps_what_was_chosen(
    player: Client, session: AsyncSession
) -> None:
    trip = await a_playlist(session)
    await a_playlist(session, "Many", tracks=60)
    blue = await a_track(session, "Blue")
    page = await opened(player, trip)
    found = await player.submit(
        page.form(press="Find"), {ADD: [str(blue.id)], f"{ADD}.q": "0042"}, name="Typed"
    )
    assert found.status_code == 200
    assert found.field("Name").value == "Typed"
    assert found.form(press="Save changes").data[ADD] == [str(blue.id), ""]
    assert list(found.field("Add a track").options) == ["Add a track…", "Many 0042"]
    options = await player.get("/playlists/options/tracks?q=0042")
    assert "Many 0042" in options.text
    assert (await player.get("/playlists/options/track")).status_code == 404


async def test_the_form_of_3000_tracks_costs_what_that_of_30_does(
    player: Client, session: AsyncSession, statements: Statements
) -> None:
    few = await a_playlist(session, "Road trip A", tracks=30)
    many = await a_playlist(session, "Road trip B", tracks=3_000)
    costs = []
    for playlist in (few, many):
        await opened(player, playlist)
        with statements() as executed:
            page = await opened(player, playlist)
        costs.append((len(executed), len(page.content)))
    assert costs[0][0] == costs[1][0]
    assert abs(costs[0][1] - costs[1][1]) < 200
    page = await opened(player, many)
    assert (await player.get(page.link("2,990 more"))).heading == "Road trip B"


async def test_a_link_by_a_row_with_a_key_of_its_own(
    player: Client, session: AsyncSession, stored: Stored
) -> None:
    track = await a_track(session, "Blue")
    await an_artist(session, "joni", track)
    await an_artist(session, "neil")
    page = await player.get(f"/tracks/{track.id}/edit")
    sent = {"link.artists.add": ["neil"], "link.artists.remove": ["joni"]}
    saved = await player.submit(page.form(press="Save changes"), sent)
    (credit,) = await stored.all(Credit)
    assert (credit.artist_code, credit.role) == ("neil", "singer")
    await player.submit((await player.follow(saved)).undo)
    (credit,) = await stored.all(Credit)
    assert (credit.id, credit.artist_code) == (1, "joni")


async def test_a_space_at_the_end_of_a_key_counts(
    player: Client, session: AsyncSession, stored: Stored
) -> None:
    track = await a_track(session, "Blue")
    await an_artist(session, "a", track)
    await an_artist(session, "a ", track)
    page = await player.get(f"/tracks/{track.id}/edit")
    form = page.form(press="Save changes")
    saved = await player.follow(await player.submit(form, {"link.artists.remove": ["a "]}))
    assert [credit.artist_code for credit in await stored.all(Credit)] == ["a"]
    await player.submit(saved.undo)
    assert sorted(credit.artist_code for credit in await stored.all(Credit)) == ["a", "a "]
    sent = {"link.artists.remove": ["a"], "link.artists.add": ["a "]}
    await player.submit(form, sent)
    assert [credit.artist_code for credit in await stored.all(Credit)] == ["a "]


async def test_linked_records_of_one_title_are_told_apart(
    player: Client, session: AsyncSession, statements: Statements
) -> None:
    trip, sleep = await a_playlist(session, "Trip"), await a_playlist(session, "Sleep")
    first, second = await a_track(session, "Blue", trip), await a_track(session, "Blue", sleep)
    third = await a_track(session, "River", trip)
    page = await player.get("/playlists")
    assert [row["Tracks"] for row in page.rows] == [
        f"Blue · ID {second.id}",
        f"Blue · ID {first.id} River",
    ]
    # Alone on a page, a title says enough.
    page = await player.get("/playlists?q=trip")
    assert [row["Tracks"] for row in page.rows] == ["Blue River"]
    page = await opened(player, trip)
    assert page.link("Blue") == f"/tracks/{first.id}"
    await save(player, page, add=[str(second.id)], remove=[str(third.id)])

    page = await opened(player, trip)
    for track in (first, second):
        assert page.field(f"Remove Blue · ID {track.id}").name == REMOVE
        assert page.link(f"Blue · ID {track.id}") == f"/tracks/{track.id}"
    counts = []
    for _ in range(2):
        with statements() as executed:
            await player.get("/playlists")
        counts.append(len(executed))
        for number in range(20):
            await a_track(session, "Blue", await a_playlist(session, f"P{number}"))
    assert counts[0] == counts[1]


async def test_a_clone_is_linked_with_the_same_records_unless_they_are_too_many(
    player: Client, session: AsyncSession, stored: Stored
) -> None:
    trip = await a_playlist(session, tracks=3)
    page = await player.get(f"/playlists/{trip.id}/clone")
    await player.submit(page.form(press="Create playlist"), name="Trip home")
    home = next(each for each in await stored.all(Playlist) if each.name == "Trip home")
    assert await tracks_of(stored, home) == await tracks_of(stored, trip) != []
    long = await a_playlist(session, tracks=101)
    page = await player.get(f"/playlists/{long.id}/clone")
    assert "Not copied: Tracks." in page.visible_text
