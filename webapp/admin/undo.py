"""Undo: takes back an operation, or brings a record back to an earlier state."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel

from webapp.admin import changes, removal
from webapp.admin.keys import Key, parse_key
from webapp.admin.resource import Resource
from webapp.admin.site import Site
from webapp.admin.snapshots import kept_text, values_of
from webapp.errors import Invalid
from webapp.history import (
    Change,
    Kind,
    Operation,
    fetch_latest,
    fetch_operation,
    fetch_since,
)


@dataclass(frozen=True)
class Undone:
    """What was taken back: one record, or how many; and how many others stay as they are now.

    `key` is empty where the record is gone again.
    """

    resource: Resource
    key: str
    title: str
    count: int
    left_count: int


async def undo(
    session: AsyncSession, site: Site, operation_id: str, operation: Operation
) -> Undone | None:
    """Take back all that an operation did; None if there is no such operation.

    Raises Invalid, nothing being changed, if one of its records was changed since. What befell
    other records because of it is taken back where they are still as it left them.
    """
    made = await _fetch_made(session, site, operation_id)
    if not made:
        return None
    left_count = await _take_all_back(session, site, made, operation)
    direct = [change for change in made if not change.is_consequence] or made
    first = direct[-1]
    key = "" if first.kind == Kind.CREATED else first.key
    return Undone(_resource_of(site, first), key, first.title, len(direct), left_count)


async def restore(
    session: AsyncSession, site: Site, resource: Resource, change: Change, operation: Operation
) -> Undone:
    """Bring a record to the state in which `change` left it, or found it if it deleted it.

    A deleted record comes back with what pointed at it. Raises Invalid for what cannot be.
    """
    key = _parsed_key(resource, change)
    record = await changes.fetch_record(session, resource, key, is_locked=True)
    later = await fetch_since(session, resource.name, change.key, change.id or 0)
    left_count = 0
    if record is None:
        deletion = await fetch_latest(session, resource.name, change.key, Kind.DELETED)
        if deletion is None:
            raise Invalid({"": f"Nobody has written down how this {resource.label} was."})
        made = _part_of(site, await _fetch_made(session, site, deletion.operation), deletion)
        left_count = await _take_all_back(session, site, made, operation)
        record = await changes.fetch_record(session, resource, key, is_locked=True)
        assert record is not None
    earlier: dict[str, str | None] = {}
    for each in [*later, change] if change.kind == Kind.DELETED else later:
        if each.kind != Kind.CREATED:
            earlier |= {name: old for name, (old, _) in each.values.items()}
    await changes.change(session, site, resource, record, _values(resource, earlier), operation)
    return Undone(resource, change.key, resource.title_of(record), 1, left_count)


async def recreate(
    session: AsyncSession,
    site: Site,
    resource: Resource,
    deletion: Change,
    values: Mapping[str, Any],
    operation: Operation,
    *,
    is_consequence: bool = False,
) -> SQLModel:
    """Create a deleted record anew under its own key, with `values` over those it had."""
    kept = _values(resource, {name: old for name, (old, _) in deletion.values.items()})
    whole = {**kept, **values}
    return await changes.create(
        session, site, resource, whole, operation, is_consequence=is_consequence
    )


async def _fetch_made(session: AsyncSession, site: Site, operation_id: str) -> list[Change]:
    """Fetch what an operation did to records that are administered still, the last first."""
    known = {resource.name for resource in site.resources}
    made = await fetch_operation(session, operation_id)
    return [change for change in made if change.kind in _REVERSE and change.resource in known]


def _part_of(site: Site, made: Sequence[Change], deletion: Change) -> list[Change]:
    """Return what an operation did to one record, and to others because of that."""
    part: list[Change] = []
    # Where each record that comes back was pointed at: resource, field and text of the value.
    targets: set[tuple[Resource, str, str | None]] = set()
    for change in made:
        resource = _resource_of(site, change)
        points = {
            (site.target_of(field), field.relation.target_column, change.values[field.name][0])
            for field in resource.fields
            if field.relation and field.name in change.values
        }
        if change.id == deletion.id or (change.is_consequence and points & targets):
            part.append(change)
            if change.kind == Kind.DELETED:
                targets |= {(resource, name, old) for name, (old, _) in change.values.items()}
    return part


async def _take_all_back(
    session: AsyncSession, site: Site, made: Sequence[Change], operation: Operation
) -> int:
    """Take these changes back; return how many of the consequences stay as they are now."""
    left_count = 0
    for change in made:
        try:
            await _take_back(session, site, _resource_of(site, change), change, operation)
        except Invalid:
            if not change.is_consequence:
                raise
            left_count += 1
    return left_count


async def _take_back(
    session: AsyncSession, site: Site, resource: Resource, change: Change, operation: Operation
) -> None:
    key = _parsed_key(resource, change)
    record = await changes.fetch_record(session, resource, key, is_locked=True)
    later = await fetch_since(session, resource.name, change.key, change.id or 0)
    since = [each for each in later if each.operation not in (change.operation, operation.id)]
    if since and not change.is_consequence:
        raise Invalid({"": _since_sentence(change, since)})
    await _REVERSE[Kind(change.kind)](session, site, resource, change, record, operation)


async def _uncreate(
    session: AsyncSession,
    site: Site,
    resource: Resource,
    change: Change,
    record: SQLModel | None,
    operation: Operation,
) -> None:
    key = _parsed_key(resource, change)
    if record is None:
        raise Invalid({"": f"“{change.title}” is gone already."})
    pointing = await removal.fetch_consequences(session, site, resource, [key])
    if pointing:
        count = sum(consequence.total.count for consequence in pointing)
        others = "another record points" if count == 1 else f"{count:,} other records point"
        raise Invalid({"": f"This was not undone: {others} at “{change.title}” by now."})
    await removal.remove(session, site, resource, [key], operation)


async def _unchange(
    session: AsyncSession,
    site: Site,
    resource: Resource,
    change: Change,
    record: SQLModel | None,
    operation: Operation,
) -> None:
    if record is None:
        raise Invalid({"": f"This was not undone: “{change.title}” is gone."})
    for name, (_, new) in change.values.items():
        if name in resource.by_name:
            now = kept_text(resource.by_name[name], getattr(record, name))
            if now != new:
                label = resource.labels[name]
                raise Invalid(
                    {"": f"This was not undone: the {label} of “{change.title}” is another by now."}
                )
    values = _values(resource, {name: old for name, (old, _) in change.values.items()})
    await changes.change(
        session,
        site,
        resource,
        record,
        values,
        operation,
        is_consequence=change.is_consequence,
    )


async def _undelete(
    session: AsyncSession,
    site: Site,
    resource: Resource,
    change: Change,
    record: SQLModel | None,
    operation: Operation,
) -> None:
    if record is not None:
        raise Invalid({"": f"“{change.title}” is there already."})
    await recreate(
        session, site, resource, change, {}, operation, is_consequence=change.is_consequence
    )


_REVERSE = {Kind.CREATED: _uncreate, Kind.CHANGED: _unchange, Kind.DELETED: _undelete}


def _resource_of(site: Site, change: Change) -> Resource:
    return next(each for each in site.resources if each.name == change.resource)


def _parsed_key(resource: Resource, change: Change) -> Key:
    key = parse_key(resource, change.key)
    if key is None:
        raise Invalid({"": f"The key of this {resource.label} is no key any more."})
    return key


def _values(resource: Resource, snapshot: Mapping[str, str | None]) -> dict[str, Any]:
    try:
        return values_of(resource, snapshot)
    except ValueError as error:
        raise Invalid({"": f"The {resource.label} cannot be as it was: {error}"}) from None


def _since_sentence(change: Change, since: Sequence[Change]) -> str:
    latest = since[0]
    return (
        f"This was not undone: {latest.by_name} {latest.kind} “{latest.title or change.title}”"
        " since then."
    )
