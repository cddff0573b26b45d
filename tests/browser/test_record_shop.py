"""The admin of the record shop in a browser: saved unchanged, or undone, every byte is the same."""

import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from record_shop.data import PASSWORD
from record_shop.models import Base
from tests.browser.conftest import Axe
from tests.browser.parts import status
from tests.browser.test_layout import BEYOND
from tests.server import PROJECT, Server, running_server

EXAMPLES = PROJECT / "examples"
ALEMBIC = ("-m", "alembic", "--config", str(EXAMPLES / "record_shop" / "alembic.ini"))
MIGRATE = ("-c", "from hero_admin import run_commands; run_commands('record_shop.admin:admin')")
# An album whose notes have two lines, dates that the till wrote, 1,200 links.
SAVED = ("albums/4", "invoices/927", "playlists/12", "employees/3", "customers/1", "tracks/1")


@pytest.fixture
def is_signed_in() -> bool:
    """The shop has a sign-in of its own."""
    return False


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shop") / "record_shop.db"


@pytest.fixture(scope="module")
def running_shop(database: Path) -> Iterator[Server]:
    """The shop as `make example` starts it."""
    environment = {
        "RECORD_SHOP_DATABASE_URL": f"sqlite+aiosqlite:///{database}",
        "PYTHONPATH": f"{EXAMPLES}{os.pathsep}{PROJECT}",
    }
    for command in ((*ALEMBIC, "upgrade", "head"), (*MIGRATE, "migrate")):
        environ = os.environ | environment
        subprocess.run([sys.executable, *command], check=True, env=environ, capture_output=True)
    program = (sys.executable, "-m", "record_shop")
    log = database.with_name("server.log")
    with running_server(log, environment, program=program, health="/admin/healthz") as server:
        yield server


@pytest.fixture
def server(running_shop: Server) -> Server:
    return running_shop


@pytest.fixture
def admin(page: Page) -> Page:
    """A page of somebody who is signed in to the shop."""
    page.goto("/admin/")
    page.get_by_label("Email").fill("ada@shop.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    return page


def rows_in(database: Path) -> list[str]:
    """All rows of the shop, as the statements that would store them again."""
    with closing(sqlite3.connect(database)) as connection:
        inserts = [line for line in connection.iterdump() if line.startswith("INSERT INTO")]
    return [line for line in inserts if line.split('"')[1] in Base.metadata.tables]


@pytest.mark.parametrize("has_javascript", [True, False])
def test_what_is_saved_unchanged_stays_as_it_is(admin: Page, database: Path) -> None:
    before = rows_in(database)
    for name in SAVED:
        admin.goto(f"/admin/{name}/edit")
        admin.get_by_role("button", name="Save changes").click()
        expect(admin).not_to_have_url(re.compile("/edit"))
    assert rows_in(database) == before


@pytest.mark.parametrize("has_javascript", [True, False])
def test_what_is_changed_and_undone_is_as_before(admin: Page, database: Path) -> None:
    before = rows_in(database)
    admin.goto("/admin/playlists/4/edit")
    admin.get_by_role("textbox", name="Name").fill("Staff favourites")
    admin.get_by_role("button", name="Save changes").click()
    expect(status(admin, "Saved")).to_be_visible()
    assert rows_in(database) != before
    admin.get_by_role("button", name="Undo").click()
    expect(status(admin, "Restored")).to_be_visible()
    admin.goto("/admin/albums/4/delete")
    admin.get_by_role("button", name="Delete album").click()
    expect(admin.get_by_role("alert")).to_contain_text("Other records need it")
    assert rows_in(database) == before


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_pages_with_its_own_look_can_be_read(admin: Page, axe: Axe) -> None:
    for path in ("best-sellers", "albums", "albums/4", "albums/4/edit", "customers/1/edit"):
        admin.goto(f"/admin/{path}")
        expect(admin.get_by_role("heading", level=1)).to_be_visible()
        axe(admin)
        assert not admin.evaluate(BEYOND), path


def test_the_heading_of_a_number_that_names_the_rows_is_above_it(admin: Page) -> None:
    admin.goto("/admin/invoices/1")
    start = """link => {
        const range = document.createRange()
        range.selectNodeContents(link)
        return Math.round(range.getBoundingClientRect().x)
    }"""
    heading = admin.get_by_role("columnheader", name="ID").get_by_role("link")
    number = admin.get_by_role("rowheader").first.get_by_role("link")
    assert heading.evaluate(start) == number.evaluate(start)
