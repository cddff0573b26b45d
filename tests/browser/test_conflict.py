"""Two people in one record: the form says what the other did, and asks where both did something."""

from playwright.sync_api import Page, expect

from tests.browser.parts import FROM_HERE, status, staying_on_the_page


def test_what_is_typed_after_choosing_theirs_is_kept(page: Page) -> None:
    page.goto("/heroes/5/edit")
    name = page.get_by_label("Name", exact=True)
    name.fill("Mine")
    page.request.patch("/api/heroes/5", data={"name": "Theirs"}, headers=FROM_HERE)
    save = page.get_by_role("button", name="Save changes")
    with staying_on_the_page(page):
        save.click()
        expect(page.get_by_role("alert")).to_be_focused()
    page.get_by_role("radio", name="Theirs: Theirs").check()
    name.fill("Both")
    expect(page.get_by_role("radio", name="Yours: Mine")).to_be_checked()
    save.click()
    expect(status(page, "Saved Both")).to_be_visible()
