"""Forms: what a browser without JavaScript sends when a button is pressed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urljoin

from bs4 import Tag

from hero_admin.testing.page.controls import controls_of, option_value, values_sent
from hero_admin.testing.page.elements import (
    accessible_name,
    all_named,
    attribute,
    first_named,
    is_button,
    submits,
)

Value = str | bool | list[str] | None


@dataclass
class Form:
    """What would be sent: the address, and the values by the names of the controls."""

    tag: Tag
    url: str
    button: Tag | None
    method: str
    enctype: str
    data: dict[str, list[str]] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)

    def __getitem__(self, name: str) -> str:
        values = self.data[name]
        assert len(values) == 1, f"{name} would be sent {len(values)} times: {values}"
        return values[0]

    def __contains__(self, name: str) -> bool:
        return name in self.data

    def attribute(self, name: str, default: str = "") -> str:
        return attribute(self.tag, name, default)

    @property
    def press(self) -> str:
        """What the button is called that sends it, "" if there is none."""
        return accessible_name(self.button) if self.button is not None else ""

    @property
    def values(self) -> dict[str, str | list[str]]:
        """Everything that would be sent; a list only for what would be sent more than once."""
        return {
            name: values[0] if len(values) == 1 else values for name, values in self.data.items()
        }

    def filled_in(self, changes: Mapping[str, Value]) -> list[tuple[str, str]]:
        """The names and values that would be sent with these changes, which go by name.

        Only what a browser could send is accepted: an option that is there, True or False for a
        checkbox, text for a text field, None to clear it.
        """
        data = {name: list(values) for name, values in self.data.items()}
        data |= {name: self._typed(name, value) for name, value in changes.items()}
        return [(name, value) for name, values in data.items() for value in values]

    def _typed(self, name: str, value: Value) -> list[str]:
        controls = [
            tag
            for tag in controls_of(self.tag)
            if attribute(tag, "name") == name and not is_button(tag)
        ]
        assert controls, f"the form has no control {name!r} to fill in"
        boxes = [tag for tag in controls if attribute(tag, "type").lower() == "checkbox"]
        if isinstance(value, bool) and boxes:
            # What a box sends when it is not ticked stands in a hidden field before it.
            hidden = [attribute(tag, "value") for tag in controls if tag not in boxes]
            return [*hidden, *_chosen(boxes, name, value)]
        control = controls[0]
        kind = attribute(control, "type").lower()
        if kind in ("checkbox", "radio") or control.name == "select":
            return _chosen(controls, name, value)
        assert not control.has_attr("readonly"), f"{name} can only be read"
        assert not isinstance(value, bool), f"{name} is no checkbox"
        if isinstance(value, list):
            return value
        return ["" if value is None else value]


def forms_in(root: Tag, address: str) -> list[Form]:
    """All forms, each once for each button that sends it, or once if there is none."""
    found = []
    for form in all_named(root, "form"):
        buttons = [tag for tag in controls_of(form) if submits(tag)]
        found += [_form(form, button, address) for button in buttons]
        found += [] if buttons else [_form(form, None, address)]
    return found


def form_in(root: Tag, address: str, press: str | None, name: str | None) -> Form:
    """The form that is called `name`, or that the button called `press` belongs to.

    Without either it is the only posting form of the page's main part.
    """
    forms = [root] if root.name == "form" else all_named(root, "form")
    if name is not None:
        forms = [
            tag
            for tag in forms
            if name in (accessible_name(tag), attribute(tag, "id"), attribute(tag, "action"))
        ]
    elif press is None and root.name != "form":
        main = first_named(root, "main") or root
        forms = [
            tag for tag in all_named(main, "form") if attribute(tag, "method").lower() == "post"
        ]
    pressed: list[tuple[Tag, Tag | None]] = []
    for form in forms:
        buttons = [tag for tag in controls_of(form) if submits(tag)]
        if press is None:
            pressed.append((form, buttons[0] if buttons else None))
        else:
            pressed += [(form, button) for button in buttons if accessible_name(button) == press]
    assert len(pressed) == 1, f"one form to send expected ({press=}, {name=}), found {len(pressed)}"
    return _form(*pressed[0], address)


def _form(tag: Tag, button: Tag | None, address: str) -> Form:
    def setting(name: str, default: str) -> str:
        own = attribute(tag, name, default)
        return attribute(button, f"form{name}", own) if button is not None else own

    form = Form(
        tag=tag,
        url=urljoin(address, setting("action", "") or address),
        button=button,
        method=setting("method", "get").lower(),
        enctype=setting("enctype", "application/x-www-form-urlencoded").lower(),
    )
    for control in controls_of(tag):
        name = attribute(control, "name")
        if not name or (is_button(control) and control is not button):
            continue
        if attribute(control, "type").lower() == "file":
            form.files.append(name)
            continue
        sent = values_sent(control)
        if sent:
            form.data.setdefault(name, []).extend(sent)
    return form


def _chosen(controls: list[Tag], name: str, value: Value) -> list[str]:
    offered = [
        one
        for tag in controls
        for one in (
            [option_value(option) for option in all_named(tag, "option")]
            if tag.name == "select"
            else [attribute(tag, "value", "on")]
        )
    ]
    if isinstance(value, bool):
        assert len(offered) == 1, f"{name} is no single checkbox: {offered}"
        return offered if value else []
    wanted = value if isinstance(value, list) else [] if value is None else [value]
    missing = [one for one in wanted if one not in offered]
    assert not missing, f"{name} does not offer {missing}, only {offered}"
    return wanted
