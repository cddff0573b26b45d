"""Lists in the order of their keys, for programs: by a cursor, or by a number of rows to skip.

Pages have no such order: they sort texts by their sort keys.
"""

from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.listing.cursors import Cursor, cursor_text, parse_cursor
from hero_admin.listing.keyset import select_page
from hero_admin.listing.search.backend import backend_of
from hero_admin.listing.segments import OrderBy, cursor_parameters, start_of
from hero_admin.model.records import columns_of
from hero_admin.model.resource import Record, Resource

# In the cursor of such a list, in place of its sort.
UNSORTED = ""


async def fetch_by_key(
    session: AsyncSession,
    resource: Resource,
    cursor: Cursor | None,
    *,
    skip: int,
    limit: int,
) -> tuple[list[Record], Cursor | None]:
    """Fetch records in the order of their keys, and the cursor of those after them, if any."""
    is_lateral, key = backend_of(session).is_lateral, tuple(each.exact for each in resource.key)
    order = OrderBy(False, is_lateral, resource.table, key, None, is_nullable=False)
    start = start_of(order, cursor)
    statement = select_page(columns_of(resource), order, start, is_backward=False).offset(skip)
    given = {**cursor_parameters(cursor, is_falling=False), "size": limit + 1}
    rows = (await session.execute(statement, given)).all()
    names = [field.name for field in resource.fields]
    # After the fields come the values that the rows are ordered by.
    found = [dict(zip(names, row, strict=False)) for row in rows[:limit]]
    if not found or len(rows) <= limit:
        return found, None
    return found, Cursor(UNSORTED, None, tuple(found[-1][field.name] for field in resource.key))


def key_cursor_text(resource: Resource, cursor: Cursor) -> str:
    """Return the URL parameter of a cursor in such a list."""
    return cursor_text(cursor, resource.key[0], resource.key)


def parse_key_cursor(resource: Resource, text: str) -> Cursor | None:
    """Return the cursor of a URL parameter, None if it is invalid or of a sorted list."""
    cursor = parse_cursor(text, UNSORTED, resource.key[0], resource.key)
    return cursor if cursor and cursor.key and cursor.value is None else None
