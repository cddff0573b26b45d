"""Cascade: what deleting records does to all rows that refer to them, in any table."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.model.labels import in_sentence
from hero_admin.model.primary_keys import Key
from hero_admin.model.resource import Resource
from hero_admin.model.total import COUNT_CAP, Total
from hero_admin.web.errors import Invalid
from hero_admin.web.texts import listed, ngettext
from hero_admin.writes.catalog import Catalog, Effect, fetch_catalog, triggers_of
from hero_admin.writes.column_defaults import fetch_has_default
from hero_admin.writes.gate import check_cascade, check_referencing
from hero_admin.writes.referencing_rows import (
    RowsToDelete,
    count_referencing,
    fetch_ids,
    fetch_referencing,
    find_cascade,
)
from hero_admin.writes.replacements import Choice, choices_of
from hero_admin.writes.tables import ForeignKey, RowId, StoredTable, TableName
from hero_admin.writes.transaction import Transaction

Node = TypeVar("Node", bound=Hashable)


@dataclass(frozen=True)
class Consequence:
    """What deleting does to rows of one table.

    what: “2 towns”; noun: what they refer to, as “team”.
    choice: the choice of a replacement, for rows that refer to the records themselves.
    """

    what: str
    noun: str
    total: Total
    effect: Effect
    choice: Choice | None = None
    relation: str = ""


@dataclass(frozen=True)
class Question:
    """The confirmation before deleting records.

    limits: what Undo does not restore, a sentence each.
    refusal: why it cannot be done, "" if it can be tried.
    """

    consequences: tuple[Consequence, ...] = ()
    choices: tuple[Choice, ...] = ()
    limits: tuple[str, ...] = ()
    refusal: str = ""


async def fetch_question(
    transaction: Transaction, resource: Resource, keys: Sequence[Key]
) -> Question:
    """Count the rows that a deletion affects, at every level of the cascade, by its effects."""
    session, site, resource = transaction.session, transaction.site, resource.entire
    catalog = await fetch_catalog(session, site, [resource])
    stored = catalog.table_of(resource)
    if stored is None:
        return Question()
    asked = await fetch_ids(session, stored, resource, keys)
    to_delete = RowsToDelete(catalog)
    await find_cascade(session, to_delete, stored, asked, most=COUNT_CAP)
    try:
        await check_cascade(transaction, to_delete, asked=stored.name)
        return await _fetch_question(transaction, resource, to_delete, stored, asked)
    except Invalid as invalid:
        # How many they are is not for whoever may not see them.
        return Question(refusal=" ".join(invalid.sentences.values()))


async def _fetch_question(
    transaction: Transaction,
    resource: Resource,
    to_delete: RowsToDelete,
    stored: StoredTable,
    asked: Sequence[RowId],
) -> Question:
    """Raise Invalid if something else would be changed that the person may not change."""
    session, site, catalog = transaction.session, transaction.site, to_delete.catalog
    choices = choices_of(catalog, site, resource)
    by_key = {choice.key: choice for choice in choices.values()}
    found = _deleted(to_delete, by_key, stored, len(asked))
    for name, rows in to_delete.rows.items():
        for key in catalog.references_to(catalog.tables[name]):
            effect = catalog.effect_of(key)
            if effect == "deleted" or not catalog.tables[key.table].is_usable:
                continue
            if effect == "default" and not await fetch_has_default(session, to_delete, key):
                effect = "restricted"
            for ids, choice in _split(asked, rows, by_key.get(key)):
                total = await count_referencing(session, to_delete, key, ids)
                if total.count:
                    await check_referencing(transaction, to_delete, key, ids)
                    found.append(_changed(catalog, key, total, effect, choice))
    # In their order on the page of a record.
    order = {choice.name: position for position, choice in enumerate(choices.values())}
    found.sort(key=lambda each: order.get(each.choice.name if each.choice else "", len(order)))
    limits = list(_limits(to_delete))
    needing = await _fetch_needing_each_other(session, to_delete)
    if needing:
        limits.append(f"Rows of {listed(needing)} depend on each other, so Undo may be refused.")
    return Question(tuple(found), tuple(choices.values()), tuple(limits))


async def count_references_to(
    session: AsyncSession, to_delete: RowsToDelete, stored: StoredTable, ids: Sequence[RowId]
) -> int:
    """Count the rows that refer to these and are not deleted themselves."""
    count, catalog = 0, to_delete.catalog
    for key in catalog.references_to(stored):
        if catalog.tables[key.table].is_usable:
            count += (await count_referencing(session, to_delete, key, ids)).count
    return count


def _split(
    asked: Sequence[RowId], rows: Iterable[RowId], choice: Choice | None
) -> list[tuple[list[RowId], Choice | None]]:
    """Split off the rows that have a choice: those that refer to the records themselves."""
    if choice is None:
        return [(list(rows), None)]
    direct = set(asked)
    return [(list(asked), choice), ([row for row in rows if row not in direct], None)]


def _deleted(
    to_delete: RowsToDelete, choices: Mapping[ForeignKey, Choice], stored: StoredTable, asked: int
) -> list[Consequence]:
    found, catalog = [], to_delete.catalog
    for name, rows in to_delete.rows.items():
        count = len(rows) - (asked if name == stored.name else 0)
        if count:
            total = Total(count, is_capped=to_delete.is_capped)
            leading = [
                key
                for key in catalog.foreign_keys
                if key.table == name and catalog.effect_of(key) == "deleted"
            ]
            choice = choices.get(leading[0]) if len(leading) == 1 else None
            what = _what(catalog, name, total)
            found.append(Consequence(what, "", total, "deleted", None, _relation(choice)))
    return found


def _changed(
    catalog: Catalog, key: ForeignKey, total: Total, effect: Effect, choice: Choice | None
) -> Consequence:
    fields = [catalog.field_of(key.table, name) for name in key.columns]
    labels = [
        in_sentence(field.label) if field else name
        for field, name in zip(fields, key.columns, strict=True)
    ]
    what = _what(catalog, key.table, total)
    return Consequence(what, listed(labels), total, effect, choice, _relation(choice))


def _relation(choice: Choice | None) -> str:
    """Return the name of a record's page of those that refer to it, "" if there is none."""
    return choice.referrer.name if choice and choice.referrer else ""


