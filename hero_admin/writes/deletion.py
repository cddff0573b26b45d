"""Removal: deletes records, and does to those that point at them what was asked for."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import ColumnElement, and_, bindparam, delete, exists, literal, or_, select, tuple_
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.database.errors import REFUSALS, is_refusal, raised_sentence, refusal_sentence
from hero_admin.model.labels import in_sentence
from hero_admin.model.primary_keys import Key, key_predicate
from hero_admin.model.resource import Resource
from hero_admin.web.errors import Invalid
from hero_admin.writes.catalog import Catalog, fetch_catalog, triggers_of
from hero_admin.writes.constraint_errors import check_constraints
from hero_admin.writes.deletion_record import record_deletions
from hero_admin.writes.heirs import Heir, choices_of
from hero_admin.writes.reassignment import release
from hero_admin.writes.referencing_rows import (
    Doomed,
    Place,
    fetch_ids,
    fetch_pointing,
    find_cascade,
    is_any,
    parts,
    points,
)
from hero_admin.writes.tables import ForeignKey, RowId, StoredTable, identity_of
from hero_admin.writes.transaction import Transaction

# So many are written down, and brought back, within the time that a request has.
MAX_CASCADE = 100_000


async def lock(
    session: AsyncSession,
    resource: Resource,
    keys: Sequence[Key],
    heirs: Mapping[str, Heir] | None = None,
) -> int:
    """Keep others from changing these records, and from pointing at them; return how many exist.

    Their heirs are locked in one go: two who give records to each other take turns.
    """
    columns = [field.exact for field in resource.key]
    wanted = [key_predicate(resource, keys)]
    wanted += [heir.field.exact == heir.value for heir in (heirs or {}).values()]
    labelled = [column.label(f"_{place}") for place, column in enumerate(columns)]
    locked = select(*labelled).where(or_(*wanted)).order_by(*columns).with_for_update()
    found = {tuple(row) for row in await session.execute(locked)}
    return sum(key in found for key in keys)


def gone_sentence(resource: Resource, gone: int, asked: int) -> str:
    """Return what to say when `gone` of the records that were `asked` for are not there."""
    if asked == 1:
        return f"This {resource.label} no longer exists."
    verb = "exists" if gone == 1 else "exist"
    return f"{gone:,} of these {resource.label_plural} no longer {verb}; nothing was done."


async def remove(
    transaction: Transaction,
    resource: Resource,
    keys: Sequence[Key],
    heirs: Mapping[str, Heir] | None = None,
    catalog: Catalog | None = None,
) -> None:
    """Delete all of these records or, raising Invalid, none of them.

    What points at them, in whatever table, loses that value or gets the one of its heir, goes
    along, or keeps its record from being deleted, as the database has it.
    """
    session, site = transaction.session, transaction.site
    catalog = catalog or await fetch_catalog(session, site, [resource])
    for name, heir in (heirs or {}).items():
        await _check_heir(
            session, resource, keys, choices_of(catalog, site, resource)[name].label, heir
        )
    gone = len(keys) - await lock(session, resource, keys, heirs)
    if gone:
        raise Invalid({"": gone_sentence(resource, gone, len(keys))})
    try:
        async with session.begin_nested():
            await _Removing(transaction, catalog).remove(resource, keys, heirs or {})
            await check_constraints(session, _needed_sentence(len(keys)))
    except REFUSALS as error:
        raise refused(error, _needed_sentence(len(keys))) from None


def refused(error: Exception, needed: str) -> Invalid:
    """Return what to say when the database does not delete rows; raises what is no refusal.

    `needed` is what is said where other rows need them.
    """
    if not is_refusal(error):
        raise error
    if isinstance(error, DBAPIError) and (
        raised_sentence(error) or not isinstance(error, IntegrityError)
    ):
        return Invalid({"": refusal_sentence(error)})
    return Invalid({"": needed})


class _Removing:
    """One removal: the rows that go, found before any of them does."""

    def __init__(self, transaction: Transaction, catalog: Catalog) -> None:
        self.transaction = transaction
        self.session = transaction.session
        self.catalog = catalog
        self.doomed = Doomed()

    async def remove(
        self, resource: Resource, keys: Sequence[Key], heirs: Mapping[str, Heir]
    ) -> None:
        stored = self.catalog.table_of(resource)
        if stored is None:
            raise Invalid({"": f"The database doesn't allow deleting a {resource.label}."})
        asked = await fetch_ids(self.session, stored, resource, keys)
        choices = choices_of(self.catalog, self.transaction.site, resource)
        chosen = {choices[name].key: heir for name, heir in heirs.items()}
        await self._find(stored, asked, set(chosen))
        for key, heir in chosen.items():
            merged = await _fetch_merged(self.session, self.catalog, key, asked, heir)
            await self._find(self.catalog.tables[key.table], merged, ())
        await self._check_kept(stored, asked, set(chosen))
        for key, heir in chosen.items():
            await release(self.transaction, self.catalog, self.doomed, key, asked, heir)
        for name, rows in self.doomed.rows.items():
            for key in self.catalog.pointing_at(self.catalog.tables[name]):
                if self.catalog.effect_of(key) in ("cleared", "default"):
                    await release(self.transaction, self.catalog, self.doomed, key, list(rows))
        direct = {(stored.name, row) for row in asked}
        await delete_cascade(self.transaction, self.catalog, self.doomed, direct)

    async def _find(
        self, stored: StoredTable, ids: Sequence[RowId], spared: set[ForeignKey] | tuple[()]
    ) -> None:
        await find_cascade(
            self.session,
            self.catalog,
            self.doomed,
            stored,
            ids,
            spared=spared,
            most=MAX_CASCADE,
            is_locked=True,
        )
        if self.doomed.is_capped:
            sentence = f"More than {MAX_CASCADE:,} related rows would be deleted too."
            raise Invalid({"": f"{sentence} Delete some of them first."})

    async def _check_kept(
        self, stored: StoredTable, asked: Sequence[RowId], chosen: set[ForeignKey]
    ) -> None:
        """Raise Invalid if something that stays needs one of the rows that go."""
        for name, rows in self.doomed.rows.items():
            for key in self.catalog.pointing_at(self.catalog.tables[name]):
                pointing = self.catalog.tables[key.table]
                if self.catalog.effect_of(key) != "kept" or not pointing.is_usable:
                    continue
                given = set(asked) if key in chosen and name == stored.name else set()
                left = [row for row in rows if row not in given]
                going = self.doomed.of(key.table)
                async for pairs in fetch_pointing(self.session, self.catalog, key, left):
                    if any(row not in going for row, _ in pairs):
                        raise Invalid({"": _needed_sentence(len(asked))})


async def delete_cascade(
    transaction: Transaction, catalog: Catalog, doomed: Doomed, direct: Collection[Place]
) -> None:
    """Delete all rows that were found; those that are not `direct` are consequences."""
    session, order = transaction.session, catalog.pointing_first(doomed.rows)
    # Before any of them goes: the database takes along by itself what still points at it.
    for name in order:
        await record_deletions(transaction, catalog, catalog.tables[name], doomed, direct)
    for name in order:
        table = catalog.tables[name]
        rows, own = list(doomed.rows[name]), table.clause()
        for some in parts(rows[::-1]):
            await session.execute(delete(own).where(is_any(table, own, some)))  # type: ignore[arg-type]
        if "DELETE" in triggers_of(catalog, table):
            await _check_gone(session, table, rows)


async def _check_gone(session: AsyncSession, table: StoredTable, rows: Sequence[RowId]) -> None:
    """Raise Invalid if a trigger has kept rows from being deleted."""
    own = table.clause()
    for some in parts(rows):
        left = select(*identity_of(table, own)).where(is_any(table, own, some)).limit(1)
        if (await session.execute(left)).first() is not None:
            raise Invalid({"": f"A database trigger prevents changes to {table.label}."})


async def _fetch_merged(
    session: AsyncSession,
    catalog: Catalog,
    key: ForeignKey,
    ids: Sequence[RowId],
    heir: Heir,
) -> list[RowId]:
    """Fetch the links that the heir of these rows has already: nothing is lost with them.

    A link is known by what it points at, and by nothing else.
    """
    pointing, target = catalog.tables[key.table], catalog.tables[key.target]
    linked = {name for each in catalog.pointing_from(pointing) for name in each.columns}
    (column,) = key.columns
    own, other = pointing.clause("pointing"), pointing.clause("other")
    theirs, others = target.clause("target"), target.clause("others")
    found: dict[RowId, None] = {}
    for names in pointing.unique_sets:
        if column not in names or not set(names) <= linked:
            continue
        value = bindparam(None, heir.value, heir.field.exact_type)
        # Of two that become the same one stays.
        earlier: ColumnElement[bool] = tuple_(*identity_of(pointing, other)) < tuple_(
            *identity_of(pointing, own)
        )
        also_moved = exists(
            select(*identity_of(target, others)).where(
                points(key, other, others), is_any(target, others, ids)
            )
        )
        same = [other.c[name] == own.c[name] for name in names if name != column]
        taken = select(*identity_of(pointing, other)).where(
            *same, or_(other.c[column] == value, and_(earlier, also_moved))
        )
        rows = (
            select(*identity_of(pointing, own))
            .select_from(theirs.join(own, points(key, own, theirs)))
            .where(is_any(target, theirs, ids), exists(taken))
        )
        found |= dict.fromkeys(tuple(row) for row in await session.execute(rows))
    return list(found)


async def _check_heir(
    session: AsyncSession, resource: Resource, keys: Sequence[Key], label: str, heir: Heir
) -> None:
    column = heir.field.exact
    is_kept = select(literal(1)).where(column == heir.value, ~key_predicate(resource, keys))
    if (await session.execute(is_kept)).first() is None:
        raise Invalid({"": f"Choose another {resource.label} for the {in_sentence(label)}."})


def _needed_sentence(asked: int) -> str:
    if asked == 1:
        return "Other records need it, so it wasn't deleted."
    return "Other records need one of them, so nothing was deleted."
