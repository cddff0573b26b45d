"""Pages of entries by their ids, newest first: of changes, and of events."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped
from sqlmodel import SQLModel

PAGE_SIZE = 50

Entry = TypeVar("Entry", bound=SQLModel)


@dataclass(frozen=True)
class IdPage(Generic[Entry]):
    """Up to `PAGE_SIZE` entries, newest first, and whether there are others on either side."""

    entries: Sequence[Entry]
    has_older: bool
    has_newer: bool


async def fetch_id_page(
    session: AsyncSession,
    model: type[Entry],
    # Any: an id may be a number or, before it is stored, nothing.
    id_column: Mapped[Any],
    predicates: Sequence[ColumnElement[bool]],
    before: int | None,
    after: int | None,
    # Any: the same.
    within: Sequence[Mapped[Any]] = (),
) -> IdPage[Entry]:
    """Fetch the entries next to an id: older than `before`, or newer than `after`.

    within: columns that have one value in all of them, and come before the id in an index.
    Keyset pagination: https://use-the-index-luke.com/no-offset
    """
    is_backward = after is not None and before is None
    entries = select(model).where(*predicates)
    if before is not None:
        entries = entries.where(id_column < before)
    elif after is not None:
        entries = entries.where(id_column > after)
    order = (*within, id_column)
    entries = entries.order_by(*(each.asc() if is_backward else each.desc() for each in order))
    found = list(await session.scalars(entries.limit(PAGE_SIZE + 1)))
    has_more = len(found) > PAGE_SIZE
    del found[PAGE_SIZE:]
    if is_backward:
        found.reverse()
    return IdPage(
        found,
        has_older=bool(found) and (has_more or is_backward),
        has_newer=bool(found) and (has_more if is_backward else before is not None),
    )
