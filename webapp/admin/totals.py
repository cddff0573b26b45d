"""Totals: how many rows a list has, as far as that is worth knowing."""

import time
from dataclasses import dataclass

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from webapp.admin.narrowing import fetch_count
from webapp.admin.query import ListQuery
from webapp.admin.site import Site
from webapp.admin.total import COUNT_CAP, Total

# Fewer rows are counted: that takes no longer, and is exact.
LEAST_ESTIMATE = 2 * COUNT_CAP
ESTIMATE_SECONDS = 60.0


@dataclass(frozen=True)
class Estimate:
    """About how many rows a table had at a moment."""

    count: int
    at: float


async def fetch_total(
    session: AsyncSession, site: Site, query: ListQuery, *, is_exact: bool = False
) -> Total:
    """Count the rows of a list: all of them only if it has to be exact."""
    if query.is_narrowed or query.scope:
        return await fetch_count(session, site, query, is_exact=is_exact)
    table = query.resource.table
    if is_exact:
        counted = select(func.count()).select_from(table)
        return Total((await session.execute(counted)).scalar_one())
    name = query.resource.name
    known = site.estimates.get(name)
    if known is not None and time.monotonic() - known.at < ESTIMATE_SECONDS:
        return Total(known.count, is_estimate=True)
    some = select(query.resource.key[0].column).limit(COUNT_CAP + 1).subquery()
    counting = select(func.count()).select_from(some)
    count = (await session.execute(counting)).scalar_one()
    if count > COUNT_CAP:
        estimate = await _ask(session, table.name)
        if estimate is not None and estimate >= LEAST_ESTIMATE:
            site.estimates[name] = Estimate(estimate, time.monotonic())
            return Total(estimate, is_estimate=True)
    return Total.capped(count)


async def _ask(session: AsyncSession, table: str) -> int | None:
    if session.get_bind().dialect.name == "postgresql":
        # As the planner does: so many rows a page, when it last looked, times the pages there are.
        asked = text(
            "SELECT (reltuples / relpages * (pg_relation_size(oid)"
            " / current_setting('block_size')::int))::bigint"
            " FROM pg_class WHERE oid = to_regclass(quote_ident(:name)) AND relpages > 0"
        )
        count: int | None = (await session.execute(asked, {"name": table})).scalar()
        return count
    has_statistics = text("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1'")
    if (await session.execute(has_statistics)).scalar() is None:
        return None
    asked = text("SELECT max(CAST(stat AS INTEGER)) FROM sqlite_stat1 WHERE tbl = :name")
    counted: int | None = (await session.execute(asked, {"name": table})).scalar()
    return counted
