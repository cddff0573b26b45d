"""Restored links: links a record as it was in an earlier version, and says what cannot be so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hero_admin.audit_log.changes import Change
from hero_admin.history.link_versions import LinkHistory, LinkVersion, UnknownLinksError
from hero_admin.model.links import ManyToMany
from hero_admin.model.resource import Record, Resource
from hero_admin.web.texts import ngettext
from hero_admin.writes import bulk
from hero_admin.writes.link_locks import lock_links
from hero_admin.writes.links import change_links
from hero_admin.writes.transaction import Transaction

UNKNOWN = "The {links} stay as they are: the history doesn't tell which there were."
FIXED = "The {links} stay as they are: they can't be changed here."
GONE = "{count:,} of its earlier {links} no longer exists."
SEVERAL_GONE = "{count:,} of its earlier {links} no longer exist."


@dataclass(frozen=True)
class LinksToRestore:
    """What leads back to a version, and sentences on the links that will not be as in it."""

    versions: Mapping[ManyToMany, LinkVersion]
    notes: tuple[str, ...] = ()


async def lock_earlier_links(
    transaction: Transaction,
    resource: Resource,
    record: Record,
    change: Change,
    reverted: Sequence[Change],
) -> LinksToRestore:
    """Return what links a locked record as before the `reverted` changes of it, the last ones.

    change: the one whose version it is. To be called before fields of the record are changed.
    """
    session, site = transaction.session, transaction.site
    found: dict[ManyToMany, LinkVersion] = {}
    notes = []
    changeable = site.changeable_links(resource)
    for link in resource.many_to_many:
        history = LinkHistory.of(transaction, link, record, change, reverted)
        try:
            version = await history.fetch_version()
        except (UnknownLinksError, ValueError):
            notes.append(UNKNOWN.format(links=link.noun))
            continue
        if link in changeable:
            found[link] = version
        elif version.added or version.removed:
            notes.append(FIXED.format(links=link.noun))
    await lock_links(session, [record], {link: each.delta for link, each in found.items()})
    for link, version in found.items():
        there = await bulk.fetch_targets(session, site, link.far, version.delta.added)
        found[link] = version.only(there)
        gone = len(version.added) - len(found[link].added)
        if gone:
            notes.append(ngettext(GONE, SEVERAL_GONE, gone).format(count=gone, links=link.noun))
    return LinksToRestore(found, tuple(notes))


async def restore_links(
    transaction: Transaction, resource: Resource, record: Record, links: LinksToRestore
) -> bool:
    """Link a record as it was; return whether anything has changed.

    Raises Invalid for what the database refuses.
    """
    is_changed = False
    for link, version in links.versions.items():
        delta, rows = version.delta, version.rows
        changed = await change_links(transaction, resource, link, [record], delta, rows)
        is_changed = is_changed or bool(changed.keys)
    return is_changed
