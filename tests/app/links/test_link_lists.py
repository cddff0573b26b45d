"""Links in lists: a column, a filter, and what an export has of them."""

import csv
import io
import json

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.application import create_app
from hero_admin.listing import link_keys
from hero_admin.model.links import Link
from hero_admin.model.resource import Resource
from hero_admin.person import Role
from hero_admin.settings import Settings
from hero_admin.testing import Client
from tests.playlists import Artist, Music, Playlist, Track, a_playlist, a_track, an_artist
from tests.serving import serving
from tests.statements import Statements


async def test_a_list_shows_the_first_linked_records_and_how_many_more(
    player: Client, session: AsyncSession
) -> None:
    await a_playlist(session, "Empty")
    await a_playlist(session, "Few", tracks=2)
    await a_playlist(session, "Many", tracks=1_500)
    page = await player.get("/playlists")
    assert page.columns == ["Name", "Tracks"]
    assert [row["Tracks"] for row in page.rows] == [
        "—",
        "Few 0001 Few 0002",
        "Many 0001 Many 0002 Many 0003 997+ more",
    ]
    assert (await player.get(page.link("Few 0002"))).heading == "Few 0002"


async def test_the_column_takes_one_statement_however_many_rows(
    player: Client, session: AsyncSession, statements: Statements
) -> None:
    counts = []
    await a_playlist(session, "A", tracks=1)
    for _ in range(2):
        await player.get("/playlists")
        with statements() as executed:
            await player.get("/playlists")
        counts.append(len([each for each in executed if "first_links" in str(each)]))
        for number in range(30):
            await a_playlist(session, f"B{number}", tracks=4)
    assert counts == [1, 1]


async def test_a_list_is_filtered_by_what_is_linked(player: Client, session: AsyncSession) -> None:
    trip, sleep = await a_playlist(session, "Road trip"), await a_playlist(session, "Sleep")
    await a_playlist(session, "Empty")
    blue = await a_track(session, "Blue", trip)
    river = await a_track(session, "River", trip, sleep)

    async def found(query: str) -> list[str]:
        return (await player.get(f"/playlists?{query}")).column("Name")

    assert await found(f"tracks={blue.id}") == ["Road trip"]
    assert await found(f"tracks={river.id}") == ["Road trip", "Sleep"]
    assert await found(f"tracks={blue.id}&tracks={river.id}") == ["Road trip", "Sleep"]
    assert await found("tracks=none") == ["Empty"]
    assert await found(f"tracks=none&tracks={blue.id}") == ["Empty", "Road trip"]
    assert await found("tracks=99") == []
    assert await found(f"tracks={river.id}&q=sleep&sort=-name") == ["Sleep"]
    page = await player.get(f"/playlists?tracks={blue.id}&tracks=none")
    assert list(page.chips) == ["Tracks: Blue, none"]
    answer = await player.get("/playlists?tracks=x")
    assert answer.status_code == 400


async def test_the_filter_offers_options_and_searches_them(
    player: Client, session: AsyncSession
) -> None:
    await a_playlist(session, "Many", tracks=60)
    page = await player.get("/playlists?tracks.q=0042")
    assert page.field("Many 0042").name == "tracks"
    assert page.field("No tracks").value in ("", "none")


async def test_few_of_many_are_found_without_reading_the_table(
    player: Client, session: AsyncSession
) -> None:
    many = await a_playlist(session, "Many", tracks=3_000)
    page = await player.get(f"/tracks?playlists={many.id}&q=2999")
    assert page.column("Name") == ["Many 2999"]
    page = await player.get(f"/tracks?playlists={many.id}&size=25&before=end")
    assert page.column("Name")[-1] == "Many 3000"


async def test_the_list_of_linked_records_lacks_its_own_column(
    player: Client, session: AsyncSession
) -> None:
    trip = await a_playlist(session, tracks=1)
    page = await player.get(f"/playlists/{trip.id}/tracks")
    assert page.columns == ["Name", "Seconds", "Artists"]


async def test_an_export_names_the_linked_records(player: Client, session: AsyncSession) -> None:
    await a_playlist(session, "Empty")
    await a_playlist(session, "Few", tracks=2)
    await a_playlist(session, "Many", tracks=102)
    text = (await player.get("/playlists.csv")).text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["tracks"] for row in rows][:2] == ["", "Few 0001 and Few 0002"]
    assert rows[2]["tracks"].endswith("Many 0099, Many 0100 and 2 more")
    trip = await a_playlist(session, "Trip", tracks=1)
    page = await player.get(f"/playlists/{trip.id}/tracks")
    exported = (await player.get(page.link("CSV"))).text
    assert [row["name"] for row in csv.DictReader(io.StringIO(exported))] == ["Trip 0001"]


