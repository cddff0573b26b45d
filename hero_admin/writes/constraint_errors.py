"""Constraint errors: the field whose value the database has refused, and the sentence for it."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import CheckConstraint, cast, literal, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.database.errors import REFUSALS, is_refusal, raised_sentence
from hero_admin.database.refusals import Refusal, refusal_of
from hero_admin.database.transactions import check_now
from hero_admin.model.fields import Field
from hero_admin.model.labels import article_of
from hero_admin.model.resource import Resource
from hero_admin.web.errors import Invalid
from hero_admin.web.texts import listed, ngettext
from hero_admin.writes.catalog import fetch_rule_fields, fetch_unique_fields, fields_named
from hero_admin.writes.tables import names_in


async def fetch_refusal(
    session: AsyncSession,
    resource: Resource,
    values: Mapping[str, Any],
    error: Exception,
    unexplained: str,
    unseen: Collection[str] = (),
) -> Invalid:
    """Return the error for refused values; raises `error` if it is no refusal.

    The failed statement must be rolled back before. unexplained: the sentence if no value was it.
    unseen: the names of fields that are not to be named.
    """
    if not is_refusal(error):
        raise error
    if not isinstance(error, DBAPIError):
        return await _fetch_by_trying(session, resource, values, unexplained)
    refusal = refusal_of(error, resource.table.name)
    fields = await _fetch_fields(session, resource, refusal)
    if any(field.name in unseen for field in fields):
        return Invalid({"": unexplained})
    if refusal.reason == "taken" and fields:
        return Invalid({fields[-1].name: _same_sentence(resource, fields)})
    raised = raised_sentence(error)
    if raised:
        name = fields[0].name if len(fields) == 1 else ""
        return Invalid({name: raised})
    # The constraint of a type names no column.
    if refusal.reason == "unreadable" or not fields:
        return await _fetch_by_trying(session, resource, values, unexplained)
    if len(fields) > 1:
        labels = listed([resource.labels[field.name] for field in fields])
        return Invalid({"": f"The database doesn't accept this combination of {labels}."})
    label = resource.labels[fields[0].name]
    sentence = f"The database doesn't accept this {label}."
    if refusal.reason == "dangling":
        sentence = f"This {label} no longer exists. Choose another one."
    elif refusal.reason == "missing":
        sentence = f"Enter {article_of(label)} {label}."
    return Invalid({fields[0].name: sentence})


async def check_constraints(session: AsyncSession, sentence: str) -> None:
    """Check deferred constraints now; raises Invalid with this sentence, or that of a trigger."""
    try:
        async with session.begin_nested():
            await check_now(session)
    except DBAPIError as error:
        if not is_refusal(error):
            raise
        raise Invalid({"": raised_sentence(error) or sentence}) from None


async def _fetch_by_trying(
    session: AsyncSession, resource: Resource, values: Mapping[str, Any], unexplained: str
) -> Invalid:
    """Find the values that the database cannot cast to the types of their columns."""
    found = {}
    for name, value in values.items():
        field = resource.by_name[name]
        if value is None or field.is_bytes:
            # Any bytes are valid.
            continue
        given = literal(value, field.exact_type)
        try:
            async with session.begin_nested():
                await session.execute(select(cast(given, field.column.type).label("value")))
        except REFUSALS as error:
            if not is_refusal(error):
                raise
            found[name] = f"The database doesn't accept this {resource.labels[name]}."
    return Invalid(found or {"": unexplained})


async def _fetch_fields(
    session: AsyncSession, resource: Resource, refusal: Refusal
) -> tuple[Field, ...]:
    """Fetch the fields of the columns or constraint that a refusal names."""
    if refusal.columns:
        return fields_named(resource, refusal.columns)
    rule = refusal.rule if refusal.is_own else ""
    if refusal.reason == "taken":
        return await fetch_unique_fields(session, resource, rule) if rule else ()
    for each in resource.table.constraints:
        if refusal.rule and each.name == refusal.rule and isinstance(each, CheckConstraint):
            return fields_named(resource, names_in([str(each.sqltext)]))
    return await fetch_rule_fields(session, resource, rule) if rule else ()


def _same_sentence(resource: Resource, fields: Sequence[Field]) -> str:
    """Return the sentence where the database compares values by rules of its own."""
    labels = listed([resource.labels[field.name] for field in fields])
    sentence = ngettext(
        "Another {noun} has {article} {labels} that counts as the same.",
        "Another {noun} has {article} {labels} that count as the same.",
        len(fields),
    )
    return sentence.format(noun=resource.label, article=article_of(labels), labels=labels)
