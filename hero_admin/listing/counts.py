"""Totals: how many rows a list has, exactly, up to a limit, or estimated."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.database.recent_cache import recent_cache_of
from hero_admin.listing.columns import select_count
from hero_admin.listing.query import ListQuery
from hero_admin.listing.search.backend import backend_of
from hero_admin.listing.search.plan import fetch_count
from hero_admin.model.resource import Resource
from hero_admin.model.site import Site
from hero_admin.model.total import COUNT_CAP, Total

# Fewer rows are counted, which is fast enough, and exact.
MIN_ESTIMATE = 2 * COUNT_CAP
ESTIMATE_SECONDS = 60.0


async def fetch_total(
    session: AsyncSession, site: Site, query: ListQuery, *, is_exact: bool = False
) -> Total:
    """Count the rows of a list: all of them only if it has to be exact."""
    if query.is_narrowed or query.scope:
        return await fetch_count(session, site, query, is_exact=is_exact)
    if is_exact:
        counted = select(func.count()).select_from(query.resource.table)
        return Total((await session.execute(counted)).scalar_one())
    known = known_total(session, query.resource)
    if known is not None:
        return known
    counted = select_count(query.resource)
    count = (await session.execute(counted, counting())).scalar_one()
    return await fetch_total_of(session, query.resource, count)


def known_total(session: AsyncSession, resource: Resource) -> Total | None:
    """Return the last estimate if it is recent."""
    known: Total | None = recent_cache_of(session).get(
        ("estimate", resource.name), ESTIMATE_SECONDS
    )
    return known


def counting() -> dict[str, int]:
    """Return the parameter of a statement that counts, up to one more than the limit."""
    return {"cap": COUNT_CAP + 1}


async def fetch_total_of(session: AsyncSession, resource: Resource, count: int) -> Total:
    """Return the total of rows of which no more than `COUNT_CAP` + 1 were counted, or about it."""
    if count > COUNT_CAP:
        estimate = await backend_of(session).fetch_estimate(session, resource.table)
        if estimate is not None and estimate >= MIN_ESTIMATE:
            total = Total(estimate, is_estimate=True)
            recent_cache_of(session).put(("estimate", resource.name), total)
            return total
    return Total.capped(count)
