"""Links in a form, with JavaScript and without, and what axe says of them."""

import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import create_engine

from tests.browser.conftest import Axe, _environment, copy_of_cast
from tests.browser.parts import names, picker, row, status, staying_on_the_page
from tests.playlists import Music
from tests.server import Server, running_server

UVICORN = (sys.executable, "-m", "uvicorn", "--factory", "tests.playlists:app")
TRACKS = 3_000


@pytest.fixture(scope="module")
def music_database(cast_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A playlist of 3,000 tracks, one of two, and two tracks in none."""
    path = tmp_path_factory.mktemp("music") / "music.db"
    copy_of_cast(cast_database, path)
    engine = create_engine(f"sqlite:///{path}")
    Music.metadata.create_all(engine)
    engine.dispose()
    with closing(sqlite3.connect(path)) as connection, connection:
        songs = [(number, f"Song {number:04}") for number in range(1, TRACKS + 1)]
        songs += [(TRACKS + 1, "Blue"), (TRACKS + 2, "A Case of You")]
        connection.executemany("INSERT INTO track (id, name) VALUES (?, ?)", songs)
        connection.execute("INSERT INTO playlist VALUES (1, 'Road trip'), (2, 'Everything')")
        links = [(2, number) for number in range(1, TRACKS + 1)] + [(1, 1), (1, 2)]
        connection.executemany("INSERT INTO playlist_track VALUES (?, ?)", links)
    return path


@pytest.fixture(scope="module")
def music_server(
    music_database: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, Path]]:
    home = tmp_path_factory.mktemp("music_server")
    database = home / "music.db"
    shutil.copy(music_database, database)
    with running_server(home / "log", _environment(database), program=UVICORN) as server:
        yield server, database


@pytest.fixture
def server(music_server: tuple[Server, Path], music_database: Path) -> Server:
    server, database = music_server
    with (
        closing(sqlite3.connect(music_database)) as source,
        closing(sqlite3.connect(database)) as target,
    ):
        source.backup(target)
    return server


def add(page: Page, text: str, name: str) -> None:
    box = picker(page, "Add a track")
    box.fill(text)
    expect(page.get_by_role("option", name=name)).to_be_visible()
    box.press("Enter")
    expect(page.get_by_role("checkbox", name=name, exact=True)).to_be_checked()


def test_tracks_are_searched_added_removed_and_brought_back(page: Page) -> None:
    page.goto("/playlists/1/edit")
    add(page, "case of", "A Case of You")
    add(page, "blue", "Blue")
    expect(picker(page, "Add a track")).to_have_value("")
    page.get_by_role("checkbox", name="Blue", exact=True).uncheck()
    page.get_by_role("checkbox", name="Remove Song 0001").check()
    page.get_by_label("Name").fill("")
    with staying_on_the_page(page):
        page.get_by_role("button", name="Save changes").click()
        expect(page.get_by_role("alert")).to_be_visible()
    # What was chosen is still there.
    expect(page.get_by_role("checkbox", name="A Case of You", exact=True)).to_be_checked()
    expect(page.get_by_role("checkbox", name="Remove Song 0001")).to_be_checked()
    page.get_by_label("Name").fill("Long trip")
    page.get_by_role("button", name="Save changes").click()
    expect(status(page, "Saved Long trip")).to_be_visible()
    page.goto("/playlists/1")
    expect(names(page)).to_have_text(["A Case of You", "Song 0002"])
    row(page, "Song 0002").get_by_role("button", name="Remove").click()
    expect(names(page)).to_have_text(["A Case of You"])
    status(page, "Removed Song 0002").get_by_role("button", name="Undo").click()
    expect(names(page)).to_have_text(["A Case of You", "Song 0002"])


def test_choosing_what_is_to_be_removed_keeps_it(page: Page) -> None:
    page.goto("/playlists/1/edit")
    box = page.get_by_role("checkbox", name="Remove Song 0001")
    box.check()
    picker(page, "Add a track").fill("song 0001")
    page.get_by_role("option", name="Song 0001").click()
    expect(box).not_to_be_checked()
    expect(page.get_by_role("checkbox")).to_have_count(2)


@pytest.mark.parametrize("has_javascript", [False])
def test_without_javascript_saving_keeps_all_3000_and_changes_what_is_ticked(page: Page) -> None:
    page.goto("/playlists/2/edit")
    page.get_by_label("Name").fill("All")
    page.get_by_role("searchbox", name="Find another track").fill("case of")
    page.get_by_role("button", name="Find", exact=True).click()
    expect(page.get_by_label("Name")).to_have_value("All")
    page.get_by_label("Add a track").select_option("A Case of You")
    page.get_by_role("checkbox", name="Remove Song 0003").check()
    page.get_by_role("button", name="Save changes").click()
    expect(status(page, "Saved All")).to_be_visible()
    page.goto("/playlists/2/tracks")
    expect(names(page).first).to_have_text("A Case of You")
    page.goto("/playlists/2/edit")
    expect(page.get_by_role("link", name="2,990 more")).to_be_visible()
    expect(page.get_by_role("checkbox", name="Remove Song 0003")).to_have_count(0)


# Each size in each color, and with JavaScript and without.
@pytest.mark.parametrize(
    ("has_javascript", "width", "color_scheme"),
    [(True, 390, "dark"), (True, 1280, "light"), (False, 390, "light"), (False, 1280, "dark")],
)
def test_nothing_shuts_anybody_out(page: Page, axe: Axe) -> None:
    for url in (
        "/playlists/2/edit",
        "/playlists/2/tracks",
        "/playlists/new",
        "/playlists?tracks=1",
        "/playlists/change?id=1&id=2",
    ):
        page.goto(url)
        if url.endswith("edit"):
            page.get_by_role("checkbox", name="Remove Song 0001").check(force=True)
        axe(page)
