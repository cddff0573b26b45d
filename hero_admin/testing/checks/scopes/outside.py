"""Records outside the rows of a person, and their twins, which do not exist."""

import secrets
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import false, func, not_, select
from sqlmodel import SQLModel

from hero_admin.model.formatting import exact_text
from hero_admin.model.primary_keys import Key, key_predicate, key_text
from hero_admin.model.resource import Resource
from hero_admin.model.row_rights import rows_of
from hero_admin.person import Person
from hero_admin.testing.admin_browser import AdminBrowser
from hero_admin.testing.checks.scopes.markers import new_word
from hero_admin.testing.checks.scopes.subjects import MISSING_NUMBER, Subject, Target, set_marker


async def find_outside(
    past: AdminBrowser, person: Person, given: Sequence[SQLModel]
) -> list[tuple[Resource, Key]]:
    """Return the given records or, without any, one of each resource with rows that they lack.

    Fails for a resource of which there is none, and for one that they may see.
    """
    found: list[tuple[Resource, Key]] = []
    for resource in past.site.resources:
        condition = rows_of(resource, person)
        own = [each for each in given if isinstance(each, resource.model)]
        assert condition is not None or not own, (
            f"{person.name} may see all {resource.label_plural}, so none is outside."
        )
        if condition is None or (given and not own):
            continue
        lacking = not_(func.coalesce(condition, false()))
        columns = [field.exact for field in resource.key]
        keys = [tuple(getattr(each, part.name) for part in resource.key) for each in own]
        asked = select(*columns).where(lacking).order_by(*columns)
        async with past.session() as session:
            if keys:
                asked = asked.where(key_predicate(resource, keys))
            rows = [tuple(row) for row in await session.execute(asked.limit(len(keys) or 1))]
        assert rows, f"There is no {resource.label} outside the rows of {person.name}: add one."
        assert len(rows) >= len(keys), (
            f"{person.name} may see one of the given {resource.label_plural}."
        )
        found += [(resource, row) for row in rows]
    return found


async def mark_outside(seer: AdminBrowser, person: Person, resource: Resource, key: Key) -> Subject:
    """Set what can be set of a record to markers, by somebody who sees it; return it."""
    at, word = key_text(resource, key), new_word()
    markers: dict[str, str] = {}
    numbers: dict[str, int] = {}
    for each in resource.schemas.edit_fields:
        if each.relation or each.is_key:
            continue
        marker = await set_marker(seer, person, resource, key, each, word)
        if marker is None:
            continue
        markers |= dict.fromkeys(marker.texts, f"{each.name} of {resource.label} {at}")
        if isinstance(marker.sent, int):
            numbers[each.name] = marker.sent
    assert markers, (
        f"Nothing of the {resource.label} {at} could be set to a marker: give another, outside=[…]."
    )
    record = await _record(seer, resource, key)
    texts = {
        each.name: exact_text(each, getattr(record, each.name))
        for each in resource.filter_fields
        if (each.relation or each.input.kind in ("choice", "bool"))
    }
    target = Target(resource, at, word, numbers, texts)
    return Subject(target, _twin(target, key), markers)


# Any: a record of a model that is known at run time only.
async def _record(past: AdminBrowser, resource: Resource, key: Key) -> Any:
    async with past.session() as session:
        return await session.scalar(select(resource.model).where(key_predicate(resource, [key])))


def _twin(target: Target, key: Key) -> Target:
    """Return a target for requests that are equal, but about nothing."""
    numbers = {name: number + 1_000_003 for name, number in target.numbers.items()}
    missing = tuple(map(_missing, key))
    at = key_text(target.resource, missing)
    return Target(target.resource, at, new_word(), numbers, target.texts)


# Any: a part of a key of any type.
def _missing(part: Any) -> Any:
    match part:
        case bool():
            return not part
        case int():
            return MISSING_NUMBER
        case UUID():
            return uuid4()
        case datetime():
            return part.replace(year=1903)
        case date():
            return part.replace(year=1903)
        case str():
            return secrets.token_hex(max(1, len(part) // 2))[: max(1, len(part))]
    return part
