"""Messages: what the next page says of what was just done, with a button to take it back."""

from hero_admin.audit_log.changes import Operation
from hero_admin.model.primary_keys import key_of
from hero_admin.model.resource import Record, Resource
from hero_admin.web.flash import Flash


def done(
    verb: str, resource: Resource, record: Record, operation: Operation | None, note: str = ""
) -> Flash:
    """Return “Saved **Nova**”, a link to the record, and the way to undo what was done, if any."""
    key = key_of(resource, record)
    return Flash(
        verb,
        resource.titles.of(record),
        f"/{resource.name}/{key}",
        marked=f"{resource.name}/{key}",
        note=note,
        undo=operation.id if operation else "",
    )
