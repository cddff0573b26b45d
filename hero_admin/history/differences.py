"""Differences: the old and new value of each changed field, as people read them."""

import json
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, select
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.audit_log.changes import Change, Kind, Recorded
from hero_admin.database.identifiers import numbered
from hero_admin.model.fields import Field
from hero_admin.model.formatting import MASK, revealed
from hero_admin.model.labels import label_of
from hero_admin.model.links import ManyToMany, count_of_links, described_links
from hero_admin.model.primary_keys import is_any_of
from hero_admin.model.resource import Resource
from hero_admin.model.serialization import BLOB, read_again, recorded, restored
from hero_admin.model.site import Site
from hero_admin.web.mount import path_to
from hero_admin.web.texts import shortened


@dataclass(frozen=True)
class Difference:
    """One field of a change in words."""

    label: str
    old: str
    new: str
    # Of the files, if the values are files.
    old_url: str = ""
    new_url: str = ""
    # Whether `old` names what was removed, and `new` what was added.
    is_link: bool = False


# By resource, field and text of the value.
Titles = Mapping[tuple[str, str, str], str]


async def fetch_titles(
    session: AsyncSession, site: Site, changes: Sequence[Change]
) -> dict[tuple[str, str, str], str]:
    """Fetch the titles of existing records that changes refer to."""
    wanted: dict[tuple[Resource, str], dict[str, Recorded]] = {}
    for change in changes:
        resource = site.recorded_named(change.resource)
        for name, (old, new) in change.values.items() if resource else ():
            field = resource.by_name.get(name) if resource else None
            if field is not None and field.relation is not None:
                found = wanted.setdefault((site.target_of(field), field.relation.target_column), {})
                found |= {json.dumps(each): each for each in (old, new) if each is not None}
    titles = {}
    for (target, name), records in wanted.items():
        field = target.by_name[name]
        columns = numbered([field.exact, *(each.exact for each in target.titles.fields)])
        values = []
        for each in records.values():
            with suppress(ValueError):
                values.append((restored(field, each),))
        there = select(*columns).where(is_any_of([field], values))
        for value, *row in await session.execute(there):
            own = dict(zip((each.name for each in target.titles.fields), row, strict=True))
            titles[target.name, name, json.dumps(recorded(field, value))] = target.titles.of(own)
    return titles


def differences_of(
    site: Site,
    change: Change,
    titles: Titles,
    dialect: Dialect,
    scopes: Collection[Table] = (),
) -> tuple[Difference, ...]:
    """Return the differences of a change; none of a resource that may have had masked fields.

    scopes: the tables of whose rows the reader may not see all.
    """
    resource = site.recorded_named(change.resource)
    if resource is None:
        return _plain_differences(change) if change.resource in site.others else ()
    links = tuple(
        Difference(link.label, *_link_texts(site, link, removed, added, scopes), is_link=True)
        for link in resource.many_to_many
        for removed, added in [change.values.get(link.entry_name, (None, None))]
        if removed or added
    )
    return links + tuple(
        Difference(
            field.label,
            _shown(site, field, old, titles, dialect, scopes),
            _shown(site, field, new, titles, dialect, scopes),
            _file_url(field, change, old),
            _file_url(field, change, new, "?new=1"),
        )
        for field in resource.fields
        if field.name in change.values and not (field.is_generated and change.kind != Kind.CHANGED)
        for old, new in [change.values[field.name]]
        if (old, new) != (None, None) or change.kind == Kind.REVEALED
    )


def _file_url(field: Field, change: Change, each: Recorded, query: str = "") -> str:
    is_file = isinstance(each, dict) and BLOB in each and not field.is_masked
    url = path_to(change.resource, change.key, "file", field.name, f"{change.id}{query}")
    return url if is_file else ""


def _plain_differences(change: Change) -> tuple[Difference, ...]:
    """Return the differences of what is no resource, labelled by the names of its fields."""
    return tuple(
        Difference(
            label_of(name),
            # Without either value the change is recorded, but not its values.
            shortened(str(old or "")) if (old, new) != (None, None) else MASK,
            shortened(str(new or "")) if (old, new) != (None, None) else MASK,
        )
        for name, (old, new) in change.values.items()
    )


# Any: the links of an entry, as the audit log has them.
def _link_texts(
    site: Site, link: ManyToMany, removed: Any, added: Any, scopes: Collection[Table]
) -> tuple[str, str]:
    """Return what was removed and added; of records that may be hidden only their number."""
    target = site.of(link.target)
    if target.table in scopes:
        counts = (count_of_links(each) for each in (removed, added))
        old, new = (target.counted(count) if count else "" for count in counts)
        return old, new
    return described_links(removed), described_links(added)


def _shown(
    site: Site,
    field: Field,
    each: Recorded,
    titles: Titles,
    dialect: Dialect,
    scopes: Collection[Table],
) -> str:
    if each is None:
        return ""
    if field.is_masked:
        return MASK
    if field.relation is not None:
        target = site.target_of(field)
        title = titles.get((target.name, field.relation.target_column, json.dumps(each)))
        named = f"{target.label} {_text(field, each, dialect)}"
        return title or (named if target.table in scopes else f"{named} (deleted)")
    return _text(field, each, dialect)


def _text(field: Field, each: Recorded, dialect: Dialect) -> str:
    try:
        return shortened(revealed(field, read_again(field, each, dialect)))
    except ValueError:
        return shortened(str(each))
