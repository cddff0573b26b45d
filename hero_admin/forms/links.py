"""Links in forms: the first linked records, a picker for more, and what was added and removed."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import FormData, QueryParams

from hero_admin.listing.choices import fetch_options
from hero_admin.listing.links import Linked, fetch_linked
from hero_admin.listing.options import Options
from hero_admin.listing.references import fetch_made_titles
from hero_admin.model.field_names import ADD, LINK, REMOVE
from hero_admin.model.formatting import form_text, shown
from hero_admin.model.labels import article_of
from hero_admin.model.links import ManyToMany
from hero_admin.model.primary_keys import key_of
from hero_admin.model.resource import Record, Resource
from hero_admin.model.site import Site
from hero_admin.model.stored_values import hashable
from hero_admin.web.errors import Invalid
from hero_admin.web.mount import path_to
from hero_admin.writes.links import Delta

# A form shows so many linked records; the page of related records has all of them.
MAX_SHOWN = 10


@dataclass(frozen=True)
class LinkTexts:
    """What was submitted for one link: the values to add and to remove."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.added or self.removed)


@dataclass(frozen=True)
class Chip:
    """A linked record in a form; `is_ticked`: whether its box is."""

    value: str
    title: str
    url: str = ""
    is_ticked: bool = False


@dataclass(frozen=True)
class FormLink:
    """One link in a form.

    linked: the first linked records, with a box to remove each. added: those to be added.
    more: how many there are besides, and url: their page.
    """

    link: ManyToMany
    target: Resource
    linked: tuple[Chip, ...]
    added: tuple[Chip, ...]
    more_text: str
    url: str
    options: Options
    options_url: str
    search_text: str = ""
    error: str = ""

    @property
    def name(self) -> str:
        """Its name among the errors of the form, and in ids."""
        return self.link.name

    @property
    def label(self) -> str:
        return self.link.label

    @property
    def prompt(self) -> str:
        """What the picker is for: “Add a track”."""
        return f"Add {article_of(self.target.label)} {self.target.label}"

    @property
    def add(self) -> str:
        """The name of the control that adds."""
        return add_name(self.link)

    @property
    def remove(self) -> str:
        return f"{LINK}{self.link.name}{REMOVE}"


def add_name(link: ManyToMany) -> str:
    """Return the name of the control that adds to a link."""
    return f"{LINK}{link.name}{ADD}"


def link_texts(links: Sequence[ManyToMany], form: FormData | QueryParams) -> dict[str, LinkTexts]:
    """Return what was sent for each link; a link of which nothing was sent is left out."""
    found = {}
    for link in links:
        added, removed = (
            tuple(dict.fromkeys(_texts(form.getlist(f"{LINK}{link.name}{part}"))))
            for part in (ADD, REMOVE)
        )
        texts = LinkTexts(added, removed)
        if not texts.is_empty:
            found[link.name] = texts
    return found


def _texts(sent: Sequence[object]) -> list[str]:
    return [text for text in sent if isinstance(text, str) and text.strip()]


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
    return tuple(link.far.clean(link.far.input(text.strip())) for text in texts)


@dataclass(frozen=True)
class LinksState:
    """What the links of a form show: what was sent, the searches of pickers, and errors."""

    texts: Mapping[str, LinkTexts] = field(default_factory=dict)
    searches: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)


async def fetch_form_links(
    session: AsyncSession,
    site: Site,
    resource: Resource,
    state: LinksState,
    record: Record | None = None,
) -> tuple[FormLink, ...]:
    """Fetch the links of a form; a new record, or several, have no linked ones to show."""
    found = []
    for link in resource.many_to_many:
        texts = state.texts.get(link.name, LinkTexts())
        own = record[link.own.name] if record else None
        linked = await fetch_linked(session, site, link, [own], MAX_SHOWN)
        shown_links = linked.get(hashable(own), Linked())
        search = state.searches.get(add_name(link), "")
        options = await fetch_options(session, site, link.far, search, _chosen(link, texts.added))
        chips = [
            Chip(
                form_text(link.far, value),
                reference.title,
                path_to(reference.resource.name, reference.key) if reference.key else "",
                is_ticked=form_text(link.far, value) in texts.removed,
            )
            for value, reference in shown_links.records
        ]
        titles = {option.value: option.label for option in options.options}
        others = [text for text in texts.removed if text not in {chip.value for chip in chips}]
        chips += await _fetch_chips(session, site, link, others)
        key = key_of(resource, record) if record else ""
        found.append(
            FormLink(
                link,
                site.of(link.target),
                tuple(chips),
                tuple(Chip(text, titles.get(text, text), "", True) for text in texts.added),
                shown_links.more_text,
                path_to(resource.name, key, site.path_of(resource, link)) if key else "",
                options.without(texts.added),
                path_to(resource.name, "options", link.name),
                search,
                state.errors.get(link.name, ""),
            )
        )
    return tuple(found)


async def _fetch_chips(
    session: AsyncSession, site: Site, link: ManyToMany, texts: Sequence[str]
) -> list[Chip]:
    """Return the chips of records that are to be removed, and are not among the first ones."""
    values = dict(zip(texts, _chosen(link, texts), strict=False))
    titles = await fetch_made_titles(session, site, link.far, [*values.values()])
    return [
        Chip(text, titles.get(value) or shown(link.far, value), is_ticked=True)
        for text, value in values.items()
    ]


# Any: values of any field.
def _chosen(link: ManyToMany, texts: Sequence[str]) -> tuple[Any, ...]:
    """Return the values of those texts that are some."""
    found = []
    for text in texts:
        with suppress(ValueError):
            found.append(link.far.clean(link.far.input(text.strip())))
    return tuple(found)
