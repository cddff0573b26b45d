"""Files in forms: chosen, looked at, fetched, kept, removed and brought back."""

import re
import sqlite3
import struct
import sys
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from playwright.sync_api import FilePayload, Locator, Page, expect
from sqlalchemy import create_engine

from tests.browser.conftest import TOKEN, Axe, _environment, copy_of_cast
from tests.browser.parts import FROM_HERE, names, status, staying_on_the_page
from tests.server import Server, running_server
from tests.signing_in import write_session
from tests.specimens import Card

UVICORN = (sys.executable, "-m", "uvicorn", "--factory", "tests.specimens:cards")
PASSWORD = "correct horse battery"

each_way = pytest.mark.parametrize("has_javascript", [True, False])


def png(size: int) -> bytes:
    """Return a picture that browsers can show, of one grey."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    rows = zlib.compress((b"\0" + b"\x77" * size) * size, 0)
    head = struct.pack(">IIBBBBB", size, size, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


SMALL, LARGE = png(40), png(280)


def a_file(data: bytes, name: str = "grey.png") -> FilePayload:
    return {"name": name, "mimeType": "image/png", "buffer": data}


@pytest.fixture(scope="module")
def card_files(
    cast_database: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, Path]]:
    home = tmp_path_factory.mktemp("cards")
    database = home / "cards.db"
    copy_of_cast(cast_database, database)
    engine = create_engine(f"sqlite:///{database}")
    Card.__table__.create(engine)  # type: ignore[attr-defined]  # SQLModel does not declare it
    engine.dispose()
    with running_server(home / "log", _environment(database), program=UVICORN) as server:
        yield server, database


@pytest.fixture
def database(card_files: tuple[Server, Path]) -> Path:
    """Of a card with a picture and one whose picture is none."""
    with closing(sqlite3.connect(card_files[1])) as connection, connection:
        # Where the table never gives a number twice, it begins anew.
        reset = "DELETE FROM sqlite_sequence WHERE name = 'card'"
        connection.executescript(f"DELETE FROM card; DELETE FROM hero_admin_change; {reset}")
        connection.executemany(
            "INSERT INTO card (id, name, photo, scan, secret) VALUES (?, ?, ?, '', 'a secret')",
            [(1, "Nova", SMALL), (2, "Liar", SMALL[:8] + bytes(5_000))],
        )
    return card_files[1]


@pytest.fixture
def server(card_files: tuple[Server, Path], database: Path) -> Server:
    return card_files[0]


def photo(page: Page) -> Locator:
    return page.get_by_label("Photo", exact=False).and_(page.locator("input[type=file]"))


def picture(page: Page) -> Locator:
    return page.get_by_role("img", name=re.compile("^Photo"))


def stored(database: Path) -> list[tuple[str, bytes | None]]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute("SELECT name, photo FROM card ORDER BY id").fetchall()


def save(page: Page, name: str = "Save changes") -> None:
    page.get_by_role("button", name=name, exact=True).click()


@pytest.mark.parametrize(
    ("has_javascript", "width", "color_scheme"), [(True, 390, "dark"), (False, 1280, "light")]
)
def test_a_file_is_saved_seen_fetched_kept_removed_and_brought_back(
    page: Page, database: Path, axe: Axe, has_javascript: bool
) -> None:
    page.goto("/cards/new")
    page.get_by_label("Name", exact=True).fill("Zoe")
    photo(page).set_input_files(a_file(LARGE))
    size = page.get_by_text("79 kB", exact=True)
    expect(size).to_have_count(1 if has_javascript else 0)
    axe(page)
    save(page, "Create card")
    expect(status(page, "Created Zoe")).to_be_visible()
    assert stored(database)[2] == ("Zoe", LARGE)
    axe(page)
    names(page).get_by_text("Zoe").click()
    expect(picture(page)).to_have_js_property("naturalWidth", 280)
    axe(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="79 kB PNG").click()
    assert download.value.suggested_filename == "cards-3-photo.png"
    assert download.value.path().read_bytes() == LARGE
    page.goto("/cards/3/edit")
    page.get_by_label("Name", exact=True).fill("Supernova")
    save(page)
    expect(status(page, "Saved Supernova")).to_be_visible()
    assert stored(database)[2] == ("Supernova", LARGE)
    page.goto("/cards/3/edit")
    expect(picture(page)).to_be_visible()
    page.get_by_label("Remove").first.check()
    axe(page)
    save(page)
    expect(status(page, "Saved Supernova")).to_be_visible()
    assert stored(database)[2] == ("Supernova", None)
    page.get_by_role("button", name="Undo").click()
    expect(status(page, "Restored Supernova")).to_be_visible()
    assert stored(database)[2] == ("Supernova", LARGE)
    page.goto("/cards/3/history")
    axe(page)
    expect(page.get_by_role("link", name="79 kB PNG")).to_have_count(3)


@each_way
def test_a_form_that_is_refused_or_overtaken_keeps_the_file_or_asks_for_it_again(
    page: Page, database: Path, has_javascript: bool
) -> None:
    def choose_again() -> None:
        hint = page.get_by_text("Choose the file again.")
        if has_javascript:
            expect(hint).to_be_hidden()
        else:
            expect(hint).to_be_visible()
            photo(page).set_input_files(a_file(LARGE))
        expect(photo(page)).to_have_js_property("value", r"C:\fakepath\grey.png")

    page.goto("/cards/1/edit")
    page.get_by_label("Name", exact=True).fill("")
    photo(page).set_input_files(a_file(LARGE))
    save(page)
    expect(page.get_by_label("Name", exact=True)).to_have_accessible_description("Enter a name.")
    choose_again()
    page.get_by_label("Name", exact=True).fill("Supernova")
    theirs = a_file(b"GIF89a")
    answer = page.request.post("/cards/1", multipart={"photo": theirs}, headers=FROM_HERE)
    assert answer.ok
    save(page)
    notice = page.get_by_role("alert").filter(has_text="while you were editing")
    expect(notice).to_contain_text("Theirs: 6 bytes GIF")
    expect(notice).to_contain_text("Yours: the file you chose")
    choose_again()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Supernova")
    save(page)
    expect(status(page, "Saved Supernova")).to_be_visible()
    assert stored(database)[0] == ("Supernova", LARGE)


def test_files_are_chosen_and_saved_by_the_keyboard_one_record_after_another(
    page: Page, database: Path
) -> None:
    page.goto("/cards/new")
    page.get_by_label("Name", exact=True).fill("First")
    page.keyboard.press("Tab")
    expect(photo(page)).to_be_focused()
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Space")
    chooser.value.set_files(a_file(SMALL))
    save(page, "Save and add another")
    expect(status(page, "Created First")).to_be_visible()
    expect(photo(page)).to_have_js_property("value", "")
    page.get_by_label("Name", exact=True).fill("Second")
    photo(page).set_input_files(a_file(LARGE))
    page.keyboard.press("Control+Enter")
    expect(status(page, "Created Second")).to_be_visible()
    assert stored(database)[2:] == [("First", SMALL), ("Second", LARGE)]


def test_a_file_that_is_too_large_is_not_sent(page: Page, database: Path, tmp_path: Path) -> None:
    page.goto("/cards/1/edit")
    photo(page).set_input_files(a_file(bytes(100_001)))
    with staying_on_the_page(page):
        save(page)
        expect(photo(page)).to_be_focused()
    sentence = "Choose a file with at most 100 kB."
    expect(photo(page)).to_have_js_property("validationMessage", sentence)
    # Of the others only the server knows how large they may be.
    photo(page).set_input_files([])
    huge = tmp_path / "huge"
    huge.write_bytes(bytes(6_000_000))
    page.get_by_label("Scan").set_input_files(huge)
    save(page)
    sentence = "Choose a file with at most 5.2 MB."
    expect(page.get_by_label("Scan")).to_have_js_property("validationMessage", sentence)
    expect(page.get_by_text("Files may be up to 5.2 MB in total.")).to_be_visible()
    assert stored(database)[0] == ("Nova", SMALL)


def test_a_masked_file_is_fetched_as_often_as_one_likes_and_no_broken_picture_is_shown(
    page: Page,
) -> None:
    page.goto("/cards/2")
    for _ in range(2):
        with page.expect_download() as download:
            page.get_by_role("button", name="download").click()
        assert download.value.path().read_bytes() == b"a secret"
    expect(page.get_by_role("link", name="5 kB PNG")).to_be_visible()
    expect(picture(page)).to_have_count(0)


@each_way
def test_a_file_sent_after_the_session_has_ended_costs_nothing_else_that_was_typed(
    page: Page, database: Path, has_javascript: bool
) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        hashed = PasswordHasher().hash(PASSWORD)
        connection.execute("UPDATE hero_admin_user SET password_hash = ?", (hashed,))
    page.goto("/cards/1/edit")
    page.get_by_label("Name", exact=True).fill("Supernova")
    # Strangers may send 64 kB; in this page nobody has to send it.
    data = LARGE if has_javascript else SMALL
    photo(page).set_input_files(a_file(data))
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("DELETE FROM hero_admin_session")
    save(page)
    sign_in = page.get_by_role("region", name="Sign in")
    sign_in.get_by_label("Name").fill("Olive Owner")
    sign_in.get_by_label("Password").fill(PASSWORD)
    sign_in.get_by_role("button").click()
    if not has_javascript:
        sentence = "Choose the file again: it could not be kept."
        expect(photo(page)).to_have_accessible_description(re.compile(sentence))
        expect(page.get_by_label("Name", exact=True)).to_have_value("Supernova")
        photo(page).set_input_files(a_file(data))
        save(page)
    expect(status(page, "Saved Supernova")).to_be_visible()
    assert stored(database)[0] == ("Supernova", data)
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("DELETE FROM hero_admin_session")
        connection.execute("DELETE FROM hero_admin_user")
    write_session(database, TOKEN)
