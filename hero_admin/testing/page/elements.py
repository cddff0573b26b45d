"""The elements of a page: their attributes, their text, their accessible names."""

import re
from collections.abc import Iterator

from bs4 import Tag
from bs4.element import NavigableString

from hero_admin.testing.page.parsing import Document

CONTROLS = ("input", "select", "textarea", "button", "output")
BUTTON_TYPES = ("submit", "image", "reset", "button")
# What takes no part in the text: machine-readable, drawn, or meant for nobody.
UNREAD = ("script", "style", "template", "svg")
# Blocks stand apart from what surrounds them, words in a line do not.
INLINE = ("a", "abbr", "b", "em", "i", "kbd", "mark", "span", "strong")


def attribute(tag: Tag, name: str, default: str = "") -> str:
    """An attribute's value as text; one without a value is ""."""
    value = tag.get(name)
    if value is None:
        return default
    return value if isinstance(value, str) else " ".join(value)


# Beautiful Soup's own search can match by pattern, function and text as well, and asks every node
# for all of these: it took twice as long as parsing the page.


def elements(root: Tag) -> list[Tag]:
    """Everything inside, in the order of the page."""
    if isinstance(root, Document):
        return root.elements
    return [tag for tag in root.descendants if isinstance(tag, Tag)]


def all_named(root: Tag, *names: str) -> list[Tag]:
    return [tag for tag in elements(root) if tag.name in names]


def first_named(root: Tag, name: str) -> Tag | None:
    return next((tag for tag in elements(root) if tag.name == name), None)


def all_with_id(root: Tag, id_: str) -> list[Tag]:
    return [tag for tag in elements(root) if attribute(tag, "id") == id_]


def only_with_id(root: Tag, id_: str) -> Tag:
    found = all_with_id(root, id_)
    assert len(found) == 1, f"one element has the id {id_!r}, not {len(found)}"
    return found[0]


def nearest_parent(tag: Tag, *names: str) -> Tag | None:
    """The nearest element around it with one of the names."""
    return next((parent for parent in tag.parents if parent.name in names), None)


def required(tag: object, what: str) -> Tag:
    assert isinstance(tag, Tag), f"the page has no {what}"
    return tag


def descriptions(root: Tag) -> dict[str, str]:
    """The terms and descriptions of all description lists: label → text."""
    return {
        visible_text(term): visible_text(
            required(term.find_next_sibling("dd"), f"a description of {visible_text(term)!r}")
        )
        for term in all_named(root, "dt")
    }


def visible_text(tag: Tag) -> str:
    """The text as it is read out, whitespace folded."""
    return " ".join("".join(_texts(tag)).split())


def _texts(tag: Tag) -> Iterator[str]:
    for child in tag.children:
        # Comments are strings too, of a class of their own.
        if type(child) is NavigableString:
            yield str(child)
        elif isinstance(child, Tag) and not _is_unread(child):
            yield from _texts(child) if child.name in INLINE else (" ", *_texts(child), " ")


def _is_unread(tag: Tag) -> bool:
    return tag.name in UNREAD or tag.has_attr("hidden") or attribute(tag, "aria-hidden") == "true"


def accessible_name(tag: Tag) -> str:
    """What an element is called when it is read out, of the ways that occur here."""
    if tag.has_attr("aria-labelledby"):
        ids = attribute(tag, "aria-labelledby").split()
        return " ".join(visible_text(only_with_id(whole_page(tag), id_)) for id_ in ids)
    if tag.has_attr("aria-label"):
        return attribute(tag, "aria-label")
    if tag.name in ("table", "fieldset"):
        titles = tag.find("caption" if tag.name == "table" else "legend", recursive=False)
        return visible_text(titles) if isinstance(titles, Tag) else ""
    if tag.name in ("input", "select", "textarea", "output"):
        label = _label_of(tag)
        if label is not None:
            return _label_text(label)
        return attribute(tag, "value" if submits(tag) else "title")
    if tag.name == "form":
        return ""
    return visible_text(tag) or attribute(tag, "title")


def whole_page(tag: Tag) -> Tag:
    """All of the page that an element is a part of."""
    page = tag
    for parent in tag.parents:
        page = parent
    return page


def _label_of(control: Tag) -> Tag | None:
    id_ = attribute(control, "id")
    labels = all_named(whole_page(control), "label") if id_ else []
    own = next((label for label in labels if attribute(label, "for") == id_), None)
    return own or nearest_parent(control, "label")


def _label_text(label: Tag) -> str:
    """The words of a label, without the control that may stand inside it."""
    inside = all_named(label, *CONTROLS)
    words = " ".join(
        "".join(
            str(text)
            for text in label.find_all(string=True)
            if type(text) is NavigableString
            and not any(parent in inside or _is_unread(parent) for parent in text.parents)
        ).split()
    )
    return re.sub(r"\s*(\*|\(?(optional|required)\)?)$", "", words)


def is_button(control: Tag) -> bool:
    if control.name == "button":
        return True
    return control.name == "input" and attribute(control, "type").lower() in BUTTON_TYPES


def submits(control: Tag) -> bool:
    kind = attribute(control, "type", "submit" if control.name == "button" else "text").lower()
    return is_button(control) and kind in ("submit", "image")
