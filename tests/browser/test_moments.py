"""Moments in lists: their day is always seen as a whole, and the time of day where it is one."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import create_engine, insert

from tests.browser.conftest import _environment, copy_of_cast
from tests.meetings import Call, Meeting
from tests.server import Server, running_server

UVICORN = (sys.executable, "-m", "uvicorn", "--factory", "tests.meetings:app")
SHOWN = "30 Sept 1997, 20:58"
# As wide as the text is without its cell, up to the end of a part of it.
WIDTHS = """(part) => [...document.querySelectorAll("td time")].map(time => {
    const range = document.createRange();
    range.setStart(time.firstChild, 0);
    range.setEnd(time.firstChild, time.textContent.indexOf(part) + part.length);
    const style = getComputedStyle(time.parentElement);
    const room = time.parentElement.clientWidth - parseFloat(style.paddingInlineStart)
        - parseFloat(style.paddingInlineEnd);
    return room - range.getBoundingClientRect().width;
})"""


@pytest.fixture(scope="module")
def meetings_server(
    cast_database: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("meetings")
    database = home / "meetings.db"
    copy_of_cast(cast_database, database)
    engine = create_engine(f"sqlite:///{database}")
    at = datetime(1997, 9, 30, 18, 58, tzinfo=UTC)
    with engine.begin() as connection:
        for model in (Call, Meeting):
            table = model.__table__  # type: ignore[union-attr]  # SQLModel does not declare it
            table.create(connection)
            moments = {name: at for name in model.model_fields if name.endswith("_at")}
            connection.execute(insert(table).values(name="Standup", **moments))
    engine.dispose()
    with running_server(home / "log", _environment(database), program=UVICORN) as server:
        yield server


@pytest.fixture
def server(meetings_server: Server) -> Server:
    return meetings_server


@pytest.mark.parametrize(
    ("path", "count", "whole"), [("/calls", 1, SHOWN), ("/meetings", 3, "1997")]
)
def test_no_list_cuts_off_the_day_of_a_moment(
    page: Page, path: str, count: int, whole: str
) -> None:
    page.goto(path)
    moments = page.locator("td time")
    expect(moments).to_have_text([SHOWN] * count)
    for width in (390, 700, 900, 1280, 1920):
        page.set_viewport_size({"width": width, "height": 800})
        assert min(page.evaluate(WIDTHS, whole)) >= 0, width
