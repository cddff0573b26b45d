"""Timeline: the changes in words, newest first, a page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from hero_admin.audit_log.changes import IN_TIMELINE, Change, Kind
from hero_admin.database.row_scopes import scopes_of
from hero_admin.history.differences import Difference, differences_of, fetch_titles
from hero_admin.history.id_pages import IdPage, fetch_id_page
from hero_admin.history.timeline_query import TimelineQuery
from hero_admin.history.visibility import without_unseen
from hero_admin.model.resource import Resource
from hero_admin.model.site import Site
from hero_admin.person import Person

MAX_PEOPLE = 100
# Pages of changes that a reader may not see, before one is shown as empty.
MAX_PAGES_UNSEEN = 20


@dataclass(frozen=True)
class Line:
    """One change in words; `resource` is None if it is no longer administered."""

    change: Change
    resource: Resource | None
    differences: tuple[Difference, ...]
    # How many changes it sums up, and whether its reader sees all of these records.
    count: int = 1
    is_whole: bool = True

    @property
    def verb(self) -> str:
        """What was done, before the name of the record."""
        match Kind(self.change.kind):
            case Kind.REVEALED:
                return "viewed"
            case Kind.CHANGED if self.change.via == "restore":
                return "restored an earlier version of"
            case Kind.CREATED if self.count > 1 and self.change.via == "command":
                return "loaded"
        return self.change.kind

    @property
    def noun(self) -> str:
        """The records: “hero”, or “5,000 heroes”."""
        if self.count == 1:
            return self.resource.label if self.resource else ""
        if self.resource and not self.is_whole:
            return self.resource.label_plural
        others = f"{self.count:,} {self.change.resource}"
        return self.resource.counted(self.count) if self.resource else others


@dataclass(frozen=True)
class Timeline:
    """One page of changes."""

    query: TimelineQuery
    lines: tuple[Line, ...]
    older: TimelineQuery | None
    newer: TimelineQuery | None


async def fetch_timeline(
    session: AsyncSession, site: Site, query: TimelineQuery, by: Person
) -> Timeline:
    """Fetch one page: one statement, and one for the titles of each resource that it refers to.

    by: whoever reads it; a page may have fewer changes where they may not see all of them.
    """
    is_backward = query.after is not None and query.before is None
    first = page = await _fetch_page(session, query)
    found = await without_unseen(session, site, page.entries, by)
    for _ in range(MAX_PAGES_UNSEEN):
        if found or not (page.has_newer if is_backward else page.has_older):
            break
        # There may be something to see further on.
        if is_backward:
            beyond = replace(query, after=page.entries[0].id)
        else:
            beyond = replace(query, before=page.entries[-1].id)
        page = await _fetch_page(session, beyond)
        found = await without_unseen(session, site, page.entries, by)
    has_newer = page.has_newer if is_backward else first.has_newer
    is_summed_up = query.key is None and not query.operation
    scopes = scopes_of(session)
    tables = scopes.conditions.keys() if scopes else ()
    counts = [change.group_size if is_summed_up else 1 for change in found]
    alone = [change for change, count in zip(found, counts, strict=True) if count == 1]
    titles = await fetch_titles(session, site, alone)
    dialect = session.get_bind().dialect
    return Timeline(
        query,
        tuple(
            Line(
                change,
                resource,
                differences_of(site, change, titles, dialect, tables) if count == 1 else (),
                count,
                is_whole=resource is None or resource.table not in tables,
            )
            for change, count in zip(found, counts, strict=True)
            for resource in [site.recorded_named(change.resource)]
        ),
        replace(query.first(), before=page.entries[-1].id) if page.has_older else None,
        replace(query.first(), after=page.entries[0].id) if has_newer else None,
    )


async def _fetch_page(session: AsyncSession, query: TimelineQuery) -> IdPage[Change]:
    return await fetch_id_page(
        session,
        Change,
        col(Change.id),
        query.predicates(),
        query.before,
        query.after,
        within=(col(Change.operation),) if query.operation else (),
    )


async def fetch_people(
    session: AsyncSession, site: Site, timeline: Timeline, hidden: Sequence[str] = ()
) -> list[str]:
    """Fetch the names of those who changed anything that is not hidden from the reader.

    Whoever may not see all changes finds those who made the ones on this page.

    A skip scan: one look-up in the index for each name, where DISTINCT reads every change.
    Source: https://wiki.postgresql.org/wiki/Loose_indexscan
    """
    scopes = scopes_of(session)
    if site.is_narrowed or (scopes is not None and scopes.conditions):
        return sorted({line.change.by_name for line in timeline.lines})
    name = select(func.min(col(Change.by_name)).label("name")).where(IN_TIMELINE)
    names = name.cte("names", recursive=True)
    following = name.where(col(Change.by_name) > names.c.name)
    names = names.union_all(select(following.scalar_subquery()).where(names.c.name.is_not(None)))
    found = select(names.c.name).where(names.c.name.is_not(None))
    if hidden:
        seen = select(col(Change.id)).where(
            IN_TIMELINE, col(Change.by_name) == names.c.name, col(Change.resource).not_in(hidden)
        )
        found = found.where(seen.exists())
    return list(await session.scalars(found.limit(MAX_PEOPLE)))
