"""Link cells: the first linked records of each row of a list, as HTML and as text."""

from collections.abc import Sequence
from typing import Any

from markupsafe import escape
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.database.short_reads import Row
from hero_admin.listing.cells import EMPTY
from hero_admin.listing.columns import Selection
from hero_admin.listing.links import (
    MAX_COUNTED_IN_LIST,
    Linked,
    fetch_linked,
    with_distinct_titles,
)
from hero_admin.listing.query import ListQuery
from hero_admin.listing.references import with_made_titles
from hero_admin.listing.results import Listing
from hero_admin.listing.rows import LinkCells
from hero_admin.model.links import ManyToMany
from hero_admin.model.site import Site
from hero_admin.model.stored_values import hashable
from hero_admin.web.texts import listed

MAX_IN_CELL = 3
# An export has no links to the others.
MAX_EXPORTED = 100


async def fetch_link_cells(
    session: AsyncSession, site: Site, query: ListQuery, listing: Listing
) -> tuple[LinkCells, ...]:
    """Fetch the columns of linked records of a page.

    One statement for each, and one more if different records have the same title.
    """
    found = []
    for link in query.links if listing.rows else ():
        linked = await _fetch(session, site, listing.selection, link, listing.rows, MAX_IN_CELL)
        told_apart = await with_distinct_titles(session, site, link, dict(enumerate(linked)))
        found.append(LinkCells(link.label, [_cell(each) for each in told_apart.values()]))
    return tuple(found)


# Any: rows of any columns.
async def with_all_titles(
    session: AsyncSession, selection: Selection, rows: Sequence[Sequence[Any]]
) -> Sequence[Sequence[Any]]:
    """Return rows with made titles of relations, and the titles of linked records at their end."""
    rows = await with_made_titles(session, selection, rows)
    for link in selection.resource.list_links:
        linked = await _fetch(session, selection.site, selection, link, rows, MAX_EXPORTED)
        rows = [(*row, _text(each)) for row, each in zip(rows, linked, strict=True)]
    return rows


async def _fetch(
    session: AsyncSession,
    site: Site,
    selection: Selection,
    link: ManyToMany,
    rows: Sequence[Row] | Sequence[Sequence[Any]],
    limit: int,
) -> list[Linked]:
    index = selection.column_index(link.own)
    values = [row[index] for row in rows]
    found = await fetch_linked(session, site, link, values, limit, MAX_COUNTED_IN_LIST)
    return [found.get(hashable(value), Linked()) for value in values]


def _cell(linked: Linked) -> str:
    parts = [reference.__html__() for _, reference in linked.records]
    if linked.more_text:
        parts.append(f"<span class=muted>{escape(linked.more_text)}</span>")
    return f"<div class=several>{' '.join(parts)}</div>" if parts else EMPTY


def _text(linked: Linked) -> str:
    parts = [reference.title for _, reference in linked.records]
    parts += [linked.more_text] if linked.more_text else []
    return listed(parts) if parts else ""
