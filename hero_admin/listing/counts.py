"""Totals: how many rows a list has, exactly, up to a limit, or estimated."""

import time
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

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


@dataclass(frozen=True)
class Estimate:
    """The approximate number of rows of a table, and when it was estimated."""

    count: int
    at: float


async def fetch_total(
    session: AsyncSession, site: Site, query: ListQuery, *, is_exact: bool = False
) -> Total:
    """Count the rows of a list: all of them only if it has to be exact."""
    if query.is_narrowed or query.scope:
        return await fetch_count(session, site, query, is_exact=is_exact)
    if is_exact:
        counted = select(func.count()).select_from(query.resource.table)
        return Total((await session.execute(counted)).scalar_one())
    known = known_total(site, query.resource)
    if known is not None:
        return known
    counted = select_count(query.resource)
    count = (await session.execute(counted, counting())).scalar_one()
    return await fetch_total_of(session, site, query.resource, count)


def known_total(site: Site, resource: Resource) -> Total | None:
    """Return the last estimate if it is recent."""
    known: Estimate | None = site.estimates.get(resource.name)
    if known is None or time.monotonic() - known.at >= ESTIMATE_SECONDS:
        return None
    return Total(known.count, is_estimate=True)


def counting() -> dict[str, int]:
    """Return the parameter of a statement that counts, up to one more than the limit."""
    return {"cap": COUNT_CAP + 1}


async def fetch_total_of(
    session: AsyncSession, site: Site, resource: Resource, count: int
) -> Total:
    """Return the total of rows of which no more than `COUNT_CAP` + 1 were counted, or about it."""
    if count > COUNT_CAP:
        estimate = await backend_of(session).fetch_estimate(session, resource.table)
        if estimate is not None and estimate >= MIN_ESTIMATE:
            site.estimates[resource.name] = Estimate(estimate, time.monotonic())
            return Total(estimate, is_estimate=True)
    return Total.capped(count)
