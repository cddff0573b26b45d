"""Causes: the records because of which something happened to others, as the history names them."""

import json
from collections.abc import Iterable

from sqlalchemy import column, select
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.audit_log.changes import Change
from hero_admin.model.primary_keys import key_text
from hero_admin.writes.catalog import Catalog
from hero_admin.writes.referencing_rows import Cause, Place, is_any, parts
from hero_admin.writes.tables import RowId, TableName

# Beside the fields of a record whose own values do not tell it; no field has such a name.
CAUSE = "because of"


async def fetch_causes(
    session: AsyncSession, catalog: Catalog, places: Iterable[Place | None]
) -> dict[Place | None, Cause]:
    """Fetch the name of the resource and the key of records."""
    found: dict[Place | None, Cause] = {None: None}
    wanted: dict[TableName, dict[RowId, None]] = {}
    for place in places:
        if place is not None:
            wanted.setdefault(place[0], {})[place[1]] = None
    for name, ids in wanted.items():
        stored, resource = catalog.tables[name], catalog.resources[name]
        count = len(stored.identity)
        shown = [*map(column, stored.identity), *(field.exact for field in resource.key)]
        labelled = [each.label(f"_{place}") for place, each in enumerate(shown)]
        for some in parts(list(ids)):
            rows = select(*labelled).select_from(resource.table)
            for row in await session.execute(rows.where(is_any(stored, None, some))):
                key = key_text(resource, tuple(row[count:]))
                found[name, tuple(row[:count])] = (resource.name, key)
    return found


def cause_text(cause: Cause) -> str | None:
    return json.dumps(cause) if cause else None


def cause_of(change: Change) -> Cause:
    """Return the cause of a change that says so."""
    old, new = change.values.get(CAUSE, (None, None))
    text = old or new
    if not isinstance(text, str):
        return None
    resource, key = json.loads(text)
    return resource, key
