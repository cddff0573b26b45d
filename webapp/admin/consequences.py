"""Consequences: what deleting some records does to those that point at them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from webapp.admin.fields import Field
from webapp.admin.keys import Key, key_condition
from webapp.admin.resource import Resource
from webapp.admin.site import Referrer, Site
from webapp.admin.total import COUNT_CAP, Total
from webapp.errors import Invalid

ROWS_PER_STEP = 1_000
# Records that go along with each other in turn, as in a tree.
DEEPEST_CASCADE = 100


@dataclass(frozen=True)
class Consequence:
    """What deleting does to the records of one `referrer`."""

    referrer: Referrer
    total: Total
    effect: Literal["cleared", "deleted", "kept"]


async def fetch_consequences(
    session: AsyncSession, site: Site, resource: Resource, keys: Sequence[Key]
) -> tuple[Consequence, ...]:
    """Count the records that point at those to be deleted, and say what becomes of them."""
    found = []
    for referrer in site.referrers(resource):
        some = select(referrer.resource.key[0].column).where(points_at(resource, referrer, keys))
        counted = select(func.count()).select_from(some.limit(COUNT_CAP + 1).subquery())
        count = (await session.execute(counted)).scalar_one()
        if count:
            total = Total(min(count, COUNT_CAP), is_capped=count > COUNT_CAP)
            found.append(Consequence(referrer, total, effect_of(referrer.field)))
    return tuple(found)


@dataclass(frozen=True)
class Doomed:
    """Records of one resource that are to be deleted."""

    resource: Resource
    keys: Sequence[Key]


async def lock_doomed(
    session: AsyncSession,
    site: Site,
    resource: Resource,
    keys: Sequence[Key],
    heirs: Mapping[str, Any],
    known: dict[Resource, set[Key]],
    depth: int = 0,
) -> list[Doomed]:
    """Lock all that goes along with these records; what points comes before what it points at.

    `known` are those found already, as records may point at each other in a ring.
    """
    if depth > DEEPEST_CASCADE:
        raise Invalid({"": "Too many records would go along, one because of the other."})
    known.setdefault(resource, set()).update(keys)
    found: list[Doomed] = []
    for referrer in site.referrers(resource):
        if heirs.get(referrer.name) is not None or effect_of(referrer.field) != "deleted":
            continue
        other = referrer.resource
        own = [field.column for field in other.key]
        pointing = select(*own).where(points_at(resource, referrer, keys)).order_by(*own)
        rows = (await session.execute(pointing.with_for_update())).all()
        for start in range(0, len(rows), ROWS_PER_STEP):
            more = [tuple(row) for row in rows[start : start + ROWS_PER_STEP]]
            more = [key for key in more if key not in known.get(other, ())]
            if more:
                found += await lock_doomed(session, site, other, more, {}, known, depth + 1)
    return [*found, Doomed(resource, keys)]


def effect_of(field: Field) -> Literal["cleared", "deleted", "kept"]:
    on_delete = next(iter(field.column.foreign_keys)).ondelete
    if on_delete == "CASCADE":
        return "deleted"
    return "cleared" if field.is_optional and on_delete in (None, "SET NULL") else "kept"


def points_at(resource: Resource, referrer: Referrer, keys: Sequence[Key]) -> ColumnElement[bool]:
    relation = referrer.field.relation
    assert relation is not None
    target = resource.by_name[relation.target_column]
    if [field.name for field in resource.key] == [target.name]:
        return referrer.field.column.in_([key[0] for key in keys])
    targets = select(target.column).where(key_condition(resource, keys))
    return referrer.field.column.in_(targets)
