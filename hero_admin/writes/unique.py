"""Unique values: texts that look the same are one value where values must be unique."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import ColumnElement, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.model.fields import Field
from hero_admin.model.formatting import revealed
from hero_admin.model.primary_keys import key_predicate, key_values
from hero_admin.model.resource import Record, Resource
from hero_admin.model.texts import spelled, spellings
from hero_admin.web.texts import listed
from hero_admin.writes.catalog import fetch_unique_fields


async def spelled_values(
    session: AsyncSession, resource: Resource, values: Mapping[str, Any], exact: Collection[str]
) -> Mapping[str, Any]:
    """Return typed values with unique texts in one spelling.

    The database may have more unique columns than the model. `exact` values stay as they are.
    """
    others = {
        name: spelled(value)
        for name, value in values.items()
        if name not in exact and _is_spelled(resource.by_name[name], value)
    }
    if not others:
        return values
    unique = {field for fields in resource.unique_sets for field in fields}
    unique.update(await fetch_unique_fields(session, resource))
    names = {field.name for field in unique}
    return {**values, **{name: text for name, text in others.items() if name in names}}


# Any: a value of any field.
def _is_spelled(field: Field, value: Any) -> bool:
    """Whether a value is a text that has another spelling."""
    is_text = isinstance(value, str) and field.is_text and not field.relation
    return is_text and spelled(value) != value


async def fetch_conflicts(
    session: AsyncSession,
    resource: Resource,
    changed: Mapping[str, Any],
    before: Record | None,
    unseen: Collection[str] = (),
) -> dict[str, str]:
    """Return a sentence for each unique set of fields whose values another record has.

    Sets without `changed` fields are not checked, as the record has had them `before`. unseen: the
    names of fields that are not to be named.
    """
    errors = {}
    values = {**(before or {}), **changed}
    for fields in resource.unique_sets:
        if before is not None and not any(field.name in changed for field in fields):
            continue
        wanted = {field: values.get(field.name) for field in fields}
        # NULLs are distinct.
        if any(value is None for value in wanted.values()):
            continue
        predicates = [_has(field, value) for field, value in wanted.items()]
        if before is not None:
            predicates.append(~key_predicate(resource, [key_values(resource, before)]))
        statement = select(literal(1)).select_from(resource.table).where(*predicates).limit(1)
        if (await session.execute(statement)).first() is not None:
            seen = [field.name for field in fields if field.name not in unseen]
            errors["".join(seen[-1:])] = taken_sentence(resource, wanted, unseen)
    return errors


# Any: a value of any field.
def _has(field: Field, value: Any) -> ColumnElement[bool]:
    """Return the predicate that a record has a value, in any Unicode form of a text."""
    forms = spellings(value) if field.is_text and isinstance(value, str) else (value,)
    return or_(*(field.exact == form for form in forms))


def taken_sentence(
    resource: Resource, wanted: Mapping[Field, Any], unseen: Collection[str] = ()
) -> str:
    """Return the sentence for values of a unique set that another record has.

    unseen: the names of fields that are not to be named.
    """
    if any(field.name in unseen for field in wanted):
        return f"Another {resource.label} has the same values."
    if len(wanted) == 1:
        ((field, value),) = wanted.items()
        if field is resource.titles.field and resource.titles.function is None:
            return f"Another {resource.label} is called “{revealed(field, value)}”."
        return f"Another {resource.label} has this {resource.labels[field.name]}."
    labels = listed([resource.labels[field.name] for field in wanted])
    return f"Another {resource.label} has this {labels}."
