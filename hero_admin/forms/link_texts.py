"""Link texts: what a form sends of its links, and the values that it stands for."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import FormData, QueryParams

from hero_admin.model.field_names import ADD, LINK, REMOVE
from hero_admin.model.links import ManyToMany
from hero_admin.web.errors import Invalid
from hero_admin.writes.deltas import Delta


@dataclass(frozen=True)
class LinkTexts:
    """What was submitted for one link: the values to add and to remove."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.added or self.removed)


def link_control(link: ManyToMany, part: str = ADD) -> str:
    """Return the name of the control that adds to a link, or removes from it."""
    return f"{LINK}{link.name}{part}"


def link_texts(links: Sequence[ManyToMany], form: FormData | QueryParams) -> dict[str, LinkTexts]:
    """Return what was sent for each link; a link of which nothing was sent is left out."""
    found = {}
    for link in links:
        added, removed = (
            tuple(dict.fromkeys(_texts(link, form.getlist(link_control(link, part)))))
            for part in (ADD, REMOVE)
        )
        texts = LinkTexts(added, removed)
        if not texts.is_empty:
            found[link.name] = texts
    return found


def _texts(link: ManyToMany, sent: Sequence[object]) -> list[str]:
    return [text for text in sent if isinstance(text, str) and _whole(link, text)]


def _whole(link: ManyToMany, text: str) -> str:
    """Return a text without spaces at its ends, unless they are a part of the key."""
    return text if link.far.input.is_plain_text else text.strip()


def read_deltas(
    links: Sequence[ManyToMany], texts: Mapping[str, LinkTexts]
) -> dict[ManyToMany, Delta]:
    """Return what to add and remove; raises Invalid with a sentence for each invalid link."""
    found, errors = {}, {}
    for link in links:
        if link.name in texts:
            sent = texts[link.name]
            try:
                found[link] = Delta(_values(link, sent.added), _values(link, sent.removed))
            except ValueError as error:
                errors[link.name] = str(error)
    if errors:
        raise Invalid(errors)
    return found


# Any: values of any field.
def _values(link: ManyToMany, texts: Sequence[str]) -> tuple[Any, ...]:
    return tuple(_value(link, text) for text in texts)


# Any: values of any field.
def values_of(link: ManyToMany, texts: Sequence[str]) -> tuple[Any, ...]:
    """Return the values of those texts that are some."""
    found = []
    for text in texts:
        with suppress(ValueError):
            found.append(_value(link, text))
    return tuple(found)


# Any: a value of any field.
def _value(link: ManyToMany, text: str) -> Any:
    return link.far.clean(link.far.input(_whole(link, text)))
