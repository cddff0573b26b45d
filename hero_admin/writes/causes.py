"""Causes: the records whose deletion changed or deleted others, as the history names them."""

import json
from collections.abc import Iterable

from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.audit_log.changes import Change
from hero_admin.model.primary_keys import key_text
from hero_admin.writes.catalog import Catalog
from hero_admin.writes.referencing_rows import Cause, TableRow, fetch_columns, portions
from hero_admin.writes.tables import RowId, TableName

# The name under which an entry has its cause, where the values do not tell it; no field has it.
CAUSE = "because of"


async def fetch_causes(
    session: AsyncSession, catalog: Catalog, rows: Iterable[TableRow | None]
) -> dict[TableRow | None, Cause]:
    """Fetch the cause that each row of an administered table is: its resource and its key."""
    found: dict[TableRow | None, Cause] = {None: None}
    wanted: dict[TableName, dict[RowId, None]] = {}
    for table_row in rows:
        if table_row is not None:
            table, row_id = table_row
            wanted.setdefault(table, {})[row_id] = None
    for name, ids in wanted.items():
        stored, resource = catalog.tables[name], catalog.resources[name]
        columns = [field.exact for field in resource.key]
        for some in portions(list(ids)):
            keys = await fetch_columns(session, stored, resource, columns, some)
            for row_id, key in keys.items():
                found[name, row_id] = (resource.name, key_text(resource, key))
    return found


def cause_text(cause: Cause) -> str | None:
    return json.dumps(cause) if cause else None


def cause_of(change: Change) -> Cause:
    """Return the cause that a change names, None if it names none."""
    old, new = change.values.get(CAUSE, (None, None))
    text = old or new
    if not isinstance(text, str):
        return None
    resource, key = json.loads(text)
    return resource, key
