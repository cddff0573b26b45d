"""Line ends: browsers write each kind in their own way, and what nobody touches stays as it is."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.parts import FROM_HERE, status

TEXT = "a\rb\r\nc\nd\r\r\ne"


@pytest.mark.parametrize("has_javascript", [True, False])
def test_line_ends_of_any_kind_stay_when_another_field_is_saved(page: Page) -> None:
    given = {"name": TEXT, "secret_name": "x"}
    made = page.request.post("/api/heroes/", data=given, headers=FROM_HERE)
    assert made.status == 201, made.text()
    hero = made.json()
    page.goto(f"/heroes/{hero['id']}/edit")
    page.locator("#field-age").fill("7")
    page.get_by_role("button", name="Save changes").click()
    expect(status(page, "Saved")).to_be_visible()
    assert page.request.get(f"/api/heroes/{hero['id']}").json() == hero | {"age": 7}
