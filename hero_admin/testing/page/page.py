"""A page, as people read it."""

from dataclasses import dataclass
from typing import Self

from hero_admin.testing.page.controls import (
    Field,
    error_beside,
    field_in,
    labels_in,
)
from hero_admin.testing.page.elements import (
    accessible_name,
    all_named,
    attribute,
    descriptions,
    elements,
    first_named,
    required,
    visible_text,
)
from hero_admin.testing.page.form import Form, form_in, forms_in
from hero_admin.testing.page.shown import Shown
from hero_admin.testing.page.tables import (
    body_rows,
    labels_of,
    row_headers,
    sorted_columns,
    table_in,
    values_of,
)

REMOVE = "Remove the filter "


@dataclass(frozen=True)
class Link:
    text: str
    href: str


@dataclass(frozen=True)
class Entry:
    """One line of a history: the sentence, when it was, and the text beside each field."""

    sentence: str
    at: str
    values: dict[str, str]


class Page(Shown):
    """A response, markup, or a part of a page, which is a `Page` too.

    What the page lacks fails with a sentence. Nothing here looks at a CSS class.
    """

    # What people read.

    @property
    def title(self) -> str:
        return visible_text(required(first_named(self.tag, "title"), "a title"))

    @property
    def heading(self) -> str:
        """The text of the page's only <h1>."""
        headings = all_named(self.tag, "h1")
        assert len(headings) == 1, f"a page has one h1, this one has {len(headings)}"
        return visible_text(headings[0])

    @property
    def flash(self) -> str:
        """The message in the toasts, without what to do about it; "" when there is none."""
        toasts = self.by_id("toasts").tag
        assert attribute(toasts, "role") == "status", "nobody is told about a toast without a role"
        return " ".join(visible_text(message) for message in all_named(toasts, "p"))

    @property
    def alert(self) -> str:
        """What is announced at once, such as the error summary; "" when there is nothing."""
        return " ".join(
            visible_text(tag) for tag in elements(self.tag) if attribute(tag, "role") == "alert"
        )

    @property
    def facts(self) -> dict[str, str]:
        """The terms and descriptions of all description lists: label → text."""
        return descriptions(self.tag)

    @property
    def links(self) -> list[Link]:
        """All links, each with the name that is read out for it."""
        return [
            Link(accessible_name(tag), attribute(tag, "href"))
            for tag in all_named(self.tag, "a")
            if tag.has_attr("href")
        ]

    @property
    def link_names(self) -> list[str]:
        return [one.text for one in self.links]

    def link(self, text: str) -> str:
        """The address behind the link that is read out as `text`."""
        addresses = {one.href for one in self.links if one.text == text}
        assert len(addresses) == 1, (
            f"one address behind {text!r} expected, found {sorted(addresses)}; "
            f"the links are {self.link_names}"
        )
        return addresses.pop()

    @property
    def chips(self) -> dict[str, str]:
        """The filters in force, each with the address that removes it: "Team: Avengers" → URL."""
        return {
            one.text.removeprefix(REMOVE): one.href
            for one in self.links
            if one.text.startswith(REMOVE)
        }

    @property
    def entries(self) -> list[Entry]:
        """What a page of the history tells, the newest first."""
        return [
            Entry(
                visible_text(required(first_named(line, "p"), "sentence"))
                .replace(visible_text(moment), "")
                .strip(),
                attribute(moment, "datetime"),
                descriptions(line),
            )
            for line in all_named(self.by_id("timeline").tag, "li")
            for moment in [required(first_named(line, "time"), "time")]
        ]

    @property
    def flash_links(self) -> list[Link]:
        """The links in the toasts, to the record that they are about."""
        return self.by_id("toasts").links

    # Its tables.

    def table(self, caption: str | None = None) -> Self:
        """The only table, or the one with a caption or an accessible name."""
        return self._part(table_in(self.tag, caption))

    @property
    def columns(self) -> list[str]:
        """The column labels, without those that only hold controls."""
        return [label for label in labels_of(table_in(self.tag)) if label]

    @property
    def sorted_by(self) -> tuple[str, str] | None:
        """The column that tells it is sorted, and how: ("Age", "descending")."""
        found = sorted_columns(table_in(self.tag))
        assert len(found) <= 1, f"sorted by more than one column: {found}"
        return found[0] if found else None

    @property
    def rows(self) -> list[dict[str, str]]:
        """The rows of the only table, each as column label → text; [] when there is no table."""
        has_table = self.tag.name == "table" or first_named(self.tag, "table") is not None
        return values_of(table_in(self.tag)) if has_table else []

    def column(self, label: str) -> list[str]:
        """What stands in one column, from the first row to the last."""
        return [row[label] for row in self.rows]

    def row(self, name: str) -> Self:
        """The row whose row header reads `name`."""
        rows = [row for row in body_rows(table_in(self.tag)) if name in row_headers(row)]
        assert len(rows) == 1, f"one row {name!r} expected, found {len(rows)}"
        return self._part(rows[0])

    @property
    def marked_rows(self) -> list[str]:
        """The row headers of the rows that are marked as the ones just saved."""
        rows = [row for row in body_rows(table_in(self.tag)) if row.has_attr("data-marked")]
        assert all(row_headers(row) for row in rows), "a marked row has no row header"
        return [row_headers(row)[0] for row in rows]

    # Its forms.

    def field(self, label: str) -> Field:
        """The control with a label."""
        return field_in(self.tag, label)

    def error(self, label: str) -> str:
        """The sentence beside a field that was refused, "" beside one that was not.

        Fails when the sentence is there and a screen reader would not be told.
        """
        return error_beside(self.tag, label)

    @property
    def errors(self) -> dict[str, str]:
        """All errors beside fields: label → sentence."""
        labels = labels_in(self.tag)
        marked = {label: self.error(label) for label in labels if labels.count(label) == 1}
        return {label: sentence for label, sentence in marked.items() if sentence}

    def form(self, press: str | None = None, *, name: str | None = None) -> Form:
        """The form that a button belongs to, with everything pressing that button would send.

        `press` is what the button is called; without it Enter is pressed in the only posting form
        of the page's main part, or in the form whose accessible name, id or action is `name`.
        """
        return form_in(self.tag, self._url, press, name)

    @property
    def forms(self) -> list[Form]:
        """All forms, each once for each of its buttons, which is its `press`."""
        return forms_in(self.tag, self._url)

    @property
    def undo(self) -> Form:
        """The form of the toast's button that takes back what was just done, or undone."""
        names = {visible_text(button) for button in all_named(self.tag, "button")}
        return self.form(press="Redo" if "Redo" in names else "Undo")
