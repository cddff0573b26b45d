"""The records of an admin as somebody meets them: listed, opened, changed, undone."""

import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from urllib.parse import urlsplit

from bs4 import Tag

from tests.page import Client, Form, Page, Value

NUMBER = re.compile(r"-?\d+(\.\d+)?")
MOMENTS = {"date": "2001-02-03", "datetime-local": "2001-02-03T04:05:06"}
EDIT = "Edit "


async def lists_of(client: Client, start: str) -> list[Page]:
    """The list of each resource, from the overview."""
    overview = await client.get(start)
    hrefs = dict.fromkeys(link.href for link in overview.by_id("main").links)
    pages = [await client.get(href) for href in hrefs]
    return [page for page in pages if page.find_all("table") and _edited(page)]


def sample_of(listed: Page) -> list[str]:
    """The addresses of two of its records: the first and the last."""
    addresses = _edited(listed)
    return list(dict.fromkeys([addresses[0], addresses[-1]]))


def changes_of(form: Form) -> Iterator[dict[str, Value]]:
    """A change to each field of a form, one at a time."""
    controls = form.tag.find_all(["input", "select", "textarea"])
    names = Counter(str(control.get("name", "")) for control in controls)
    for control in controls:
        name, kind = str(control.get("name", "")), str(control.get("type", ""))
        if not names.pop(name, 0) or kind in ("hidden", "search", "submit", "file"):
            continue
        boxes = form.tag.find_all("input", {"name": name, "type": "checkbox"})
        # One of the records that are linked.
        yield {name: [str(control["value"])] if len(boxes) > 1 else _other_value(control, form)}


def deleting(page: Page) -> Form:
    """The form of a page that asks whether to delete a record."""
    buttons = [button.visible_text for button in page.by_id("main").find_all("button")]
    (press,) = (button for button in buttons if button.startswith("Delete "))
    return page.form(press=press)


def others_moved(form: Form) -> dict[str, Value]:
    """What to choose before a record is deleted: the first record that others can move to."""
    return {
        str(select["name"]): next(
            str(option["value"]) for option in select.find_all("option") if option.get("value")
        )
        for select in form.tag.find_all("select")
    }


def _other_value(control: Tag, form: Form) -> Value:
    kind = str(control.get("type", ""))
    value = form.data.get(str(control["name"]), [""])[-1]
    if control.name == "select":
        options = [str(option.get("value", "")) for option in control.find_all("option")]
        return next(option for option in reversed(options) if option != value)
    if kind == "checkbox":
        return not control.has_attr("checked")
    if kind in MOMENTS:
        return MOMENTS[kind]
    return str(Decimal(value) + 13) if NUMBER.fullmatch(value) else f"{value} x"


def _edited(listed: Page) -> list[str]:
    """The addresses of the records of a list, without what follows a question mark."""
    edits = [link.href for link in listed.links if link.text.startswith(EDIT)]
    return [urlsplit(href).path.removesuffix("/edit") for href in edits]
