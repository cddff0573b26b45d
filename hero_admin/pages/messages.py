"""Messages: shown by the next page, with a button for Undo."""

from hero_admin.audit_log.changes import Operation
from hero_admin.model.primary_keys import key_of
from hero_admin.model.resource import Record, Resource
from hero_admin.web.flash import Flash
from hero_admin.web.mount import path_to


def done(
    verb: str, resource: Resource, record: Record, operation: Operation | None, note: str = ""
) -> Flash:
    """Return “Saved **Nova**” with a link to the record, and Undo for an operation."""
    key = key_of(resource, record)
    return Flash(
        verb,
        resource.titles.of(record),
        path_to(resource.name, key),
        marked=f"{resource.name}/{key}",
        note=note,
        undo=operation.id if operation else "",
    )
