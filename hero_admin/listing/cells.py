"""Cells: the HTML of values in lists and on the pages of records.

A list has hundreds of cells, and a template takes ten times as long to render one.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from markupsafe import Markup, escape

from hero_admin.listing.formatted import (
    formatted_column,
    formatted_detail,
    marked_html,
    thumbnail_html,
)
from hero_admin.model.blobs import Blob
from hero_admin.model.fields import Field
from hero_admin.model.formatting import MASK, shown, shown_in_cell
from hero_admin.model.primary_keys import key_text
from hero_admin.model.resource import Resource
from hero_admin.model.restrictions import has_row_rights
from hero_admin.model.site import Site
from hero_admin.model.stored_values import Stored, is_unreadable, plain
from hero_admin.web.mount import path_to
from hero_admin.web.templating import tint

EMPTY = Markup('<span class="muted">—</span>')
UNTITLED = "(empty)"
# The noun for a value of each kind of input, in sentences.
NOUNS = {
    "integer": "number",
    "number": "number",
    "date": "date",
    "time": "time",
    "datetime": "date and time",
    "duration": "duration",
    "choice": "option",
    "uuid": "UUID",
    "text": "text",
    "long_text": "text",
    "json": "JSON value",
}

# Renders the cells of one column. Each argument has an item for each row: its key as a URL segment,
# its value in the column, and the title of the record that this value refers to.
CellRenderer = Callable[[Sequence[str], Sequence[Any], Sequence[Any]], list[str]]


class Reference(NamedTuple):
    """The value of a relation: the title of the record and, if it has a page, its key."""

    title: str
    resource: Resource
    key: str | None

    def __html__(self) -> str:
        return self.link_html(escape(self.title))

    def link_html(self, title: str) -> str:
        """Return a link to the record; `title` is its title, already escaped."""
        if self.key is None:
            return title
        url = path_to(self.resource.name, self.key)
        return f'<a class=tag dir=auto data-tint={tint(self.key)} href="{url}">{title}</a>'


def reference_reader(site: Site, field: Field) -> Callable[[Any, Any], Reference | None]:
    """Return the function that makes a reference from the value of a relation and a title."""
    target = site.target_of(field)
    assert field.relation is not None
    keys = [key.name for key in target.key]
    has_pages = target in site and keys == [field.relation.target_column]
    is_made = target.titles.function is not None
    text_of, value_text_of = text_formatter(target.titles.field), text_formatter(field)
    may_be_unseen = has_row_rights(target)

    def read(value: Any, title_value: Any) -> Reference | None:
        if value is None:
            return None
        if title_value is None and may_be_unseen:
            return Reference(value_text_of(value), target, None)
        title = (title_value if is_made else text_of(title_value)) or UNTITLED
        return Reference(title, target, key_text(target, (value,)) if has_pages else None)

    return read


def cell_renderer(
    site: Site, resource: Resource, field: Field, *, can_reveal: bool
) -> CellRenderer:
    """Return the renderer of one column of a list."""
    if field.relation is not None:
        return partial(_render_references, reference_reader(site, field))
    if field.is_masked:
        # The cells of two rows differ in the key only.
        cell = str(masked(resource, field, "\0", MASK, can_reveal=can_reveal))
        return lambda keys, values, _: [
            EMPTY if value is None else cell.replace("\0", key)
            for key, value in zip(keys, values, strict=True)
        ]
    if field.show is not None:
        return partial(_render_formatted, resource, field)
    return _plain_renderer(field)


def _plain_renderer(field: Field) -> CellRenderer:
    if field.display in ("text", "integer"):
        return partial(_render_texts, field)
    return lambda _, values, __: [
        value_html(field, value, shown_in_cell(field, value)) for value in values
    ]


def _render_formatted(
    resource: Resource,
    field: Field,
    keys: Sequence[str],
    values: Sequence[Any],
    titles: Sequence[Any],
) -> list[str]:
    if field.is_bytes:
        found = [thumbnail_html(resource, field, *each) for each in zip(keys, values, strict=True)]
    else:
        found = formatted_column(field, values)
    if all(found):
        return [html or "" for html in found]
    plain = _plain_renderer(field)(keys, values, titles)
    return [html or other for html, other in zip(found, plain, strict=True)]


def escaped(texts: Sequence[str]) -> list[str]:
    """Escape the texts of a column in one call, whose overhead exceeds that of a short text."""
    found = str(escape("\0".join(texts))).split("\0")
    # In SQLite a text may contain NUL.
    return found if len(found) == len(texts) else [str(escape(text)) for text in texts]


def _render_references(
    read: Callable[[Any, Any], Reference | None],
    _: Sequence[str],
    values: Sequence[Any],
    titles: Sequence[Any],
) -> list[str]:
    references = list(map(read, values, titles))
    texts = escaped([reference.title if reference else "" for reference in references])
    return [
        reference.link_html(text) if reference else EMPTY
        for reference, text in zip(references, texts, strict=True)
    ]


def _render_texts(field: Field, _: Sequence[str], values: Sequence[Any], __: object) -> list[str]:
    texts = escaped(["" if value is None else str(value) for value in values])
    return [
        value_html(field, value, shown_in_cell(field, value))
        if isinstance(value, Stored)
        else text or EMPTY
        for value, text in zip(values, texts, strict=True)
    ]


def text_formatter(field: Field) -> Callable[[Any], str]:
    """Return the function that formats a value of `field` as the text of a cell or a title."""
    if field.display != "text" or field.is_masked:
        return partial(shown_in_cell, field)
    return lambda value: value if type(value) is str else shown_in_cell(field, value)


def detail_html(
    resource: Resource, field: Field, key: str, value: Any, reference: Reference | None
) -> Markup:
    """Return the HTML of a value on the page of its record; the field is not masked."""
    if reference is not None:
        return escape(reference)
    if isinstance(value, Blob):
        return _file_html(field, path_to(resource.name, key, "file", field.name), value)
    formatted = formatted_detail(field, value)
    if formatted is not None:
        return Markup(formatted)  # noqa: S704 - escaped, unless a formatter made it
    text = shown(field, value)
    if text and field.input.kind in {"json", "long_text"}:
        kind = Markup(" class=prose") if field.input.kind == "long_text" else ""
        block = Markup("<pre{}>{}</pre>").format(kind, text)
        return unreadable_html(field, block) if is_unreadable(value) else block
    return Markup(value_html(field, value, text))  # noqa: S704 - `value_html` escapes it


def value_html(field: Field, value: Any, text: str) -> str:
    """Return the HTML of a value whose text is `text`, marked if its type cannot read it."""
    return (
        unreadable_html(field, text)
        if is_unreadable(value)
        else formatted_html(field, plain(value), text)
    )


def unreadable_html(field: Field, text: str) -> Markup:
    """Return the HTML of a stored value that the type of its column cannot read."""
    why = f"Not a valid {NOUNS.get(field.input.kind, 'value')}"
    return marked_html(text, why)


def formatted_html(field: Field, value: Any, text: str) -> str:
    """Return the HTML of a value whose text is `text`; `text` is escaped here."""
    if not text:
        return EMPTY
    if field.display not in {"datetime", "clock", "date"}:
        return escape(text)
    zone = "Z" if field.display == "datetime" else ""
    return f'<time datetime="{escape(field.input.format(value))}{zone}">{escape(text)}</time>'


def _file_html(field: Field, url: str, blob: Blob) -> Markup:
    """Return a link to a file, with a preview if it is an image."""
    preview = Markup("")
    if blob.is_image:
        preview = Markup('<img src="{}?preview=1" alt="{}" loading=lazy>').format(url, field.label)
    return Markup('<span class=file>{}<a href="{}" download>{}</a></span>').format(
        preview, url, blob.text
    )


def masked(resource: Resource, field: Field, key: str, value: Any, *, can_reveal: bool) -> Markup:
    """Return the placeholder of a masked value, with a button that reveals it."""
    if value is None:
        return EMPTY
    url = path_to(resource.name, key, "reveal", field.name)
    # A file cannot be shown in place of the mask, so it is downloaded.
    verb, mark = ("download", " data-download") if field.is_bytes else ("show", "")
    button = f' <button class=reveal{mark} form=reveal formaction="{url}">{verb}</button>'
    return Markup(f"<span><span class=masked>masked</span>{button if can_reveal else ''}</span>")  # noqa: S704 - keys are URL-encoded
