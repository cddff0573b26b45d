"""Without JavaScript: every link answers, and every form can be sent."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from hero_admin.testing.admin_client import AdminClient
from hero_admin.testing.checks.crawl import Shape, crawl, shape_of
from hero_admin.testing.page import Form, Page, Value
from hero_admin.testing.page.elements import attribute

# What ends things, in the words of its buttons, comes last: records and sessions would be gone.
LAST = ("Delete", "Remove", "Disable", "Revoke", "End", "Sign", "Undo", "Redo")
TYPED_IN = ("text", "search", "password")


@dataclass
class Walk:
    """The addresses that were opened, by shape, and the forms: where they go, and a button."""

    addresses: set[Shape] = field(default_factory=set)
    forms: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class _Found:
    """A form, and the page that it is on; what is pressed there."""

    address: str
    press: str
    sent_to: str


async def check_no_script(admin: AdminClient) -> Walk:
    """Check that each page opens, and each form can be sent, without JavaScript.

    From the first page on, an address of each shape is opened, and must answer. Then each form is
    sent, as it is and with its texts cleared: none is answered by an error of the server, and what
    a redirect leads to is there. The database is another one afterwards.
    """
    found: dict[tuple[str, str], _Found] = {}

    async def note(page: Page) -> None:
        for form in page.forms:
            if form.method == "post" and form.button is not None:
                one = _Found(str(page.url), form.press, shape_of(form.url)[0])
                found.setdefault((one.sent_to, one.press), one)

    got = await crawl(admin.browser, admin.start, note)
    assert len(got) > 1, f"The first page, {admin.start}, leads nowhere."
    walk = Walk(set(got))
    for each in sorted(found.values(), key=lambda each: each.press.startswith(LAST)):
        for is_cleared in (False, True):
            if await _send(admin, each, is_cleared=is_cleared):
                walk.forms.add(f"{each.sent_to} {each.press}")
    assert walk.forms, "There is no form on any page. Is somebody signed in who may edit?"
    return walk


async def _send(admin: AdminClient, found: _Found, *, is_cleared: bool) -> bool:
    """Send a form of a page that is opened anew; whether it is still there."""
    page = await admin.browser.get(found.address)
    if page.status_code in (303, 401):
        await admin.sign_in(admin.person)
        page = await admin.browser.get(found.address)
    if page.status_code != 200:
        return False
    same = [
        form
        for form in page.forms
        if form.press == found.press
        and form.method == "post"
        and shape_of(form.url)[0] == found.sent_to
    ]
    cleared = _cleared(same[0]) if same and is_cleared else {}
    if not same or (is_cleared and not cleared):
        return False
    answer = await admin.browser.submit(same[0], cleared)
    told = f"“{found.press}” on {found.address}{', its texts cleared' if is_cleared else ''}"
    assert answer.status_code not in (404, 405), f"{told}: {answer.status_code}"
    assert answer.status_code < 500, f"{told}: {answer.status_code}. {answer.excerpt()}"
    if answer.status_code in (302, 303):
        shown = await admin.browser.follow(answer)
        where = urlsplit(str(shown.url)).path
        assert shown.status_code < 400, f"{told} leads to {where}: {shown.status_code}"
    return True


def _cleared(form: Form) -> dict[str, Value]:
    """Return an empty text for each field that a text is typed in."""
    controls = [tag for tag in form.tag.find_all(("input", "textarea")) if tag.get("name")]
    names = [
        attribute(tag, "name")
        for tag in controls
        if tag.name == "textarea" or attribute(tag, "type", "text").lower() in TYPED_IN
    ]
    return {name: "" for name in names if name in form}
