"""The tables of a page."""

from bs4 import Tag

from hero_admin.testing.page.elements import (
    accessible_name,
    all_named,
    attribute,
    first_named,
    required,
    visible_text,
)


def table_in(root: Tag, caption: str | None = None) -> Tag:
    """The only table, or the one with a caption or an accessible name."""
    tables = [root] if root.name == "table" else all_named(root, "table")
    found = [tag for tag in tables if caption in (None, accessible_name(tag))]
    assert len(found) == 1, f"one table {caption or ''!r} expected, found {len(found)}"
    return found[0]


def labels_of(table: Tag) -> list[str]:
    """The label of each column; "" for one that only holds controls."""
    header = first_named(required(first_named(table, "thead"), "table header"), "tr")
    return [
        "" if first_named(cell, "input") or cell.name != "th" else visible_text(cell)
        for cell in _cells(required(header, "header row"))
    ]


def sorted_columns(table: Tag) -> list[tuple[str, str]]:
    """The columns that tell they are sorted, and how: ("Age", "descending")."""
    return [
        (visible_text(cell), attribute(cell, "aria-sort"))
        for cell in all_named(table, "th")
        if attribute(cell, "scope") == "col" and attribute(cell, "aria-sort", "none") != "none"
    ]


def values_of(table: Tag) -> list[dict[str, str]]:
    """The rows, each as column label → text."""
    labels = labels_of(table)
    return [
        {
            label: visible_text(cell)
            for label, cell in zip(labels, _cells(row), strict=True)
            if label
        }
        for row in body_rows(table)
    ]


def body_rows(table: Tag) -> list[Tag]:
    return [
        row for body in all_named(table, "tbody") for row in body.find_all("tr", recursive=False)
    ]


def row_headers(row: Tag) -> list[str]:
    return [visible_text(tag) for tag in all_named(row, "th") if attribute(tag, "scope") == "row"]


def _cells(row: Tag) -> list[Tag]:
    return row.find_all(("th", "td"), recursive=False)
