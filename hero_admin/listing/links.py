"""Linked records: the first few of each record, and how many there are.

One statement for all records of a page, which reads no more rows of the association than it needs.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Integer,
    Select,
    bindparam,
    func,
    select,
    true,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.database.statement_cache import statement_cache
from hero_admin.listing.cells import Reference, reference_reader
from hero_admin.listing.choices import fetch_options
from hero_admin.listing.search.backend import backend_of
from hero_admin.model.formatting import form_text
from hero_admin.model.links import ManyToMany
from hero_admin.model.site import Site
from hero_admin.model.stored_values import hashable
from hero_admin.model.total import Total

# More links of one record are not counted.
MAX_COUNTED = 10_000
# A list counts the links of many records.
MAX_COUNTED_IN_LIST = 1_000
NONE = Total(0)


@dataclass(frozen=True)
class Linked:
    """The first records linked with one, each with the value that names it, and their number."""

    # Any: values of any field.
    records: tuple[tuple[Any, Reference], ...] = ()
    total: Total = NONE

    @property
    def more_text(self) -> str:
        """Return “2,990 more” or, without others than the first, ""."""
        count = self.total.count - len(self.records)
        return f"{count:,}{'' if self.total.is_exact else '+'} more" if count else ""


async def fetch_linked(
    session: AsyncSession,
    site: Site,
    link: ManyToMany,
    values: Collection[Any],
    limit: int,
    most: int = MAX_COUNTED,
) -> dict[Any, Linked]:
    """Fetch the linked records by the values of `link.own`, in the order of the association.

    limit: how many of each; most: up to which number they are counted.
    """
    wanted = [value for value in values if value is not None]
    if not wanted:
        return {}
    statement = _select_linked(site, link, is_lateral=backend_of(session).is_lateral)
    given = {"owners": wanted, "limit": limit, "most": most + 1}
    target, read = site.of(link.target), reference_reader(site, link.far)
    found: dict[Any, list[tuple[Any, Reference]]] = {}
    counts: dict[Any, int] = {}
    for own, count, value, *texts in await session.execute(statement, given):
        title = texts[0]
        if target.titles.function is not None:
            names = (field.name for field in target.titles.fields)
            title = target.titles.of(dict(zip(names, texts, strict=True)))
        reference = read(value, title)
        counts[hashable(own)] = count
        if reference is not None:
            found.setdefault(hashable(own), []).append((value, reference))
    return {
        own: Linked(tuple(found.get(own, ())), Total.capped(count, most))
        for own, count in counts.items()
    }


async def with_distinct_titles(
    session: AsyncSession, site: Site, link: ManyToMany, found: Mapping[Any, Linked]
) -> dict[Any, Linked]:
    """Return linked records, with the titles of those that have one in common told apart."""
    titles = {
        hashable(value): reference.title
        for linked in found.values()
        for value, reference in linked.records
    }
    labels = await fetch_distinct_labels(session, site, link, titles)
    if not labels:
        return dict(found)
    return {
        own: replace(
            linked,
            records=tuple(
                (value, reference._replace(title=labels.get(hashable(value), reference.title)))
                for value, reference in linked.records
            ),
        )
        for own, linked in found.items()
    }


# Any: values of any field.
async def fetch_distinct_labels(
    session: AsyncSession, site: Site, link: ManyToMany, titles: Mapping[Any, str]
) -> dict[Any, str]:
    """Fetch labels for those records whose title another one has, as pickers tell them apart.

    titles: by the values of `link.far`. One statement, if there are such records.
    """
    counts = Counter(titles.values())
    same = {form_text(link.far, value): value for value in titles if counts[titles[value]] > 1}
    if not same:
        return {}
    options = await fetch_options(session, site, link.far, chosen=list(same.values()))
    return {same[each.value]: each.label for each in options.options if each.value in same}


@statement_cache
def _select_linked(site: Site, link: ManyToMany, *, is_lateral: bool) -> Select[Any]:
    """Return the statement for the first `limit` records of each of the `owners`.

    Each row has the owner's value, the number of its links, the value and the title of a record.
    """
    association, target = site.of(link.association), site.of(link.target)
    own, owners = link.own.exact, link.own.column.table
    rows = association.table.alias("first_links")
    keys = [rows.c[part.column.key] for part in association.key]
    first = select(*keys).where(link.near.exact_in(rows) == own).order_by(*keys)
    first = first.limit(bindparam("limit", type_=Integer)).correlate(owners)
    linking: FromClause
    far: ColumnElement[Any]
    is_first: ColumnElement[bool]
    if is_lateral:
        linking = first.add_columns(link.far.exact_in(rows).label("far")).lateral("links")
        far, is_first = linking.c["far"], true()
    else:
        # Found by their key alone: another index would offer all links of the owner.
        linking = association.table.alias("links")
        far = link.far.exact_in(linking)
        is_first = tuple_(*(linking.c[key.key] for key in keys)).in_(first)
    other = target.table.alias("linked")
    at = target.by_name[link.far_relation.target_column].exact_in(other)
    source = owners.join(linking, is_first).outerjoin(other, at == far)
    is_made = target.titles.function is not None
    titles = target.titles.fields if is_made else (target.titles.field,)
    columns = [field.exact_in(other).label(f"_{index}") for index, field in enumerate(titles)]
    count = _count_of(association.table.alias("counted"), link)
    found = select(own.label("own"), count.label("count"), far.label("far"), *columns)
    found = found.where(own.in_(link.own.given("owners", is_list=True))).select_from(source)
    return found.order_by(*(linking.c[key.key] for key in keys))


def _count_of(rows: FromClause, link: ManyToMany) -> ColumnElement[int]:
    """Return the number of links of an owner, up to `most`."""
    near = link.near.exact_in(rows)
    some = select(near.label("near")).where(near == link.own.exact)
    some = some.limit(bindparam("most", type_=Integer)).correlate(link.own.column.table)
    return select(func.count()).select_from(some.subquery("all_links")).scalar_subquery()
