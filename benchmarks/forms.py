"""Forms as a browser sends them: read from the page, a few fields changed, the rest as it was."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser

BUTTONS = {"submit", "button", "image", "reset"}
CHECKABLE = {"checkbox", "radio"}


@dataclass
class Form:
    """Where a form goes, and the pairs that its first button sends there."""

    action: str = ""
    pairs: list[tuple[str, str]] = field(default_factory=list)

    @property
    def names(self) -> set[str]:
        return {name for name, _ in self.pairs}


def filled_form(html: str, values: Mapping[str, str]) -> Form:
    """Return the form that has all these fields, filled in. Raises LookupError."""
    for form in forms_in(html):
        if form.names >= set(values):
            form.pairs = [(name, values.get(name, value)) for name, value in form.pairs]
            return form
    raise LookupError(f"there is no form with {', '.join(values)}")


def forms_in(html: str) -> list[Form]:
    """Return the forms of a page, filled in as they arrived."""
    reader = _Reader()
    reader.feed(html)
    return reader.forms


# No tree: an edit form of a peer may have ten thousand options.
class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._form = Form()
        self._has_button = False
        self._select = ""
        self._options: list[str] = []
        self._selected: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = Form(given.get("action", ""))
            self._has_button = False
            self.forms.append(self._form)
        elif tag == "input" and "name" in given:
            self._read_input(given)
        elif tag == "button":
            self._read_button(given)
        elif tag == "select":
            self._select, self._options, self._selected = given.get("name", ""), [], None
        elif tag == "option":
            self._options.append(given.get("value", ""))
            if "selected" in given:
                self._selected = self._options[-1]

    def handle_endtag(self, tag: str) -> None:
        if tag == "select" and self._select and self._options:
            # A browser sends the first option where none is selected.
            chosen = self._options[0] if self._selected is None else self._selected
            self._form.pairs.append((self._select, chosen))
            self._select = ""

    def _read_input(self, given: Mapping[str, str]) -> None:
        kind = given.get("type", "text").lower()
        if kind == "submit":
            self._read_button(given)
        elif kind not in BUTTONS and (kind not in CHECKABLE or "checked" in given):
            self._form.pairs.append((given["name"], given.get("value", "")))

    def _read_button(self, given: Mapping[str, str]) -> None:
        if self._has_button or given.get("type", "submit").lower() != "submit":
            return
        self._has_button = True
        if given.get("name"):
            self._form.pairs.append((given["name"], given.get("value", "")))
