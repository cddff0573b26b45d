"""Fields called like the properties of a form: what scripts ask a form for is not hidden by them.

https://html.spec.whatwg.org/multipage/forms.html#dom-form-nameditem
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import create_engine

from hero_admin.model.field_names import FORM_PROPERTIES, control_name
from tests.browser.conftest import _environment, copy_of_cast
from tests.browser.parts import row, status, staying_on_the_page
from tests.oddly_named import PROPERTIES, Shadow
from tests.server import PROJECT, Server, running_server

UVICORN = (sys.executable, "-m", "uvicorn", "--factory", "tests.oddly_named:app")


@pytest.fixture(scope="module")
def odd_server(cast_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("odd")
    database = home / "odd.db"
    copy_of_cast(cast_database, database)
    engine = create_engine(f"sqlite:///{database}")
    Shadow.__table__.create(engine)  # type: ignore[attr-defined]  # SQLModel does not declare it
    engine.dispose()
    with running_server(home / "log", _environment(database), program=UVICORN) as server:
        yield server


@pytest.fixture
def server(odd_server: Server) -> Server:
    return odd_server


def test_a_form_is_refused_saved_and_saved_again_by_htmx_whatever_its_fields_are_called(
    page: Page,
) -> None:
    page.goto("/shadows/new")
    page.locator("#field-name").fill("First")
    page.locator("#field-number").fill("x")
    with staying_on_the_page(page):
        page.get_by_role("button", name="Create shadow").click()
        expect(page.locator("#field-number")).to_be_focused()
    page.locator("#field-number").fill("7")
    page.get_by_role("button", name="Create shadow").click()
    expect(status(page, "Created First")).to_be_visible()
    row(page, "First").get_by_role("link", name="Edit").click()
    for name in PROPERTIES:
        page.locator(f"#field-{name}").fill(f"New {name}")
    page.keyboard.press("Control+Enter")
    expect(status(page, "Saved New name")).to_be_visible()
    stored = page.request.get("/api/shadows/7").json()
    assert stored == {"number": 7, **{name: f"New {name}" for name in PROPERTIES}}


def test_every_property_of_a_form_that_a_script_may_ask_for_is_known(page: Page) -> None:
    page.goto("/shadows")
    properties: list[str] = page.evaluate(
        """() => {
            const names = new Set();
            for (let at = document.createElement("form"); at; at = Object.getPrototypeOf(at))
                for (const name of Object.getOwnPropertyNames(at)) names.add(name);
            return [...names];
        }"""
    )
    scripts = "".join(path.read_text() for path in (PROJECT / "static").rglob("*.js"))
    asked = set(re.findall(r"[A-Za-z_$][\w$]*", scripts))
    named = {name for name in properties if name in asked and not name.isupper()}
    # Fields are called so too often; the form above is saved with them.
    assert {name for name in named if control_name(name) == name} == {"id", "name", "title"}
    assert len(FORM_PROPERTIES - set(properties)) == 0
