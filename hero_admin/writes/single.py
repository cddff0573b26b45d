"""Single writes: create and change one record, and record it."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy.types import NullType

from hero_admin.audit_log.changes import Kind
from hero_admin.database.errors import REFUSALS
from hero_admin.model.fields import Field
from hero_admin.model.primary_keys import key_predicate, key_values
from hero_admin.model.resource import Record, Resource
from hero_admin.writes.draft import Draft, check, refusal
from hero_admin.writes.entries import change_of, creation_of, differing
from hero_admin.writes.files import record_files, record_stored_files
from hero_admin.writes.gate import permit, permit_new
from hero_admin.writes.hooks import call_later, run_before
from hero_admin.writes.renamed import insert_followed, prevented, update_followed
from hero_admin.writes.rules import check_records, savepoint_for
from hero_admin.writes.transaction import Transaction


async def create(
    transaction: Transaction,
    resource: Resource,
    values: Mapping[str, Any],
    *,
    exact: Collection[str] = (),
    kind: Kind = Kind.CREATED,
) -> Record:
    """Create a record; raises Invalid with a sentence for each field that cannot be stored.

    exact: the names of values that were stored before.
    """
    session = transaction.session
    resource = permit(transaction, resource, "create", values.keys() - set(exact))
    is_restored = kind is Kind.RESTORED and not values.keys() - exact
    # Defaults may be random, and the hook has seen them.
    seen = with_defaults(resource, values, exact) if resource.before is not None else {}
    altered = await run_before(transaction, resource, None, seen, is_restored=is_restored)
    values, exact = {**values, **altered}, {*exact} - altered.keys()
    checked = await check(transaction, Draft(resource, values, exact=exact))
    whole = with_defaults(resource, {**seen, **checked}, exact)
    permit_new(transaction, resource, whole)
    whole = await record_files(transaction, resource, whole)
    try:
        async with savepoint_for(session, resource):
            made = await insert_followed(session, resource, whole, is_back=kind is Kind.RESTORED)
            await check_records(transaction, resource, [made], is_named=False)
    except REFUSALS as error:
        given = {name: whole.get(name) for name in checked}
        raise await refusal(transaction, Draft(resource, given, exact=exact), error) from None
    await transaction.record([creation_of(resource, made, kind)])
    call_later(transaction, resource, [(None, dict(made))], is_restored=is_restored)
    return made


async def change(
    transaction: Transaction,
    resource: Resource,
    changed: Record,
    values: Mapping[str, Any],
    *,
    is_exact: bool = False,
) -> bool:
    """Change fields of a record; return whether any value differs.

    `changed` is updated to the record as stored. is_exact: whether another spelling differs.
    Raises Invalid with a sentence for each field that cannot be stored.
    """
    session, key = transaction.session, key_values(resource, changed)
    resource = resource.entire
    wanted = differing(resource, changed, values, is_exact=is_exact)
    permit(transaction, resource, "change", wanted)
    if wanted:
        whole = {**changed, **wanted}
        wanted |= await run_before(
            transaction, resource, changed, whole, is_restored=is_exact, is_named=is_exact
        )
    exact = wanted.keys() if is_exact else ()
    checked = await check(transaction, Draft(resource, wanted, changed, exact))
    checked = await record_files(transaction, resource, checked)
    checked = differing(resource, changed, checked, is_exact=is_exact)
    if not checked:
        return False
    replaced = [resource.by_name[name] for name in checked]
    await record_stored_files(transaction, replaced, key_predicate(resource, [key]))
    try:
        async with savepoint_for(session, resource):
            (after,), is_updated = await update_followed(
                session, resource, [(key, checked)], is_exact=is_exact
            )
            await check_records(transaction, resource, [after], is_named=is_exact)
    except REFUSALS as error:
        draft = Draft(resource, checked, changed, exact)
        raise await refusal(transaction, draft, error) from None
    before = dict(changed)
    changed.update(after)
    entry = change_of(resource, before, after)
    if entry is None and not is_updated:
        raise prevented(resource)
    if entry is not None:
        await transaction.record([entry])
        call_later(transaction, resource, [(before, dict(changed))], is_restored=is_exact)
    return entry is not None


def with_defaults(
    resource: Resource, values: Mapping[str, Any], exact: Collection[str] = ()
) -> dict[str, Any]:
    """Return the values of a new record, without those that the database sets."""
    made = resource.model()
    # Set by name: the constructor takes aliases, one of which may be the name of another field.
    for name, value in values.items():
        setattr(made, name, value)
    whole = {field.name: getattr(made, field.name, None) for field in resource.fields}
    return {
        name: value
        for name, value in whole.items()
        if value is not None or name in exact or not _is_given_by_database(resource.by_name[name])
    }


def _is_given_by_database(field: Field) -> bool:
    """Whether a new record has a default for a value."""
    if field.is_key and field.is_generated:
        return True
    # SQLAlchemy binds not even NULL for an unknown type.
    if isinstance(field.column.type, NullType):
        return True
    return field.column.default is not None or field.column.server_default is not None
