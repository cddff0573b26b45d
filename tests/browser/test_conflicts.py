"""Two people in one record: the form says what the other did, and asks where both did something."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Axe
from tests.browser.parts import FROM_HERE, row, status, staying_on_the_page

each_way = pytest.mark.parametrize("has_javascript", [True, False])
each_width = pytest.mark.parametrize("width", [1280, 390])


def save(page: Page) -> None:
    page.get_by_role("button", name="Save changes").click()


@each_way
def test_what_only_the_other_changed_is_kept_and_said(page: Page) -> None:
    page.goto("/heroes/1/edit")
    page.request.patch("/api/heroes/1", data={"team_id": 3}, headers=FROM_HERE)
    page.get_by_label("Age").fill("41")
    save(page)
    expect(status(page, "Saved Deadpond")).to_contain_text("changed the team meanwhile")
    expect(row(page, "Deadpond")).to_contain_text("41")
    expect(row(page, "Deadpond")).to_contain_text("Wakaland")


@each_way
@each_width
@pytest.mark.parametrize(("choice", "age"), [("Theirs", "50"), ("Yours", "41")])
def test_what_both_changed_is_asked_and_settled_by_saving_again(
    page: Page, choice: str, age: str, axe: Axe
) -> None:
    page.goto("/heroes/1/edit")
    page.request.patch("/api/heroes/1", data={"age": 50}, headers=FROM_HERE)
    page.get_by_label("Age").fill("41")
    save(page)
    expect(page.get_by_role("alert")).to_contain_text("while you were editing")
    expect(page.get_by_role("radio", name="Theirs: 50")).not_to_be_checked()
    expect(page.get_by_role("radio", name="Yours: 41")).to_be_checked()
    expect(page.get_by_label("Age", exact=False).last).to_have_value("41")
    axe(page)
    assert page.request.get("/api/heroes/1").json()["age"] == 50
    page.get_by_role("radio", name=choice).check()
    save(page)
    expect(status(page, "Deadpond")).to_be_visible()
    assert page.request.get("/api/heroes/1").json()["age"] == int(age)


@each_way
def test_a_record_deleted_meanwhile_comes_back_with_what_was_typed_if_asked_for(
    page: Page, axe: Axe
) -> None:
    page.goto("/heroes/1/edit")
    page.request.delete("/api/heroes/1", headers=FROM_HERE)
    page.get_by_label("Age").fill("41")
    save(page)
    expect(page.get_by_role("alert")).to_contain_text("deleted this hero while you were editing")
    axe(page)
    assert page.request.get("/api/heroes/1").status == 404
    page.get_by_role("button", name="Restore with these values").click()
    expect(status(page, "Restored Deadpond")).to_be_visible()
    assert page.request.get("/api/heroes/1").json()["age"] == 41


def test_what_is_typed_after_choosing_theirs_is_kept(page: Page) -> None:
    page.goto("/heroes/5/edit")
    name = page.get_by_label("Name", exact=True)
    name.fill("Mine")
    page.request.patch("/api/heroes/5", data={"name": "Theirs"}, headers=FROM_HERE)
    with staying_on_the_page(page):
        save(page)
        expect(page.get_by_role("alert")).to_be_focused()
    page.get_by_role("radio", name="Theirs: Theirs").check()
    name.fill("Both")
    expect(page.get_by_role("radio", name="Yours: Mine")).to_be_checked()
    save(page)
    expect(status(page, "Saved Both")).to_be_visible()
