"""Link changes: the changes of an association that an entry of a record sums up."""

from collections.abc import Sequence

from hero_admin.audit_log.changes import Change
from hero_admin.model.links import is_of_links
from hero_admin.model.resource import Record, Resource
from hero_admin.model.serialization import recorded
from hero_admin.model.site import Site


def is_about_links(change: Change) -> bool:
    """Whether a change of a record is about its links only."""
    return bool(change.values) and all(map(is_of_links, change.values))


def with_link_changes(
    site: Site, resource: Resource, record: Record, change: Change, made: Sequence[Change]
) -> list[Change]:
    """Return those changes of an operation that are `change`, or that it sums up."""
    near: dict[str, set[tuple[str, str]]] = {}
    for link in resource.many_to_many:
        if link.entry_name in change.values:
            association = site.of(link.association)
            own = str(recorded(link.own, record[link.own.name]))
            name = association.name_of(link.near.column)
            near.setdefault(association.name, set()).add((name, own))
    return [
        each
        for each in made
        if each.id == change.id
        or any(
            own in map(str, each.values.get(name, ()))
            for name, own in near.get(each.resource, ())
            if each.is_consequence
        )
    ]
