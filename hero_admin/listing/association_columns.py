"""Association columns: what an association says of each link, in the list of linked records."""

from typing import Any, NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.listing.cells import EMPTY, cell_renderer
from hero_admin.listing.query import Scope
from hero_admin.listing.references import fetch_made_titles
from hero_admin.listing.results import Listing
from hero_admin.listing.rows import LinkCells
from hero_admin.model.fields import Field
from hero_admin.model.primary_keys import key_of
from hero_admin.model.records import fetch_where
from hero_admin.model.resource import Record, Resource
from hero_admin.model.site import Site
from hero_admin.model.stored_values import hashable

NOTHING: Record = {}


class AssociationRows(NamedTuple):
    """The rows of an association behind the rows of a list.

    name: that of the association in URLs. keys: of each row. columns: its own columns.
    """

    name: str
    keys: tuple[str, ...]
    columns: tuple[LinkCells, ...]


async def fetch_association_rows(
    session: AsyncSession, site: Site, scope: Scope | None, listing: Listing, *, can_reveal: bool
) -> AssociationRows | None:
    """Fetch the rows by which the records of a page are linked; None without columns of their own.

    One statement, and one for the titles of each relation.
    """
    link = scope.link if scope else None
    if scope is None or link is None or not link.other_names or not listing.rows:
        return None
    association = site.of(link.association)
    near, far = (association.by_name[association.name_of(each)] for each in link.columns)
    index = listing.selection.column_index(link.own)
    values = [row[index] for row in listing.rows]
    found = await fetch_where(
        session, association, far.exact == scope.value, near.exact.in_(values)
    )
    by_value = {hashable(each[near.name]): each for each in reversed(found)}
    # A link may have gone meanwhile.
    rows = [by_value.get(hashable(value), NOTHING) for value in values]
    keys = tuple(key_of(association, row) if row else "" for row in rows)
    columns = []
    for name in link.other_names:
        field = association.by_name[name]
        cells = await _fetch_cells(
            session, site, association, field, keys, rows, can_reveal=can_reveal
        )
        columns.append(LinkCells(field.label, cells))
    return AssociationRows(association.name, keys, tuple(columns))


async def _fetch_cells(
    session: AsyncSession,
    site: Site,
    association: Resource,
    field: Field,
    keys: tuple[str, ...],
    rows: list[Record],
    *,
    can_reveal: bool,
) -> list[str]:
    values: list[Any] = [row.get(field.name) for row in rows]
    titles: list[Any] = values
    if field.relation:
        made = await fetch_made_titles(session, site, field, {each for each in values if each})
        titles = [made.get(value) for value in values]
    cells = cell_renderer(site, association, field, can_reveal=can_reveal)(keys, values, titles)
    return [cell if key else EMPTY for key, cell in zip(keys, cells, strict=True)]
