"""Drafts: values about to be written, checked before the database may refuse them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.database.errors import REFUSALS, is_unavailable
from hero_admin.model.fields import Field
from hero_admin.model.inputs import EXACT_DECIMAL_DIGITS
from hero_admin.model.resource import Record, Resource
from hero_admin.model.serialization import is_lossless
from hero_admin.model.site import Site
from hero_admin.web.errors import Invalid
from hero_admin.writes.constraint_errors import fetch_refusal
from hero_admin.writes.gate import unseen_names
from hero_admin.writes.rules import check_records
from hero_admin.writes.transaction import Transaction
from hero_admin.writes.unique import fetch_conflicts, spelled_values


@dataclass(frozen=True)
class Draft:
    """The values about to be written to a record.

    values: its new values, by the name of the field.
    before: the record as it is, None for one that will be created.
    exact: the names of values that were stored before.
    """

    resource: Resource
    values: Mapping[str, Any]
    before: Record | None = None
    exact: Collection[str] = ()


async def check(transaction: Transaction, draft: Draft) -> dict[str, Any]:
    """Return the values as the columns will store them.

    Raises Invalid with a sentence for each field that the database would refuse.
    """
    session, resource = transaction.session, draft.resource
    values = await spelled_values(session, resource, draft.values, draft.exact)
    errors: dict[str, str] = {}
    cleaned: dict[str, Any] = {}
    for name, value in values.items():
        field = resource.by_name[name]
        is_exact = name in draft.exact
        try:
            cleaned[name] = value if is_exact else field.clean(value)
        except ValueError as error:
            errors[name] = str(error)
            continue
        if field.relation and not await _exists(session, transaction.site, field, cleaned[name]):
            label = resource.labels[name]
            errors[name] = f"This {label} no longer exists. Choose another one."
        elif not is_exact and (fault := await _fault_of(session, field, cleaned[name])):
            errors[name] = fault
    if not errors:
        unseen = unseen_names(transaction, resource)
        errors = await fetch_conflicts(session, resource, cleaned, draft.before, unseen)
    if errors:
        raise Invalid(errors)
    return cleaned


async def refusal(transaction: Transaction, draft: Draft, error: Exception) -> Invalid:
    """Return the error for a draft that has passed the check and the database has refused.

    Another request was faster, which a second check finds, or only the database has the rule.
    """
    try:
        await check(transaction, draft)
        # The database may have the same rule, but it has no sentence for it.
        whole = {**(draft.before or {}), **draft.values}
        at_once = replace(transaction, unchecked=None)
        await check_records(at_once, draft.resource, [whole], is_named=False)
    except Invalid as found:
        return found
    sentence = f"The database doesn't accept this {draft.resource.label}."
    unseen = unseen_names(transaction, draft.resource)
    return await fetch_refusal(
        transaction.session, draft.resource, draft.values, error, sentence, unseen
    )


# Any: a value of any field.
async def _fault_of(session: AsyncSession, field: Field, value: Any) -> str:
    """Return the sentence for a typed value that only the database can check, "" if it is valid."""
    if field.is_read_by_database and not await _is_read(session, field, value):
        return f"Enter {field.example}."
    if not is_lossless(field, value, session.get_bind().dialect):
        return f"Use at most {EXACT_DECIMAL_DIGITS} digits."
    return ""


async def _is_read(session: AsyncSession, field: Field, value: Any) -> bool:
    """Whether the database accepts a text as a value of a type that only it knows."""
    try:
        async with session.begin_nested():
            await session.execute(select(field.given("value").label("value")), {"value": value})
    except REFUSALS as error:
        # Any other error is about the value, even a syntax error.
        if is_unavailable(error):
            raise
        return False
    return True


async def _exists(session: AsyncSession, site: Site, field: Field, value: Any) -> bool:
    if value is None:
        return True
    found = select(literal(1)).where(site.target_field_of(field).exact == value).limit(1)
    return (await session.execute(found)).first() is not None
