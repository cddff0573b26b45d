"""The gate: what every write asks before it changes anything, whoever sends it by which way.

What a person may do is asked of their rights; which rows they may change, of the session, whose
statements reach no others (`database/row_scopes.py`).
"""

from collections.abc import Collection, Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.database.row_scopes import UNSCOPED, is_limited
from hero_admin.model.labels import in_sentence, label_of
from hero_admin.model.links import ENTRY
from hero_admin.model.primary_keys import Key, key_predicate
from hero_admin.model.resource import Record, Resource
from hero_admin.model.resource_rights import field_rights, permission, restricted_names
from hero_admin.model.token_scopes import scope_refusal
from hero_admin.rights import Permission, is_granted
from hero_admin.web.errors import Invalid
from hero_admin.writes.catalog import Catalog
from hero_admin.writes.referencing_rows import RowsToDelete, fetch_referencing, is_any, portions
from hero_admin.writes.tables import ForeignKey, RowId, TableName
from hero_admin.writes.transaction import Transaction

OUTSIDE = "You don't have access to {nouns} with these values, so nothing was saved."
NEEDED = "You don't have permission to set everything that a new {noun} needs."
UNSEEN = "This would change other records that you don't have access to, so it can't be done."


def permit(
    transaction: Transaction, resource: Resource, verb: str, names: Collection[str] = ()
) -> Resource:
    """Return a resource with all its fields; raises Invalid for what the person may not do.

    names: the fields and links to be set. Of what a write causes nothing is asked.
    """
    person, whole = transaction.operation.by, resource.entire
    if transaction.is_summed_up:
        return whole
    needed = permission(whole, verb)
    if not needed.allows(person):
        raise Invalid({"": needed.refusal(person)})
    refusal = scope_refusal(transaction.site, person.token, whole.name, is_change=True)
    if refusal:
        raise Invalid({"": refusal})
    unseen, fixed = restricted_names(transaction.site, whole, person)
    wrong = fixed.intersection(name.removeprefix(ENTRY) for name in names)
    if wrong & unseen:
        raise Invalid({"": f"You don't have permission to change all of this {whole.label}."})
    if wrong:
        refused = {
            name: Permission(rights.change, f"edit the {_label(whole, name)}")
            for name, rights in field_rights(transaction.site, whole)
            if name in wrong and not is_granted(rights.change, person)
        }
        raise Invalid({name: each.refusal(person) for name, each in refused.items()})
    return whole


def permit_new(transaction: Transaction, resource: Resource, values: Record) -> None:
    """Raise Invalid if a new record lacks a value that the person may not set."""
    fixed = restricted_names(transaction.site, resource, transaction.operation.by)[1]
    needed = {name for name in fixed & values.keys() if values[name] is None}
    if any(not resource.by_name[name].is_optional for name in needed):
        raise Invalid({"": NEEDED.format(noun=resource.label)})


def unseen_names(transaction: Transaction, resource: Resource) -> frozenset[str]:
    """Return the names of the fields that the person may not read."""
    by, whole = transaction.operation.by, resource.entire
    return restricted_names(transaction.site, whole, by)[0] if whole.rights else frozenset()


def _label(resource: Resource, name: str) -> str:
    return resource.labels.get(name) or in_sentence(label_of(name))


async def check_within(session: AsyncSession, resource: Resource, keys: Sequence[Key]) -> None:
    """Raise Invalid if one of these written records is outside of what the person may see."""
    if not is_limited(session, resource.table):
        return
    for some in portions(keys):
        counted = select(func.count()).select_from(resource.table)
        counted = counted.where(key_predicate(resource, some))
        seen = await session.scalar(counted)
        there = await session.scalar(counted, execution_options={UNSCOPED: True})
        if seen != there:
            raise Invalid({"": OUTSIDE.format(nouns=resource.label_plural)})


def permit_consequence(
    transaction: Transaction, resource: Resource | None, verb: str, names: Collection[str] = ()
) -> None:
    """Raise Invalid if the person may not do to other records what a deletion does to them."""
    if resource in transaction.site.resources and resource is not None:
        permit(transaction, resource, verb, names)


async def check_cascade(
    transaction: Transaction, to_delete: RowsToDelete, asked: TableName
) -> None:
    """Raise Invalid if the person may not delete, or see, what would be deleted, too."""
    catalog = to_delete.catalog
    for name, rows in to_delete.rows.items():
        if name != asked:
            permit_consequence(transaction, catalog.resources.get(name), "delete")
        await check_seen(transaction.session, catalog, name, list(rows))


async def check_referencing(
    transaction: Transaction, to_delete: RowsToDelete, key: ForeignKey, ids: Sequence[RowId]
) -> None:
    """Raise Invalid if the person may not change, or see, the rows that refer to deleted ones."""
    catalog, session = to_delete.catalog, transaction.session
    resource = catalog.resources.get(key.table)
    fields = (catalog.field_of(key.table, each) for each in key.columns)
    names = [field.name for field in fields if field is not None]
    permit_consequence(transaction, resource, "change", names)
    if resource is not None and is_limited(session, resource.table):
        async for pairs in fetch_referencing(session, catalog, key, ids):
            await check_seen(session, catalog, key.table, list({row for row, _ in pairs}))


async def check_seen(
    session: AsyncSession, catalog: Catalog, name: TableName, ids: Sequence[RowId]
) -> None:
    """Raise Invalid if one of the rows that a deletion changes, too, is not seen by the person."""
    resource = catalog.resources.get(name)
    if resource is None or not is_limited(session, resource.table):
        return
    for some in portions(ids):
        rows = select(func.count()).select_from(resource.table)
        if await session.scalar(rows.where(is_any(catalog.tables[name], None, some))) != len(some):
            raise Invalid({"": UNSEEN})
