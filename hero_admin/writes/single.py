"""Changes: the only place that creates and changes records, and writes it down."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import literal, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import NullType

from hero_admin.audit_log.changes import Entry, Kind, Operation, record
from hero_admin.database.errors import REFUSALS, is_unavailable
from hero_admin.model.fields import Field
from hero_admin.model.inputs import EXACT_DECIMAL_DIGITS
from hero_admin.model.primary_keys import Key, key_of, key_predicate, key_values
from hero_admin.model.resource import Record, Resource
from hero_admin.model.serialization import is_kept, is_same_value, snapshot_of
from hero_admin.model.site import Site
from hero_admin.web.errors import Invalid
from hero_admin.writes.constraint_errors import fetch_refusal
from hero_admin.writes.files import record_files, record_stored_files
from hero_admin.writes.renamed import insert_followed, prevented, update_followed
from hero_admin.writes.unique import fetch_conflicts, spelled_values


async def create(
    session: AsyncSession,
    site: Site,
    resource: Resource,
    values: Mapping[str, Any],
    operation: Operation,
    *,
    exact: Collection[str] = (),
    kind: Kind = Kind.CREATED,
    is_consequence: bool = False,
) -> Record:
    """Create a record; raises Invalid with a sentence for each field that cannot be stored.

    `exact` are the names of values that were stored before.
    """
    checked = await checked_values(session, site, resource, values, values, None, exact)
    whole = _with_defaults(resource, checked, exact)
    whole = await record_files(session, resource, whole)
    try:
        made = await insert_followed(session, resource, whole, is_back=kind is Kind.RESTORED)
    except REFUSALS as error:
        given = {name: whole.get(name) for name in checked}
        raise await _refusal(session, site, resource, given, given, None, exact, error) from None
    entry = creation_of(resource, made, kind, is_consequence=is_consequence)
    await record(session, operation, [entry])
    return made


async def change(
    session: AsyncSession,
    site: Site,
    resource: Resource,
    changed: Record,
    values: Mapping[str, Any],
    operation: Operation,
    *,
    is_exact: bool = False,
) -> bool:
    """Change the given fields of a record; return whether any of them was another one.

    `changed` becomes what the database has made of it. With `is_exact` a value in another spelling
    is another one. Raises Invalid with a sentence for each field that cannot be stored.
    """
    own = key_values(resource, changed)
    wanted = differing(resource, changed, values, is_exact=is_exact)
    whole, exact = {**changed, **wanted}, wanted if is_exact else ()
    checked = await checked_values(session, site, resource, wanted, whole, own, exact)
    checked = await record_files(session, resource, checked)
    checked = differing(resource, changed, checked, is_exact=is_exact)
    if not checked:
        return False
    replaced = [resource.by_name[name] for name in checked]
    await record_stored_files(session, replaced, key_predicate(resource, [own]))
    try:
        (after,), is_updated = await update_followed(
            session, resource, [(own, checked)], is_exact=is_exact
        )
    except REFUSALS as error:
        whole = {**changed, **checked}
        raise await _refusal(session, site, resource, checked, whole, own, exact, error) from None
    before = dict(changed)
    changed.update(after)
    entry = change_of(resource, before, after)
    if entry is None and not is_updated:
        raise prevented(resource)
    await record(session, operation, [entry] if entry else [])
    return entry is not None


def differing(
    resource: Resource, before: Record, values: Mapping[str, Any], *, is_exact: bool = False
) -> dict[str, Any]:
    """Return those of the values that a record does not have."""
    return {
        name: value
        for name, value in values.items()
        if not is_same_value(resource.by_name[name], before[name], value, is_exact=is_exact)
    }


def _with_defaults(
    resource: Resource, values: Mapping[str, Any], exact: Collection[str]
) -> dict[str, Any]:
    """Return the values of a new record; what the database gives is left to it."""
    made = resource.model()
    # By name: a model that is called takes what is called like an alias for another field.
    for name, value in values.items():
        setattr(made, name, value)
    whole = {field.name: getattr(made, field.name, None) for field in resource.fields}
    return {
        name: value
        for name, value in whole.items()
        if value is not None or name in exact or not _is_given_by_database(resource.by_name[name])
    }


def _is_given_by_database(field: Field) -> bool:
    """Whether a new record that lacks a value gets one."""
    if field.is_key and field.is_generated:
        return True
    # Of a type that its model does not know SQLAlchemy writes not even NULL.
    if isinstance(field.column.type, NullType):
        return True
    return field.column.default is not None or field.column.server_default is not None


async def checked_values(
    session: AsyncSession,
    site: Site,
    resource: Resource,
    values: Mapping[str, Any],
    whole: Mapping[str, Any],
    own: Key | None,
    exact: Collection[str] = (),
) -> dict[str, Any]:
    """Return `values` as the columns keep them; raises Invalid for what the database would refuse.

    `whole` is the record with them; `own` is its key if it exists already. What is `exact` was
    stored before, and may be so again.
    """
    values = await spelled_values(session, resource, values, exact)
    errors: dict[str, str] = {}
    cleaned: dict[str, Any] = {}
    for name, value in values.items():
        field = resource.by_name[name]
        try:
            cleaned[name] = value if name in exact else field.clean(value)
        except ValueError as error:
            errors[name] = str(error)
            continue
        if field.relation and not await _exists(session, site, field, cleaned[name]):
            label = resource.labels[name]
            errors[name] = f"This {label} no longer exists. Choose another one."
        elif name not in exact and (fault := await _fault_of(session, field, cleaned[name])):
            errors[name] = fault
    if not errors:
        errors = await fetch_conflicts(session, resource, {**whole, **cleaned}, own, cleaned)
    if errors:
        raise Invalid(errors)
    return cleaned


# Any: a value of any field.
async def _fault_of(session: AsyncSession, field: Field, value: Any) -> str:
    """Return what is wrong with a typed value that only the database can tell."""
    if field.is_read_by_database and not await _is_read(session, field, value):
        return f"Enter {field.example}."
    if not is_kept(field, value, session.get_bind().dialect):
        return f"Use at most {EXACT_DECIMAL_DIGITS} digits."
    return ""


def creation_of(
    resource: Resource,
    made: Record,
    kind: Kind = Kind.CREATED,
    *,
    is_consequence: bool = False,
) -> Entry:
    """Return what to write down of a record that was created."""
    values = {name: (None, new) for name, new in snapshot_of(resource, made).items()}
    key, title = key_of(resource, made), resource.title_of(made)
    return Entry(resource.name, key, title, kind, values, is_consequence)


def change_of(resource: Resource, before: Record, after: Record) -> Entry | None:
    """Return what to write down of a record that was changed; None if it is as it was."""
    old, new = snapshot_of(resource, before), snapshot_of(resource, after)
    values = {name: (old[name], new[name]) for name in new if old[name] != new[name]}
    if not values:
        return None
    key, title = key_of(resource, after), resource.title_of(after)
    return Entry(resource.name, key, title, Kind.CHANGED, values)


async def _is_read(session: AsyncSession, field: Field, value: Any) -> bool:
    """Whether the database takes a text for one of a type that only it knows."""
    try:
        async with session.begin_nested():
            await session.execute(select(field.written("value").label("value")), {"value": value})
    except REFUSALS as error:
        # Whatever else is said is about the value: it calls some a mistake in the statement.
        if is_unavailable(error):
            raise
        return False
    return True


async def _exists(session: AsyncSession, site: Site, field: Field, value: Any) -> bool:
    assert field.relation is not None
    if value is None:
        return True
    column = site.target_of(field).by_name[field.relation.target_column].exact
    found = select(literal(1)).where(column == value).limit(1)
    return (await session.execute(found)).first() is not None


async def _refusal(
    session: AsyncSession,
    site: Site,
    resource: Resource,
    values: Mapping[str, Any],
    whole: Mapping[str, Any],
    own: Key | None,
    exact: Collection[str],
    error: Exception,
) -> Invalid:
    """Return what to say when a race, or a rule of the database, was not foreseen."""
    try:
        await checked_values(session, site, resource, values, whole, own, exact)
    except Invalid as found:
        return found
    return await fetch_refusal(session, resource, values, error, resource.label)
