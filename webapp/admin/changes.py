"""Changes: the only place that creates, changes and deletes records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import flag_modified
from sqlalchemy.orm.interfaces import ORMOption
from sqlmodel import SQLModel

from webapp.admin.fields import Field
from webapp.admin.keys import Key, key_condition
from webapp.admin.listing import COUNT_CAP, Total
from webapp.admin.resource import Resource
from webapp.admin.site import Referrer, Site
from webapp.errors import Invalid


@dataclass(frozen=True)
class Consequence:
    """What deleting does to the records of one `referrer`."""

    referrer: Referrer
    total: Total
    effect: Literal["cleared", "deleted", "kept"]


async def fetch_record(
    session: AsyncSession,
    resource: Resource,
    key: Key,
    *,
    is_locked: bool = False,
    options: Sequence[ORMOption] = (),
) -> SQLModel | None:
    """Fetch one record, if it is there; `is_locked` keeps others from changing it meanwhile."""
    return await session.get(
        resource.model, key, with_for_update=is_locked or None, options=options
    )


async def create(
    session: AsyncSession, site: Site, resource: Resource, values: Mapping[str, Any]
) -> SQLModel:
    """Create a record; raises Invalid with a sentence for each field that cannot be stored."""
    checked = await _checked(session, site, resource, values, values, None)
    record = resource.model(**checked)
    try:
        async with session.begin_nested():
            session.add(record)
    except (IntegrityError, DataError):
        raise await _refusal(session, site, resource, checked, checked, None) from None
    return record


async def change(
    session: AsyncSession,
    site: Site,
    resource: Resource,
    record: SQLModel,
    values: Mapping[str, Any],
) -> None:
    """Change the given fields of a record; raises Invalid with a sentence for each bad one."""
    # Read now: after a failed write the record can no longer be asked.
    own = tuple(getattr(record, field.name) for field in resource.key)
    before = {field.name: getattr(record, field.name) for field in resource.fields}
    whole = {**before, **values}
    checked = await _checked(session, site, resource, values, whole, own)
    try:
        async with session.begin_nested():
            for name, value in checked.items():
                if not _is_same(resource.by_name[name], before[name], value):
                    setattr(record, name, value)
                    flag_modified(record, name)
    except (IntegrityError, DataError):
        raise await _refusal(session, site, resource, checked, whole, own) from None


async def fetch_consequences(
    session: AsyncSession, site: Site, resource: Resource, keys: Sequence[Key]
) -> tuple[Consequence, ...]:
    """Count the records that point at those to be deleted, and say what becomes of them."""
    found = []
    for referrer in site.referrers(resource):
        some = select(referrer.resource.key[0].column).where(_points_at(resource, referrer, keys))
        counted = select(func.count()).select_from(some.limit(COUNT_CAP + 1).subquery())
        count = (await session.execute(counted)).scalar_one()
        if count:
            total = Total(min(count, COUNT_CAP), is_capped=count > COUNT_CAP)
            found.append(Consequence(referrer, total, _effect(referrer.field)))
    return tuple(found)


async def remove(
    session: AsyncSession,
    site: Site,
    resource: Resource,
    keys: Sequence[Key],
    heirs: Mapping[str, Any] | None = None,
) -> None:
    """Delete all of these records or, raising Invalid, none of them.

    Records that point at them lose that value, or get the one that `heirs` has under the referrer's
    name. Those that cannot be without it keep their record from being deleted.
    """
    for referrer in site.referrers(resource):
        heir = (heirs or {}).get(referrer.name)
        if heir is not None:
            await _check_heir(session, resource, referrer, keys, heir)
    try:
        async with session.begin_nested():
            for referrer in site.referrers(resource):
                heir = (heirs or {}).get(referrer.name)
                if heir is not None or _effect(referrer.field) == "cleared":
                    points = _points_at(resource, referrer, keys)
                    changed = update(referrer.resource.table).where(points)
                    await session.execute(changed.values({referrer.field.column: heir}))
            condition = key_condition(resource, keys)
            found = await session.execute(delete(resource.table).where(condition))
            # A DELETE gives a CursorResult.
            gone = len(keys) - found.rowcount  # type: ignore[attr-defined]
            if gone:
                raise Invalid({"": _gone_sentence(resource, gone, len(keys))})
    except IntegrityError:
        raise Invalid({"": _needed_sentence(len(keys))}) from None


async def _check_heir(
    session: AsyncSession,
    resource: Resource,
    referrer: Referrer,
    keys: Sequence[Key],
    heir: Any,
) -> None:
    relation = referrer.field.relation
    assert relation is not None
    column = resource.by_name[relation.target_column].column
    is_kept = select(column).where(column == heir, ~key_condition(resource, keys))
    if (await session.execute(is_kept)).first() is None:
        sentence = (
            f"Choose a {resource.label} that is there and stays for the {referrer.label.lower()}."
        )
        raise Invalid({"": sentence})


def _needed_sentence(asked: int) -> str:
    if asked == 1:
        return "Other records need it, so it was not deleted."
    return "Other records need one of them, so nothing was deleted."


def _gone_sentence(resource: Resource, gone: int, asked: int) -> str:
    if asked == 1:
        return f"This {resource.label} is not there any more."
    verb = "is" if gone == 1 else "are"
    return (
        f"{gone:,} of these {resource.label_plural} {verb} not there any more; nothing was deleted."
    )


def _effect(field: Field) -> Literal["cleared", "deleted", "kept"]:
    on_delete = next(iter(field.column.foreign_keys)).ondelete
    if on_delete == "CASCADE":
        return "deleted"
    return "cleared" if field.is_optional and on_delete in (None, "SET NULL") else "kept"


def _points_at(resource: Resource, referrer: Referrer, keys: Sequence[Key]) -> ColumnElement[bool]:
    relation = referrer.field.relation
    assert relation is not None
    target = resource.by_name[relation.target_column]
    if [field.name for field in resource.key] == [target.name]:
        return referrer.field.column.in_([key[0] for key in keys])
    targets = select(target.column).where(key_condition(resource, keys))
    return referrer.field.column.in_(targets)


async def _checked(
    session: AsyncSession,
    site: Site,
    resource: Resource,
    values: Mapping[str, Any],
    whole: Mapping[str, Any],
    own: Key | None,
) -> dict[str, Any]:
    """Return `values` as the columns keep them; raises Invalid for what the database would refuse.

    `whole` is the record with them; `own` is its key if it exists already.
    """
    errors: dict[str, str] = {}
    cleaned: dict[str, Any] = {}
    for name, value in values.items():
        field = resource.by_name[name]
        try:
            cleaned[name] = field.clean(value)
        except ValueError as error:
            errors[name] = str(error)
            continue
        if field.relation and not await _exists(session, site, field, cleaned[name]):
            label = resource.labels[name]
            errors[name] = f"This {label} is not there any more. Choose another one."
    if not errors:
        errors = await _conflicts(session, resource, {**whole, **cleaned}, own)
    if errors:
        raise Invalid(errors)
    return cleaned


def _is_same(field: Field, before: Any, value: Any) -> bool:
    if before != value:
        return False
    # Python holds 1, 1.0 and True for equal, and JSON does not.
    return field.input.kind != "json" or bool(
        value is None or field.input.format(before) == field.input.format(value)
    )


async def _exists(session: AsyncSession, site: Site, field: Field, value: Any) -> bool:
    assert field.relation is not None
    if value is None:
        return True
    column = site.target_of(field).by_name[field.relation.target_column].column
    return (await session.execute(select(column).where(column == value))).first() is not None


async def _conflicts(
    session: AsyncSession, resource: Resource, values: Mapping[str, Any], own: Key | None
) -> dict[str, str]:
    """Return a sentence for each set of fields whose values another record has already."""
    errors = {}
    for fields in resource.unique_sets:
        wanted = {field: values.get(field.name) for field in fields}
        # Databases hold no two NULLs for the same.
        if any(value is None for value in wanted.values()):
            continue
        conditions = [field.column == value for field, value in wanted.items()]
        if own is not None:
            conditions.append(~key_condition(resource, [own]))
        statement = select(resource.key[0].column).where(*conditions).limit(1)
        if (await session.execute(statement)).first() is not None:
            errors[fields[-1].name] = _taken_sentence(resource, wanted)
    return errors


async def _refusal(
    session: AsyncSession,
    site: Site,
    resource: Resource,
    values: Mapping[str, Any],
    whole: Mapping[str, Any],
    own: Key | None,
) -> Invalid:
    """Return what to say when a race let something slip past the checks."""
    try:
        await _checked(session, site, resource, values, whole, own)
    except Invalid as found:
        return found
    return Invalid({"": f"The database does not accept this {resource.label}."})


def _taken_sentence(resource: Resource, wanted: Mapping[Field, Any]) -> str:
    if len(wanted) == 1:
        ((field, value),) = wanted.items()
        if field is resource.title_field:
            return f"Another {resource.label} is called “{field.input.format(value)}”."
        return f"Another {resource.label} has this {resource.labels[field.name]}."
    labels = [resource.labels[field.name] for field in wanted]
    return f"Another {resource.label} has this {', '.join(labels[:-1])} and {labels[-1]}."
