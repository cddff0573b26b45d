"""Cells: the HTML of values, as lists and pages of records show them.

A list has hundreds of them, and a template takes ten times as long to write one.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from markupsafe import Markup, escape

from hero_admin.model.blobs import Blob
from hero_admin.model.fields import Field
from hero_admin.model.formatting import MASK, shown, shown_in_cell
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


class Reference(NamedTuple):
    """A relation's value: the title of the other record and, if it has pages, its key."""

    title: str
    resource: Resource
    key: str | None

    def __html__(self) -> str:
        return self.linked(escape(self.title))

    def linked(self, title: str) -> str:
        """Return the link to the other record, whose title is escaped already."""
        if self.key is None:
            return title
        url = f"/{self.resource.name}/{self.key}"
        return f'<a class=tag dir=auto data-tint={tint(self.key)} href="{url}">{title}</a>'


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
        return partial(_write_references, reader_of(site, field))
    if field.is_masked:
        # They differ in their keys.
        cell = str(masked(resource, field, "\0", MASK, can_reveal=can_reveal))
        return lambda keys, values, _: [
            EMPTY if value is None else cell.replace("\0", key)
            for key, value in zip(keys, values, strict=True)
        ]
    if field.display in ("text", "integer"):
        return partial(_write_texts, field)
    return lambda _, values, __: [
        written(field, value, shown_in_cell(field, value)) for value in values
    ]


def escaped(texts: Sequence[str]) -> list[str]:
    """Escape the texts of a column at once, as each call takes longer than most texts."""
    found = str(escape("\0".join(texts))).split("\0")
    # SQLite stores a NUL in a text.
    return found if len(found) == len(texts) else [str(escape(text)) for text in texts]


def _write_references(
    read: Callable[[Any, Any], Reference | None],
    _: Sequence[str],
    values: Sequence[Any],
    titles: Sequence[Any],
) -> list[str]:
    references = list(map(read, values, titles))
    texts = escaped([reference.title if reference else "" for reference in references])
    return [
        reference.linked(text) if reference else EMPTY
        for reference, text in zip(references, texts, strict=True)
    ]


def _write_texts(field: Field, _: Sequence[str], values: Sequence[Any], __: object) -> list[str]:
    texts = escaped(["" if value is None else str(value) for value in values])
    return [
        written(field, value, shown_in_cell(field, value))
        if isinstance(value, Stored)
        else text or EMPTY
        for value, text in zip(values, texts, strict=True)
    ]


def texter_of(field: Field) -> Callable[[Any], str]:
    """Return what makes the text of a cell or title of a value; most are texts already."""
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
