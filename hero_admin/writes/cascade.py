"""Consequences: what deleting some records does to all that points at them, in any table."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.model.labels import in_sentence
from hero_admin.model.primary_keys import Key
from hero_admin.model.resource import Resource
from hero_admin.model.site import Site
from hero_admin.model.total import COUNT_CAP, Total
from hero_admin.writes.catalog import Catalog, Effect, fetch_catalog, triggers_of
from hero_admin.writes.heirs import Choice, choices_of
from hero_admin.writes.referencing_rows import (
    Doomed,
    count_pointing,
    fetch_has_default,
    fetch_ids,
    fetch_pointing,
    find_cascade,
)
from hero_admin.writes.tables import ForeignKey, RowId, StoredTable, TableName

Node = TypeVar("Node", bound=Hashable)


@dataclass(frozen=True)
class Consequence:
    """What deleting does to rows of one table.

    what: “2 towns”; noun: what they point at, as “team”.
    choice: what they may be given instead, if they point at the records themselves.
    """

    what: str
    noun: str
    total: Total
    effect: Effect
    choice: Choice | None = None
    relation: str = ""

    @property
    def is_one(self) -> bool:
        return self.total.count == 1 and not self.total.is_capped


@dataclass(frozen=True)
class Question:
    """What is said before records are deleted.

    limits: what Undo will not bring back, a sentence each.
    """

    consequences: tuple[Consequence, ...] = ()
    choices: tuple[Choice, ...] = ()
    limits: tuple[str, ...] = ()


async def fetch_question(
    session: AsyncSession, site: Site, resource: Resource, keys: Sequence[Key]
) -> Question:
    """Count what points at the records to be deleted, to the end, and say what becomes of it."""
    catalog = await fetch_catalog(session, site, [resource])
    stored = catalog.table_of(resource)
    if stored is None:
        return Question()
    asked = await fetch_ids(session, stored, resource, keys)
    doomed = Doomed()
    await find_cascade(session, catalog, doomed, stored, asked, most=COUNT_CAP)
    choices = choices_of(catalog, site, resource)
    found = _deleted(catalog, site, resource, doomed, stored, len(asked))
    by_key = {choice.key: choice for choice in choices.values()}
    for name, rows in doomed.rows.items():
        table = catalog.tables[name]
        for key in catalog.pointing_at(table):
            if catalog.effect_of(key) == "deleted" or not catalog.tables[key.table].is_usable:
                continue
            effect = catalog.effect_of(key)
            if effect == "default" and not await fetch_has_default(session, catalog, key, doomed):
                effect = "kept"
            for ids, choice in _split(asked, rows, by_key.get(key)):
                total = await count_pointing(session, catalog, key, ids, doomed)
                if total.count:
                    found.append(_changed(catalog, key, total, effect, choice))
    # In the order in which they stand on the page of a record.
    order = {choice.name: place for place, choice in enumerate(choices.values())}
    found.sort(key=lambda each: order.get(each.choice.name if each.choice else "", len(order)))
    limits = list(_limits(catalog, doomed))
    needing = await _fetch_needing_each_other(session, catalog, doomed)
    if needing:
        limits.append(
            f"Rows of {' and '.join(needing)} depend on each other, so Undo may be refused."
        )
    return Question(tuple(found), tuple(choices.values()), tuple(limits))


async def count_pointing_at(
    session: AsyncSession,
    catalog: Catalog,
    stored: StoredTable,
    ids: Sequence[RowId],
    going: Doomed,
) -> int:
    """Count the rows that point at these and do not go themselves."""
    count = 0
    for key in catalog.pointing_at(stored):
        if catalog.tables[key.table].is_usable:
            count += (await count_pointing(session, catalog, key, ids, going)).count
    return count


def _split(
    asked: Sequence[RowId], rows: Iterable[RowId], choice: Choice | None
) -> list[tuple[list[RowId], Choice | None]]:
    """Return what points at the records themselves, and so can be given another one, alone."""
    if choice is None:
        return [(list(rows), None)]
    direct = set(asked)
    return [(list(asked), choice), ([row for row in rows if row not in direct], None)]


def _deleted(
    catalog: Catalog,
    site: Site,
    resource: Resource,
    doomed: Doomed,
    stored: StoredTable,
    asked: int,
) -> list[Consequence]:
    found = []
    for name, rows in doomed.rows.items():
        count = len(rows) - (asked if name == stored.name else 0)
        if count:
            total = Total(count, is_capped=doomed.is_capped)
            leading = [
                key
                for key in catalog.foreign_keys
                if key.table == name and catalog.effect_of(key) == "deleted"
            ]
            relation = ""
            if len(leading) == 1 and leading[0].target == stored.name:
                relation = _relation(site, catalog, resource, leading[0])
            found.append(
                Consequence(_what(catalog, name, total), "", total, "deleted", None, relation)
            )
    return found


def _relation(site: Site, catalog: Catalog, resource: Resource, key: ForeignKey) -> str:
    """Return under which name a record has a page of what points at it."""
    choice = {each.key: each for each in choices_of(catalog, site, resource).values()}.get(key)
    return choice.referrer.name if choice and choice.referrer else ""


def _changed(
    catalog: Catalog, key: ForeignKey, total: Total, effect: Effect, choice: Choice | None
) -> Consequence:
    fields = [catalog.field_of(key.table, name) for name in key.columns]
    noun = " and ".join(
        in_sentence(field.label) if field else name
        for field, name in zip(fields, key.columns, strict=True)
    )
    relation = choice.referrer.name if choice and choice.referrer else ""
    what = _what(catalog, key.table, total)
    return Consequence(what, noun, total, effect, choice, relation)


def _what(catalog: Catalog, name: TableName, total: Total) -> str:
    resource = catalog.resources.get(name)
    is_one = total.count == 1 and not total.is_capped
    if resource:
        return f"{total} {resource.label if is_one else resource.label_plural}"
    return f"{total} {'row' if is_one else 'rows'} of {catalog.tables[name].label}"


async def _fetch_needing_each_other(
    session: AsyncSession, catalog: Catalog, doomed: Doomed
) -> list[str]:
    """Return the tables of which no row can come back before another one that goes."""
    needs: dict[TableName, set[TableName]] = {name: set() for name in doomed.rows}
    rings: set[TableName] = set()
    for key in catalog.foreign_keys:
        if key.table not in needs or key.target not in needs or not catalog.is_needed(key):
            continue
        if key.table != key.target:
            needs[key.table].add(key.target)
            continue
        rows: dict[RowId, set[RowId]] = {}
        async for pairs in fetch_pointing(session, catalog, key, list(doomed.of(key.table))):
            for row, target in pairs:
                rows.setdefault(row, set()).update({target} - {row})
        if _ring_of(rows):
            rings.add(key.table)
    return sorted(catalog.tables[name].label for name in rings | _ring_of(needs).keys())


def _ring_of(needs: Mapping[Node, set[Node]]) -> Mapping[Node, set[Node]]:
    """Return what is left of things that need others without those that have a place in order."""
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


def _limits(catalog: Catalog, doomed: Doomed) -> Iterable[str]:
    changed: set[TableName] = set()
    unusable: dict[str, None] = {}
    hidden: dict[str, None] = {}
    for name in doomed.rows:
        for key in catalog.pointing_at(catalog.tables[name]):
            pointing = catalog.tables[key.table]
            if not pointing.is_usable:
                unusable[pointing.label] = None
            elif catalog.effect_of(key) != "kept":
                changed.add(key.table)
                if pointing.has_hidden_rows:
                    hidden[pointing.label] = None
    triggered = [
        table.label
        for table in catalog.tables.values()
        if (
            (table.name in doomed.rows and triggers_of(catalog, table) & {"DELETE", "INSERT"})
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
