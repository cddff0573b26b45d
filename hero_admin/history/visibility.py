"""Visibility: which changes a person may see, where they may not read everything.

They see the changes of each record that they see now, but for those of fields that they may not
read. A record that is deleted is seen by nobody any more, so its changes are shown to whoever
deleted it, who may undo that.
"""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.audit_log.changes import Change, Kind
from hero_admin.audit_log.recorded_changes import fetch_latest_of
from hero_admin.database.identifiers import numbered
from hero_admin.database.row_scopes import UNSCOPED, is_limited, scopes_of
from hero_admin.model.links import ENTRY
from hero_admin.model.primary_keys import key_predicate, key_text, parse_key
from hero_admin.model.resource import Resource
from hero_admin.model.site import Site
from hero_admin.person import Person


async def without_unseen(
    session: AsyncSession, site: Site, changes: Sequence[Change], by: Person
) -> list[Change]:
    """Return those changes that a person may see, by two statements for each resource.

    site: as they see it; the one with everything, where it is about the records alone.
    """
    scopes, left = scopes_of(session), [each for each in changes if _is_of_seen(site, each)]
    if scopes is None or not scopes.conditions:
        return left
    changes, unseen = left, set[tuple[str, str]]()
    for name in dict.fromkeys(change.resource for change in changes):
        resource = site.recorded_named(name)
        texts = {change.key for change in changes if change.resource == name}
        if resource is None and name not in site.others:
            # They may not read it at all, or nobody administers it any more.
            unseen |= {(name, text) for text in texts}
        elif resource is not None and is_limited(session, resource.table):
            unseen |= {(name, text) for text in await _unseen(session, resource, texts, by)}
    return [change for change in changes if (change.resource, change.key) not in unseen]


def _is_of_seen(site: Site, change: Change) -> bool:
    """Whether a change is of a resource that its reader may read, and not only of other fields."""
    if not site.is_narrowed or change.resource in site.others:
        return True
    resource = site.recorded_named(change.resource)
    if resource is None:
        return False
    names = {name.removeprefix(ENTRY) for name in change.values}
    return not names or not names <= resource.unseen


async def _unseen(
    session: AsyncSession, resource: Resource, texts: set[str], by: Person
) -> set[str]:
    """Return the keys of the records that a person may not see."""
    keys = [key for text in texts if (key := parse_key(resource, text)) is not None]
    columns = numbered(field.exact for field in resource.key)
    rows = select(*columns).where(key_predicate(resource, keys))
    seen = {key_text(resource, tuple(row)) for row in await session.execute(rows)}
    left = texts - seen
    if not left:
        return set()
    every = await session.execute(rows, execution_options={UNSCOPED: True})
    there = {key_text(resource, tuple(row)) for row in every}
    latest = await fetch_latest_of(session, resource.name, left - there)
    own = {
        change.key
        for change in latest
        if change.kind == Kind.DELETED and (change.by_id, change.by_name) == (by.user_id, by.name)
    }
    return left - own
