"""Rights reports: what a person may do with a resource, see of it, and why."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Column, ColumnElement, false, literal, select
from sqlalchemy.exc import CompileError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.visitors import iterate

from hero_admin.database.row_scopes import UNSCOPED
from hero_admin.model.fields import Field
from hero_admin.model.formatting import MASK, shown
from hero_admin.model.primary_keys import key_predicate, parse_key
from hero_admin.model.records import fetch_record
from hero_admin.model.resource import Resource
from hero_admin.model.resource_rights import may, permission
from hero_admin.model.row_rights import rows_of
from hero_admin.person import A_ROLE, ROLE_PLURALS, Person, Role
from hero_admin.rights import ACTION, DEFAULT_GRANTS, Grant, is_granted
from hero_admin.web.texts import capitalised

READ_ONLY = "nobody: it is read-only"


@dataclass(frozen=True)
class Right:
    """What a person may or may not do, and who may, as in “Edit heroes: editors and above”."""

    what: str
    is_allowed: bool
    rule: str


@dataclass(frozen=True)
class RecordReport:
    """Whether a person sees a record, and the values on which that depends, by label."""

    title: str
    is_seen: bool
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class RightsReport:
    """The rights of a person to one resource.

    rows: the condition of the rows that they see, as SQL; "" for all.
    fields: those that not everybody may read or change.
    """

    resource: Resource
    verbs: tuple[Right, ...]
    fields: tuple[Right, ...]
    rows: str


def report_of(session: AsyncSession, resource: Resource, person: Person) -> RightsReport:
    """Return what a person may do with a resource, and why."""
    resource = resource.entire
    verbs = [*DEFAULT_GRANTS, *(f"{ACTION}{each.name}" for each in resource.actions)]
    found = []
    for verb in verbs:
        needed, is_allowed = permission(resource, verb), may(resource, person, verb)
        is_fixed = not is_allowed and needed.allows(person)
        rule = READ_ONLY if is_fixed else _rule(needed.grant)
        found.append(Right(capitalised(needed.what), is_allowed, rule))
    condition = rows_of(resource, person)
    return RightsReport(
        resource,
        tuple(found),
        tuple(_field_rights(resource, person)),
        "" if condition is None else _sql(session, condition),
    )


def _field_rights(resource: Resource, person: Person) -> Sequence[Right]:
    names = {link.name: link.label for link in resource.many_to_many}
    names |= {field.name: field.label for field in resource.fields}
    return [
        Right(f"{verb} {names[attribute.key]}", is_granted(grant, person), _rule(grant))
        for attribute, rights in resource.rights.items()
        for verb, grant in (("Read", rights.read), ("Edit", rights.change))
    ]


def _rule(grant: Grant) -> str:
    if isinstance(grant, Role):
        return ROLE_PLURALS[grant] if grant is Role.OWNER else f"{ROLE_PLURALS[grant]} and above"
    name = getattr(grant, "__qualname__", type(grant).__qualname__)
    return f"decided by {grant.__module__}.{name}"


def _sql(session: AsyncSession, condition: ColumnElement[bool]) -> str:
    """Return a condition as SQL, with its values where they can be written."""
    if condition is false() or condition.compare(false()):
        return "none"
    dialect = session.get_bind().dialect
    try:
        return str(condition.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
    except (CompileError, NotImplementedError):
        return str(condition.compile(dialect=dialect))


async def report_record(
    session: AsyncSession, resource: Resource, person: Person, key_text: str
) -> RecordReport | None:
    """Return whether a person sees a record, None if whoever asks sees none with this key."""
    key = parse_key(resource, key_text)
    record = None if key is None else await fetch_record(session, resource, key)
    if key is None or record is None:
        return None
    title, condition = resource.titles.of(record), rows_of(resource, person)
    if condition is None:
        return RecordReport(title, is_seen=True, values=())
    seen = select(literal(1)).where(key_predicate(resource, [key]), condition)
    # Whoever asks sees the record, but perhaps not all that the condition reads.
    is_seen = await session.scalar(seen, execution_options={UNSCOPED: True}) is not None
    values = tuple(
        (field.label, MASK if field.is_masked else shown(field, record[field.name]))
        for field in _fields_in(resource, condition)
    )
    return RecordReport(title, is_seen, values)


def _fields_in(resource: Resource, condition: ColumnElement[bool]) -> Sequence[Field]:
    """Return the fields that a condition compares."""
    columns = {each for each in iterate(condition) if isinstance(each, Column)}
    return [field for field in resource.fields if field.column in columns]


def role_sentence(person: Person) -> str:
    """Return “Ann is an editor.”."""
    return f"{person.name} is {A_ROLE[person.role]}."