async def test_json_exports_have_the_keys_of_all_linked_records(
    player: Client,
    session: AsyncSession,
    statements: Statements,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In portions: what is read at once has a bound, however many links there are."""
    monkeypatch.setattr(link_keys, "MAX_LINKS", 150)
    monkeypatch.setattr(link_keys, "LINKS_PER_READ", 7)
    for name, count in (("Empty", 0), ("Few", 2), ("Large", 300), ("Many", 102), ("Most", 48)):
        await a_playlist(session, name, tracks=count)
    track = await a_track(session, "Blue")
    await an_artist(session, "joni", track)
    await an_artist(session, "Zoë", track)

    with statements() as executed:
        exported = (await player.get("/playlists.json")).json()

    assert [(each["name"], len(each["tracks"])) for each in exported] == [
        ("Empty", 0),
        ("Few", 2),
        ("Large", 300),
        ("Many", 102),
        ("Most", 48),
    ]
    assert exported[0] == {"id": 1, "name": "Empty", "tracks": []}
    assert exported[1]["tracks"] == [1, 2]
    assert [one for each in exported for one in each["tracks"]] == list(range(1, 453))
    # One counts, and each of three portions takes one.
    assert len([each for each in executed if "playlist_track" in str(each)]) == 4
    lines = (await player.get("/tracks.jsonl?q=blue")).text
    assert json.loads(lines) == {
        "id": track.id,
        "name": "Blue",
        "seconds": None,
        "playlists": [],
        "artists": ["joni", "Zoë"],
    }


async def test_an_export_takes_the_same_statements_however_many_rows(
    player: Client, session: AsyncSession, statements: Statements
) -> None:
    counts = []
    # The first export of all begins the audit log.
    await player.get("/playlists.jsonl")
    for _ in range(2):
        for number in range(10):
            await a_playlist(session, f"B{number}", tracks=4)
        with statements() as executed:
            await player.get("/playlists.jsonl")
        counts.append(len(executed))
    assert counts[0] == counts[1]


async def test_titles_are_no_formulas_and_no_markup(player: Client, session: AsyncSession) -> None:
    trip = await a_playlist(session)
    await a_track(session, "=1+1", trip)
    await a_track(session, "<b>&", trip)
    assert (await player.get("/playlists")).rows[0]["Tracks"] == "=1+1 <b>&"
    assert "'=1+1 and <b>&" in (await player.get("/playlists.csv")).text


async def test_links_are_columns_and_filters_only_where_asked_for(
    settings: Settings, session: AsyncSession
) -> None:
    await (await session.connection()).run_sync(Music.metadata.create_all)
    await session.commit()
    track = await a_track(session, "Blue")
    await an_artist(session, "joni", track)
    chosen = Resource(
        Track, columns=(Track.name, Track.artists), filters=(Track.seconds,), sort="name"
    )
    hidden = [Resource(Playlist, links=()), Resource(Artist)]
    async with serving(create_app(settings, [chosen, *hidden]), role=Role.OWNER) as client:
        page = await client.get("/tracks?artists=neil")
        assert page.columns == ["Name", "Artists"]
        assert page.rows == [{"Name": "Blue", "Artists": "Joni"}]
        assert (await client.get("/playlists/new")).status_code == 200


@pytest.mark.parametrize("attribute", [Track.playlists, Track.artists])
def test_a_link_may_be_given_alone(attribute: object) -> None:
    resource = Resource(Track, links=(Link(attribute),), columns=(attribute,), filters=(attribute,))
    assert [field.name for field in resource.list_fields] == ["name"]
    assert len(resource.list_links) == len(resource.filter_links) == 1


async def test_a_search_among_linked_records_reads_no_others(
    player: Client, session: AsyncSession, statements: Statements
) -> None:
    """The planner of PostgreSQL took the trigram index for a text that every track has."""
    await a_playlist(session, "Song", tracks=4_000)
    few = await a_playlist(session, "Few")
    tracks = [await a_track(session, f"Song {name}", few) for name in ("Blue", "River")]
    with statements() as executed:
        page = await player.get(f"/playlists/{few.id}/tracks?q=song")
    assert page.column("Name") == ["Song Blue", "Song River"]
    assert len(executed) <= 10
    counted = await player.get(f"/playlists/{few.id}/tracks?q=song&count=1")
    assert "2" in counted.by_id("total").visible_text
    assert len(tracks) == 2
