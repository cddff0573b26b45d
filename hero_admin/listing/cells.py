"""Cells: the HTML of values, as lists and pages of records show them.

A list has hundreds of them, and a template takes ten times as long to write one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from markupsafe import Markup, escape

from hero_admin.model.blobs import Blob
from hero_admin.model.fields import Field
from hero_admin.model.formatting import shown, shown_in_cell
from hero_admin.model.primary_keys import key_text
from hero_admin.model.resource import Resource
from hero_admin.model.site import Site
from hero_admin.model.stored_values import Stored, is_unreadable, plain
from hero_admin.web.templating import tint

EMPTY = Markup('<span class="muted">—</span>')
UNTITLED = "(empty)"
# What the values of an input are called in a sentence.
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

# Each takes the keys of rows as they stand in URLs, the values of one column, and the titles of
# what these point at.
Write = Callable[[Sequence[str], Sequence[Any], Sequence[Any]], list[str]]


@dataclass(frozen=True)
class Reference:
    """A relation's value: the title of the other record and, if it has pages, its key."""

    title: str
    resource: Resource
    key: str | None

    def __html__(self) -> str:
        if self.key is None:
            return escape(self.title)
        url = f"/{self.resource.name}/{self.key}"
        tinted = f"<a class=tag dir=auto data-tint={tint(self.key)}"
        return f'{tinted} href="{url}">{escape(self.title)}</a>'


def reader_of(site: Site, field: Field) -> Callable[[Any, Any], Reference | None]:
    """Return what makes a reference of a relation's value and the title of what it points at."""
    target = site.target_of(field)
    assert field.relation is not None
    keys = [key.name for key in target.key]
    has_pages = target in site and keys == [field.relation.target_column]
    is_made = target.titles.function is not None
    text_of = texter_of(target.titles.field)

    def read(value: Any, title_value: Any) -> Reference | None:
        if value is None:
            return None
        title = (title_value if is_made else text_of(title_value)) or UNTITLED
        return Reference(title, target, key_text(target, (value,)) if has_pages else None)

    return read


def writer_of(site: Site, resource: Resource, field: Field, *, can_reveal: bool) -> Write:
    """Return what writes the values of one column of a list."""
    if field.relation is not None:
        read = reader_of(site, field)
        return lambda _, values, titles: [
            reference.__html__() if (reference := read(value, title)) else EMPTY
            for value, title in zip(values, titles, strict=True)
        ]
    if field.is_masked:
        return lambda keys, values, _: [
            masked(resource, field, key, value, can_reveal=can_reveal)
            for key, value in zip(keys, values, strict=True)
        ]
    if field.display in ("text", "integer"):
        return lambda _, values, __: [
            EMPTY if value is None or value == "" else _written_text(field, value)
            for value in values
        ]
    return lambda _, values, __: [
        written(field, value, shown_in_cell(field, value)) for value in values
    ]


def _written_text(field: Field, value: Any) -> str:
    if isinstance(value, Stored):
        return written(field, value, shown_in_cell(field, value))
    return escape(str(value))


def titler_of(field: Field) -> Callable[[Any], str]:
    """Return what writes the title of a record."""
    text_of = texter_of(field)
    return lambda value: escape(text_of(value) or UNTITLED)


def texter_of(field: Field) -> Callable[[Any], str]:
    """Return what makes the text of a cell of a value; most are texts already."""
    if field.display != "text" or field.is_masked:
        return partial(shown_in_cell, field)
    return lambda value: value if type(value) is str else shown_in_cell(field, value)


def fact(
    resource: Resource, field: Field, key: str, value: Any, reference: Reference | None
) -> Markup:
    """Return the value of a field that is not masked, as the page of its record shows it."""
    if reference is not None:
        return escape(reference)
    if isinstance(value, Blob):
        return _file(field, f"/{resource.name}/{key}/file/{field.name}", value)
    text = shown(field, value)
    if text and field.input.kind in {"json", "long_text"}:
        block = Markup("<pre>{}</pre>").format(text)
        return unreadable(field, block) if is_unreadable(value) else block
    return Markup(written(field, value, text))  # noqa: S704 - escaped there


def written(field: Field, value: Any, text: str) -> str:
    """Return the HTML of a value that reads as `text`, marked if it cannot be read."""
    return unreadable(field, text) if is_unreadable(value) else formatted(field, plain(value), text)


def unreadable(field: Field, text: str) -> Markup:
    """Return the HTML of what is stored where its type cannot read it."""
    why = f"Not a valid {NOUNS.get(field.input.kind, 'value')}"
    return Markup('<span class=unreadable title="{}">{}</span>').format(why, text)


def formatted(field: Field, value: Any, text: str) -> str:
    """Return the HTML of a value that reads as `text`."""
    if not text:
        return EMPTY
    if field.display not in {"datetime", "clock", "date"}:
        return escape(text)
    zone = "Z" if field.display == "datetime" else ""
    return f'<time datetime="{escape(field.input.format(value))}{zone}">{escape(text)}</time>'


def _file(field: Field, url: str, blob: Blob) -> Markup:
    """Return a link to a file and, before it, the picture that it is."""
    picture = Markup("")
    if blob.is_image:
        picture = Markup('<img src="{}?preview=1" alt="{}" loading=lazy>').format(url, field.label)
    return Markup('<span class=file>{}<a href="{}" download>{}</a></span>').format(
        picture, url, blob.text
    )


def masked(resource: Resource, field: Field, key: str, value: Any, *, can_reveal: bool) -> Markup:
    """Return what stands for a masked value, with a button that shows it."""
    if value is None:
        return EMPTY
    url = f"/{resource.name}/{key}/reveal/{field.name}"
    # A file is no text that could take the place of the dots: it is kept.
    verb, mark = ("download", " data-download") if field.is_bytes else ("show", "")
    button = f' <button class=reveal{mark} form=reveal formaction="{url}">{verb}</button>'
    return Markup(f"<span><span class=masked>masked</span>{button if can_reveal else ''}</span>")  # noqa: S704 - a key has no character that HTML knows
