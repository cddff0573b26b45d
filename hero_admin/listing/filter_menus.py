"""Filter menus: the controls of a list's filters with their options, and chips."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import QueryParams

from hero_admin.listing.cells import escaped
from hero_admin.listing.choices import fetch_first_options, fetch_options
from hero_admin.listing.filters import ANY, Filter
from hero_admin.listing.options import Option, Options, fixed_options
from hero_admin.listing.query import ListQuery
from hero_admin.listing.query_parser import search_in
from hero_admin.listing.urls import ListUrls
from hero_admin.model.site import Site

A_FILE = Options((Option(ANY, "Has a file"),))


@dataclass(frozen=True)
class Control:
    """A filter and its options."""

    filter: Filter
    options: Options
    search_text: str = ""

    @property
    def checkboxes(self) -> Markup:
        """The options as HTML; a template would take several times as long for hundreds of them."""
        chosen = self.filter.texts()
        start = f'<label><input type="checkbox" name="{escape(self.filter.name)}" value="'
        options = self.options.options
        values = escaped([option.value for option in options])
        labels = escaped([option.label for option in options])
        boxes = [
            f'{start}{value}"{" checked" if option.value in chosen else ""}>{label}</label>'
            for option, value, label in zip(options, values, labels, strict=True)
        ]
        return Markup("".join(boxes))  # noqa: S704 - each part is escaped


@dataclass(frozen=True)
class Chip:
    """An active filter in words, and the URL of the list without it."""

    text: str
    url: str


async def fetch_controls(
    session: AsyncSession, site: Site, query: ListQuery, params: QueryParams
) -> tuple[Control, ...]:
    """Fetch the control of every filter: one statement for each relation that is not cached.

    Without JavaScript, `?team.q=` searches the options of the filter `team`.
    """
    return tuple(
        [
            await _control(session, site, filter, search_in(params, f"{filter.name}.q"))
            for filter in query.filters
        ]
    )


async def fetch_chips(
    session: AsyncSession,
    site: Site,
    query: ListQuery,
    controls: Sequence[Control] = (),
) -> tuple[Chip, ...]:
    """Return a chip for each active filter; the titles of filters not in `controls` are fetched."""
    known = {control.filter: control for control in controls}
    urls, chips = ListUrls(query), []
    for filter in query.filters:
        if filter.is_active:
            control = known.get(filter) or await _control(session, site, filter)
            titles = {option.value: option.label for option in control.options.options}
            chips.append(Chip(described(filter, _titles(filter, titles)), urls.without(filter)))
    return tuple(chips)


def described(filter: Filter, titles: Sequence[str]) -> str:
    """Return a filter in words, with the titles of its values: “Team: Preventers, none”."""
    parts = list(titles)
    low, high = filter.minimum_text.replace("T", " "), filter.maximum_text.replace("T", " ")
    zone = " UTC" if filter.field.display in {"datetime", "zoned_time"} else ""
    if low and high:
        parts.append(f"{low} – {high}{zone}")
    elif low:
        parts.append(f"≥ {low}{zone}")
    elif high:
        parts.append(f"≤ {high}{zone}")
    if filter.has_none:
        parts.append("none")
    if filter.has_none and len(parts) == 1:
        return filter.none_label
    shown = ", ".join(parts)
    return f"{filter.field.label} {shown}" if filter.is_range else f"{filter.field.label}: {shown}"


async def _control(session: AsyncSession, site: Site, filter: Filter, text: str = "") -> Control:
    field = filter.field
    if field.relation:
        if text:
            options = await fetch_options(session, site, field, text, filter.values)
            return Control(filter, options, text)
        options = await fetch_first_options(session, site, field, filter.values)
        return Control(filter, options.sample(len(filter.values)))
    return Control(filter, A_FILE if field.is_bytes else fixed_options(field) or Options())


def _titles(filter: Filter, titles: Mapping[str, str]) -> list[str]:
    return [titles.get(text, text) for text in filter.texts()]
