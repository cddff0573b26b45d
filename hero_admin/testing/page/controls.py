"""The controls of a page, and what a browser sends for them.

https://html.spec.whatwg.org/multipage/form-control-infrastructure.html
"""

from dataclasses import dataclass

from bs4 import Tag

from hero_admin.testing.page.elements import (
    BUTTON_TYPES,
    CONTROLS,
    accessible_name,
    all_named,
    all_with_id,
    attribute,
    nearest_parent,
    visible_text,
    whole_page,
)
from hero_admin.testing.page.parsing import Document


@dataclass(frozen=True)
class Field:
    """A control with its label: the `value` it would submit, its attributes, its options."""

    label: str
    tag: Tag
    value: str | list[str]
    options: dict[str, str]

    @property
    def name(self) -> str:
        return self.attribute("name")

    @property
    def id(self) -> str:
        return self.attribute("id")

    @property
    def type(self) -> str:
        return self.attribute("type", "text") if self.tag.name == "input" else self.tag.name

    @property
    def is_required(self) -> bool:
        return self.attribute("aria-required") == "true"

    @property
    def is_invalid(self) -> bool:
        return self.attribute("aria-invalid") == "true"

    @property
    def is_focused(self) -> bool:
        """Whether the page opens with the cursor in it."""
        return self.tag.has_attr("autofocus")

    def attribute(self, name: str, default: str = "") -> str:
        return attribute(self.tag, name, default)


def labels_in(root: Tag) -> list[str]:
    """The labels of all fields; one may occur more than once."""
    return [accessible_name(tag) for tag in _labelled(root)]


def field_in(root: Tag, label: str) -> Field:
    """The control with a label."""
    controls = [tag for tag in _labelled(root) if accessible_name(tag) == label]
    assert len(controls) == 1, (
        f"one field {label!r} expected, found {len(controls)}; the fields are {labels_in(root)}"
    )
    control = controls[0]
    if control.name == "fieldset":
        return _choice(control, label)
    sent = values_sent(control)
    is_many = control.name == "select" and control.has_attr("multiple")
    # The options of a select, or of the datalist of an input.
    options = {visible_text(tag): option_value(tag) for tag in all_named(control, "option")}
    return Field(label, control, sent if is_many else "".join(sent), options)


def error_beside(root: Tag, label: str) -> str:
    """The sentence beside a field, tied to it for a screen reader; "" when there is none."""
    field = field_in(root, label)
    error_id = f"{field.id or field.name}-error"
    shown = [tag for tag in all_with_id(root, error_id) if visible_text(tag)]
    if not shown:
        assert not field.is_invalid, f"{label} is marked as invalid and does not say why"
        return ""
    assert field.is_invalid, f"the error of {label} is shown, and the field not marked"
    described_by = field.attribute("aria-describedby").split()
    assert error_id in described_by, f"the error of {label} is shown, but not tied to the field"
    return visible_text(shown[0])


def _labelled(root: Tag) -> list[Tag]:
    """Everything that is filled in under one label: controls, and groups of radios or boxes."""
    groups = [tag for tag in all_named(root, "fieldset") if _radios(tag)]
    controls = [
        tag
        for tag in all_named(root, "input", "select", "textarea")
        if attribute(tag, "type").lower() not in ("hidden", *BUTTON_TYPES)
        and not (attribute(tag, "type") == "radio" and nearest_parent(tag, "fieldset"))
    ]
    return [*controls, *groups]


def _choice(group: Tag, label: str) -> Field:
    radios = _radios(group)
    chosen = next((tag for tag in radios if tag.has_attr("checked")), radios[0])
    options = {accessible_name(tag): attribute(tag, "value", "on") for tag in radios}
    return Field(label, chosen, "".join(values_sent(chosen)), options)


def _radios(group: Tag) -> list[Tag]:
    return [tag for tag in all_named(group, "input") if attribute(tag, "type") == "radio"]


def controls_of(form: Tag) -> list[Tag]:
    """The enabled controls that belong to a form, also those elsewhere on the page."""
    id_ = attribute(form, "id")
    return [
        tag
        for tag, around in _enabled(whole_page(form))
        if ((id_ and attribute(tag, "form") == id_) if tag.has_attr("form") else around is form)
    ]


def _enabled(page: Tag) -> list[tuple[Tag, Tag | None]]:
    """The enabled controls, each with the form around it."""
    # A list has a form in each row, and each of them looks at all controls.
    found = page.controls if isinstance(page, Document) else None
    if found is None:
        found = [
            (tag, nearest_parent(tag, "form"))
            for tag in all_named(page, *CONTROLS)
            if not _is_disabled(tag)
        ]
        if isinstance(page, Document):
            page.controls = found
    return found


def _is_disabled(control: Tag) -> bool:
    if control.has_attr("disabled") or nearest_parent(control, "datalist", "template"):
        return True
    if control.name == "option":
        group = nearest_parent(control, "optgroup")
        return group is not None and group.has_attr("disabled")
    for group in control.parents:
        if group.name == "fieldset" and group.has_attr("disabled"):
            legend = group.find("legend", recursive=False)
            if legend is None or legend not in control.parents:
                return True
    return False


def values_sent(control: Tag) -> list[str]:
    """The values that an enabled control sends; none for a box that is not ticked."""
    kind = attribute(control, "type").lower()
    if control.name == "output":
        return []
    if control.name == "select":
        return _selected(control)
    if control.name == "textarea":
        text = "".join(str(part) for part in control.strings).removeprefix("\n")
        return [text.replace("\r\n", "\n").replace("\n", "\r\n")]
    if kind in ("checkbox", "radio"):
        return [attribute(control, "value", "on")] if control.has_attr("checked") else []
    return [attribute(control, "value")]


def _selected(select: Tag) -> list[str]:
    options = all_named(select, "option")
    selected = [tag for tag in options if tag.has_attr("selected")]
    if not select.has_attr("multiple"):
        enabled = [tag for tag in options if not _is_disabled(tag)]
        selected = selected[-1:] or enabled[:1]
    return [option_value(tag) for tag in selected if not _is_disabled(tag)]


def option_value(option: Tag) -> str:
    return attribute(option, "value", visible_text(option))
