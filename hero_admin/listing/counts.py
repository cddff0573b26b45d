"""Totals: the number of rows of a list: exact, up to a limit, or estimated."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.database.recent_cache import recent_cache_of
from hero_admin.database.row_scopes import is_limited
from hero_admin.listing.columns import select_count
from hero_admin.listing.query import ListQuery
from hero_admin.listing.search.backend import backend_of
from hero_admin.listing.search.plan import fetch_count
from hero_admin.model.resource import Resource
from hero_admin.model.site import Site
from hero_admin.model.total import COUNT_CAP, Total

# Below this estimate rows are counted exactly, up to the cap.
MIN_ESTIMATE = 2 * COUNT_CAP
ESTIMATE_SECONDS = 60.0


async def fetch_total(
    session: AsyncSession, site: Site, query: ListQuery, *, is_exact: bool = False
) -> Total:
    """Count the rows of a list, up to a limit unless `is_exact`."""
    if query.is_narrowed or query.scope:
        return await fetch_count(session, site, query, is_exact=is_exact)
    if is_exact:
        counted = select(func.count()).select_from(query.resource.table)
        return Total((await session.execute(counted)).scalar_one())
    known = cached_total(session, query.resource)
    if known is not None:
        return known
    counted = select_count(query.resource)
    count = (await session.execute(counted, counting())).scalar_one()
    return await fetch_total_of(session, query.resource, count)


def cached_total(session: AsyncSession, resource: Resource) -> Total | None:
    """Return the last estimate if it is not older than `ESTIMATE_SECONDS`."""
    known: Total | None = recent_cache_of(session).get(
        ("estimate", resource.name), ESTIMATE_SECONDS
    )
    return known


def counting() -> dict[str, int]:
    """Return the parameter of `select_count`: one more than the limit, to notice more rows."""
    return {"cap": COUNT_CAP + 1}


async def fetch_total_of(session: AsyncSession, resource: Resource, count: int) -> Total:
    """Return the total for a count up to `COUNT_CAP` + 1; beyond the cap, an estimate if known.

    An estimate is of the whole table, so there is none for whoever sees a part of it.
    """
    if count > COUNT_CAP and not is_limited(session, resource.table):
        estimate = await backend_of(session).fetch_estimate(session, resource.table)
        if estimate is not None and estimate >= MIN_ESTIMATE:
            total = Total(estimate, is_estimate=True)
            recent_cache_of(session).put(("estimate", resource.name), total)
            return total
    return Total.capped(count)
