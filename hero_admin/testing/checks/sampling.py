"""The records of an Admin that checks try: of each resource two, as its list shows them."""

import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import urlsplit

from bs4 import Tag

from hero_admin.testing.admin_client import AdminClient
from hero_admin.testing.page import Form, Value
from hero_admin.testing.records import Named, named

NUMBER = re.compile(r"-?\d+(\.\d+)?")
MOMENTS = {"date": "2001-02-03", "datetime-local": "2001-02-03T04:05:06"}
EDIT = "Edit "


@dataclass(frozen=True)
class Sample:
    """Records of a resource: its name, and their addresses, below `start`."""

    name: str
    addresses: list[str]
    start: str

    @property
    def api_addresses(self) -> list[str]:
        return [each.replace(self.start, f"{self.start}api/", 1) for each in self.addresses]


async def samples_of(admin: AdminClient, without: Collection[Named] = ()) -> list[Sample]:
    """Return the first and the last record in the list of each resource that can be edited."""
    left_out = {named(admin.site, each).name for each in without}
    samples = []
    for resource in admin.site.resources:
        if resource.read_only or resource.name in left_out:
            continue
        listed = await admin.list(resource.name)
        edits = [link.href for link in listed.links if link.text.startswith(EDIT)]
        addresses = [urlsplit(href).path.removesuffix("/edit") for href in edits]
        assert addresses, (
            f"The list of {resource.label_plural} has no record to edit, so nothing can be tried:"
            f" add some, or pass without=({resource.name!r},)."
        )
        samples.append(
            Sample(resource.name, list(dict.fromkeys(addresses[:1] + addresses[-1:])), admin.start)
        )
    return samples


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
        other = [str(control["value"])] if len(boxes) > 1 else _other_value(control, form)
        # A picker may have nothing else to choose.
        if other is not None:
            yield {name: other}


def others_moved(form: Form) -> dict[str, Value]:
    """What to choose before a record is deleted: the first record that others can move to."""
    moved: dict[str, Value] = {}
    for select in form.tag.find_all("select"):
        others = (str(each["value"]) for each in select.find_all("option") if each.get("value"))
        # The only one of its kind has none, and is not deleted.
        moved[str(select["name"])] = next(others, "")
    return moved


def _other_value(control: Tag, form: Form) -> Value:
    kind = str(control.get("type", ""))
    value = form.data.get(str(control["name"]), [""])[-1]
    if control.name == "select":
        options = [str(option.get("value", "")) for option in control.find_all("option")]
        return next((option for option in reversed(options) if option != value), None)
    if kind == "checkbox":
        return not control.has_attr("checked")
    if kind in MOMENTS:
        return MOMENTS[kind]
    return str(Decimal(value) + 13) if NUMBER.fullmatch(value) else f"{value} x"