def _what(catalog: Catalog, name: TableName, total: Total) -> str:
    resource = catalog.resources.get(name)
    if resource:
        nouns = (resource.label, resource.label_plural)
    else:
        label = catalog.tables[name].label
        nouns = (f"row of {label}", f"rows of {label}")
    return f"{total} {ngettext(*nouns, total.grammatical_number)}"


async def _fetch_needing_each_other(session: AsyncSession, to_delete: RowsToDelete) -> list[str]:
    """Return the tables whose rows need each other, so that none can be restored first."""
    catalog = to_delete.catalog
    needs: dict[TableName, set[TableName]] = {name: set() for name in to_delete.rows}
    rings: set[TableName] = set()
    for key in catalog.foreign_keys:
        if key.table not in needs or key.target not in needs or not catalog.is_needed(key):
            continue
        if key.table != key.target:
            needs[key.table].add(key.target)
            continue
        rows: dict[RowId, set[RowId]] = {}
        async for pairs in fetch_referencing(session, catalog, key, list(to_delete.of(key.table))):
            for row, target in pairs:
                rows.setdefault(row, set()).update({target} - {row})
        if _ring_of(rows):
            rings.add(key.table)
    return sorted(catalog.tables[name].label for name in rings | _ring_of(needs).keys())


def _ring_of(needs: Mapping[Node, set[Node]]) -> Mapping[Node, set[Node]]:
    """Return the nodes in or between cycles: those that a topological sort leaves."""
    while True:
        needed = {each for others in needs.values() for each in others}
        left = {
            name: others & needs.keys()
            for name, others in needs.items()
            if others and name in needed
        }
        if left == needs:
            return left
        needs = left


def _limits(to_delete: RowsToDelete) -> Iterable[str]:
    catalog = to_delete.catalog
    changed: set[TableName] = set()
    unusable: dict[str, None] = {}
    hidden: dict[str, None] = {}
    for name in to_delete.rows:
        for key in catalog.references_to(catalog.tables[name]):
            referencing = catalog.tables[key.table]
            if not referencing.is_usable:
                unusable[referencing.label] = None
            elif catalog.effect_of(key) != "restricted":
                changed.add(key.table)
                if referencing.has_hidden_rows:
                    hidden[referencing.label] = None
    triggered = [
        table.label
        for table in catalog.tables.values()
        if (
            (table.name in to_delete.rows and triggers_of(catalog, table) & {"DELETE", "INSERT"})
            or (table.name in changed and "UPDATE" in triggers_of(catalog, table))
        )
    ]
    if triggered:
        yield f"Undo doesn't revert what database triggers do ({', '.join(triggered)})."
    for label in unusable:
        yield f"Rows of {label} may change or be deleted too; they can't be shown here or restored."
    for label in hidden:
        yield (
            f"Rows of {label} that the database hides from this application may change or be"
            " deleted too, and can't be restored."
        )
