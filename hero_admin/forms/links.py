"""Links in forms: the first linked records, a picker for more, and what was added and removed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.forms.link_texts import LinkTexts, link_control, values_of
from hero_admin.listing.choices import fetch_options
from hero_admin.listing.links import Linked, fetch_distinct_labels, fetch_linked
from hero_admin.listing.options import Options
from hero_admin.listing.references import fetch_made_titles
from hero_admin.model.field_names import ADD, REMOVE, control_name
from hero_admin.model.formatting import form_text, shown
from hero_admin.model.labels import article_of
from hero_admin.model.links import ManyToMany
from hero_admin.model.primary_keys import key_of
from hero_admin.model.resource import Record, Resource
from hero_admin.model.site import Site
from hero_admin.model.stored_values import hashable
from hero_admin.web.addresses import with_query
from hero_admin.web.mount import path_to

# A form shows so many linked records; the page of related records has all of them.
MAX_SHOWN = 10


@dataclass(frozen=True)
class Chip:
    """A linked record in a form; `is_ticked`: whether its box is."""

    value: str
    title: str
    url: str = ""
    is_ticked: bool = False


@dataclass(frozen=True)
class FormLink:
    """One link in a form, with a picker that adds to it or, in a bulk edit, removes from it.

    linked: the first linked records, with a box to remove each. chosen: those of the picker.
    more_text: how many there are besides, and url: their page.
    """

    link: ManyToMany
    target: Resource
    label: str
    chosen: tuple[Chip, ...]
    options: Options
    options_url: str
    search_text: str = ""
    error: str = ""
    linked: tuple[Chip, ...] = ()
    more_text: str = ""
    url: str = ""
    # Of the form for a new link, if it needs more than the two records.
    new_url: str = ""
    is_removal: bool = False

    @property
    def is_named(self) -> bool:
        """Whether its error says by itself what it is about."""
        return self.target.label.casefold() in self.error.casefold()

    @property
    def has_picker(self) -> bool:
        """Whether choosing a record is all that it takes."""
        return self.link.is_complete or self.is_removal

    @property
    def name(self) -> str:
        """Its name among the errors of the form, and in ids; no field has a dash in its name."""
        return f"{self.link.name}-remove" if self.is_removal else self.link.name

    @property
    def prompt(self) -> str:
        """What the picker is for: “Add a track”."""
        label = self.target.label
        sentence = "Remove {article} {label}" if self.is_removal else "Add {article} {label}"
        return sentence.format(article=article_of(label), label=label)

    @property
    def control(self) -> str:
        """The name of the picker's control."""
        return link_control(self.link, REMOVE if self.is_removal else ADD)

    @property
    def remove(self) -> str:
        """The name of the boxes that remove linked records."""
        return link_control(self.link, REMOVE)


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
    """Fetch the links of a form; a new record has no linked ones to show."""
    found = []
    for link in site.changeable_links(resource):
        form_link = await _form_link(session, site, resource, link, state)
        if record is not None:
            form_link = await _with_linked(session, site, resource, form_link, state, record)
        found.append(await _told_apart(session, site, form_link))
    return tuple(found)


async def fetch_bulk_links(
    session: AsyncSession, site: Site, resource: Resource, state: LinksState
) -> tuple[FormLink, ...]:
    """Fetch the links of a form for many: what to add to all of them, and to remove."""
    found = []
    for link in site.changeable_links(resource):
        for is_removal in (False, True) if link.is_complete else (True,):
            form_link = await _form_link(
                session, site, resource, link, state, is_removal=is_removal
            )
            label = f"Remove {link.noun}" if is_removal else f"Add {link.noun}"
            found.append(replace(form_link, label=label))
    return tuple(found)


async def _form_link(
    session: AsyncSession,
    site: Site,
    resource: Resource,
    link: ManyToMany,
    state: LinksState,
    *,
    is_removal: bool = False,
) -> FormLink:
    texts = state.texts.get(link.name, LinkTexts())
    chosen = texts.removed if is_removal else texts.added
    search = state.searches.get(link_control(link, REMOVE if is_removal else ADD), "")
    options = await fetch_options(session, site, link.far, search, values_of(link, chosen))
    titles = {option.value: option.label for option in options.options}
    return FormLink(
        link,
        site.of(link.target),
        link.label,
        tuple(Chip(text, titles.get(text, text), is_ticked=True) for text in chosen),
        options.without(chosen),
        path_to(resource.name, "options", link.name),
        search,
        "" if is_removal else state.errors.get(link.name, ""),
        is_removal=is_removal,
    )


async def _with_linked(
    session: AsyncSession,
    site: Site,
    resource: Resource,
    form_link: FormLink,
    state: LinksState,
    record: Record,
) -> FormLink:
    """Return a link with the first linked records, and those that are to be removed."""
    link, own = form_link.link, record[form_link.link.own.name]
    removed = state.texts.get(link.name, LinkTexts()).removed
    linked = (await fetch_linked(session, site, link, [own], MAX_SHOWN)).get(hashable(own))
    linked = linked or Linked()
    chips = []
    for value, reference in linked.records:
        text = form_text(link.far, value)
        url = path_to(reference.resource.name, reference.key) if reference.key else ""
        chips.append(Chip(text, reference.title, url, is_ticked=text in removed))
    known = {chip.value for chip in chips}
    others = [text for text in removed if text not in known]
    chips += await _fetch_chips(session, site, link, others)
    url = path_to(resource.name, key_of(resource, record), site.path_of(resource, link))
    linked_form = replace(form_link, linked=tuple(chips), more_text=linked.more_text, url=url)
    if link.is_complete:
        return linked_form
    association = site.of(link.association)
    near = association.name_of(link.near.column)
    given = {control_name(near): form_text(link.near, own)}
    return replace(linked_form, new_url=with_query(path_to(association.name, "new"), **given))


async def _told_apart(session: AsyncSession, site: Site, form_link: FormLink) -> FormLink:
    """Return a link whose chips have titles of their own."""
    link, chips = form_link.link, (*form_link.linked, *form_link.chosen)
    named = {value: chip for chip in chips for value in values_of(link, [chip.value])}
    titles = {value: chip.title for value, chip in named.items()}
    labels = await fetch_distinct_labels(session, site, link, titles)
    by_text = {named[value].value: label for value, label in labels.items()}
    linked, chosen = (
        tuple(replace(chip, title=by_text.get(chip.value, chip.title)) for chip in some)
        for some in (form_link.linked, form_link.chosen)
    )
    return replace(form_link, linked=linked, chosen=chosen)


async def _fetch_chips(
    session: AsyncSession, site: Site, link: ManyToMany, texts: Sequence[str]
) -> list[Chip]:
    """Return the chips of records that are to be removed, and are not among the first ones."""
    values = {text: value for text in texts for value in values_of(link, [text])}
    titles = await fetch_made_titles(session, site, link.far, [*values.values()])
    return [
        Chip(text, titles.get(value) or shown(link.far, value), is_ticked=True)
        for text, value in values.items()
    ]
