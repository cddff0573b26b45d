"""Entries of the history for created and changed records."""

from collections.abc import Mapping
from typing import Any

from hero_admin.audit_log.changes import Entry, Kind
from hero_admin.model.primary_keys import key_of
from hero_admin.model.resource import Record, Resource
from hero_admin.model.serialization import is_same_value, snapshot_of


def creation_of(resource: Resource, made: Record, kind: Kind = Kind.CREATED) -> Entry:
    values = {name: (None, new) for name, new in snapshot_of(resource, made).items()}
    return Entry(resource.name, key_of(resource, made), resource.titles.of(made), kind, values)


def change_of(resource: Resource, before: Record, after: Record) -> Entry | None:
    """Return the entry for a changed record; None if nothing has changed."""
    old, new = snapshot_of(resource, before), snapshot_of(resource, after)
    values = {name: (old[name], new[name]) for name in new if old[name] != new[name]}
    if not values:
        return None
    key, title = key_of(resource, after), resource.titles.of(after)
    return Entry(resource.name, key, title, Kind.CHANGED, values)


def differing(
    resource: Resource, before: Record, values: Mapping[str, Any], *, is_exact: bool = False
) -> dict[str, Any]:
    """Return the values that differ from those of a record."""
    return {
        name: value
        for name, value in values.items()
        if not is_same_value(resource.by_name[name], before[name], value, is_exact=is_exact)
    }
