"""Changes: the only place that creates and changes records, and writes it down."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import flag_modified
from sqlalchemy.orm.interfaces import ORMOption
from sqlmodel import SQLModel

from webapp.admin.fields import Field
from webapp.admin.keys import Key, key_condition, key_of, key_text
from webapp.admin.refusals import REFUSALS, fetch_refusal
from webapp.admin.resource import Resource
from webapp.admin.site import Site
from webapp.admin.snapshots import kept_text, snapshot_of
from webapp.admin.spelling import spellings
from webapp.errors import Invalid
from webapp.history import Entry, Kind, Operation, Values, record


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
    session: AsyncSession,
    site: Site,
    resource: Resource,
    values: Mapping[str, Any],
    operation: Operation,
    *,
    kind: Kind = Kind.CREATED,
    is_consequence: bool = False,
) -> SQLModel:
    """Create a record; raises Invalid with a sentence for each field that cannot be stored."""
    checked = await checked_values(session, site, resource, values, values, None)
    made = resource.model()
    # By name: a model that is called takes what is called like an alias for another field.
    for name, value in checked.items():
        setattr(made, name, value)
    try:
        async with session.begin_nested():
            session.add(made)
    except REFUSALS as error:
        raise await _refusal(session, site, resource, checked, checked, None, error) from None
    whole = await _read_back(session, resource, made)
    entry = creation_of(resource, whole, kind, is_consequence=is_consequence)
    await record(session, operation, [entry])
    return made


async def change(
    session: AsyncSession,
    site: Site,
    resource: Resource,
    changed: SQLModel,
    values: Mapping[str, Any],
    operation: Operation,
    *,
    is_consequence: bool = False,
) -> bool:
    """Change the given fields of a record; return whether any of them was another one.

    Raises Invalid with a sentence for each field that cannot be stored.
    """
    # Read now: after a failed write the record can no longer be asked.
    own = tuple(getattr(changed, field.name) for field in resource.key)
    before = {field.name: getattr(changed, field.name) for field in resource.fields}
    whole = {**before, **values}
    checked = await checked_values(session, site, resource, values, whole, own)
    differing = {
        name: value
        for name, value in checked.items()
        if not is_same_value(resource.by_name[name], before[name], value)
    }
    if not differing:
        return False
    try:
        async with session.begin_nested():
            for name, value in differing.items():
                setattr(changed, name, value)
                flag_modified(changed, name)
    except REFUSALS as error:
        raise await _refusal(session, site, resource, checked, whole, own, error) from None
    after = await _read_back(session, resource, changed)
    differences = actual_differences(resource, before, after)
    if not differences:
        return False
    title, key = resource.title_of(changed), key_of(resource, changed)
    entry = Entry(resource.name, key, title, Kind.CHANGED, differences, is_consequence)
    await record(session, operation, [entry])
    return True


async def _read_back(
    session: AsyncSession, resource: Resource, written: SQLModel
) -> dict[str, Any]:
    """Fetch what the database has made of a record: defaults, generated columns, triggers."""
    names = [field.name for field in resource.fields]
    await session.refresh(written, names)
    return {name: getattr(written, name) for name in names}


def actual_differences(
    resource: Resource, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Values:
    """Return what to write down of a record that was changed: whatever differs, by whomever."""
    pairs = differences_of(resource, before, after)
    return {name: (old, new) for name, (old, new) in pairs.items() if old != new}


async def checked_values(
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


def is_same_value(field: Field, before: Any, value: Any) -> bool:
    """Whether a field holds the very same value, of the very same type.

    `forms.is_same_text` compares what is typed, in which spaces and line ends do not count.
    """
    if before != value:
        return False
    # Python holds 1, 1.0 and True for equal, and JSON does not.
    return field.input.kind != "json" or bool(
        value is None or field.input.format(before) == field.input.format(value)
    )


def taken_sentence(resource: Resource, wanted: Mapping[Field, Any]) -> str:
    """Return what to say of values in a set of fields that another record has already."""
    if len(wanted) == 1:
        ((field, value),) = wanted.items()
        if field is resource.title_field and resource.titler is None:
            return f"Another {resource.label} is called “{field.input.shown(value)}”."
        return f"Another {resource.label} has this {resource.labels[field.name]}."
    labels = [resource.labels[field.name] for field in wanted]
    return f"Another {resource.label} has this {', '.join(labels[:-1])} and {labels[-1]}."


def creation_of(
    resource: Resource,
    values: Mapping[str, Any],
    kind: Kind = Kind.CREATED,
    *,
    is_consequence: bool = False,
) -> Entry:
    """Return what to write down of a record that was created with all these values."""
    key = key_text(resource, tuple(values[field.name] for field in resource.key))
    title = resource.title_among(values)
    differences = differences_of(resource, {}, values)
    return Entry(resource.name, key, title, kind, differences, is_consequence)


def differences_of(
    resource: Resource, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Values:
    return {
        name: (kept_text(resource.by_name[name], before.get(name)), new)
        for name, new in snapshot_of(resource, after).items()
    }


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
        conditions = [_has(field, value) for field, value in wanted.items()]
        if own is not None:
            conditions.append(~key_condition(resource, [own]))
        statement = select(resource.key[0].column).where(*conditions).limit(1)
        if (await session.execute(statement)).first() is not None:
            errors[fields[-1].name] = taken_sentence(resource, wanted)
    return errors


# Any: a value of any field.
def _has(field: Field, value: Any) -> ColumnElement[bool]:
    """Return the condition that a record has a value, also where its text is composed otherwise."""
    forms = spellings(value) if field.is_text and isinstance(value, str) else (value,)
    return or_(*(field.column == form for form in forms))


async def _refusal(
    session: AsyncSession,
    site: Site,
    resource: Resource,
    values: Mapping[str, Any],
    whole: Mapping[str, Any],
    own: Key | None,
    error: Exception,
) -> Invalid:
    """Return what to say when a race, or a rule of the database, was not foreseen."""
    try:
        await checked_values(session, site, resource, values, whole, own)
    except Invalid as found:
        return found
    return await fetch_refusal(session, resource, values, error, resource.label)
