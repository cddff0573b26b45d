"""Links: adds and removes links of records, as rows of the association, and records it.

People send what they add and remove, never the whole set. So two people never undo each other, and
it is no error to add what is linked already or to remove what no longer is.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hero_admin.audit_log.changes import Entry, Kind
from hero_admin.database.errors import REFUSALS
from hero_admin.database.row_scopes import is_limited
from hero_admin.database.transactions import check_now
from hero_admin.listing.references import fetch_made_titles
from hero_admin.model.fields import Field
from hero_admin.model.formatting import shown
from hero_admin.model.links import ManyToMany, links_text
from hero_admin.model.primary_keys import key_of, key_values
from hero_admin.model.records import fetch_where
from hero_admin.model.resource import Record, Resource
from hero_admin.web.errors import Invalid
from hero_admin.writes import bulk, deletion
from hero_admin.writes.constraint_errors import fetch_refusal
from hero_admin.writes.deltas import Delta, Same
from hero_admin.writes.draft import Draft, check
from hero_admin.writes.entries import creation_of
from hero_admin.writes.gate import OUTSIDE, permit, permit_consequence
from hero_admin.writes.hooks import call_later, run_before
from hero_admin.writes.link_locks import lock_links
from hero_admin.writes.link_values import same_by
from hero_admin.writes.rows import insert_records
from hero_admin.writes.rules import check_records
from hero_admin.writes.single import with_defaults
from hero_admin.writes.transaction import Transaction

# A request adds at most so many rows for each link, and removes as many, within its time limit.
MAX_CHANGED = 10_000

# The values of the two fields of a row of an association.
Pair = tuple[Any, Any]


@dataclass(frozen=True)
class Changed:
    """The keys of the changed records, and the given values from which one of them was unlinked."""

    keys: set[str] = field(default_factory=set)
    # Any: values of any field.
    removed: tuple[Any, ...] = ()


async def change_all_links(
    transaction: Transaction,
    resource: Resource,
    records: Sequence[Record],
    deltas: Mapping[ManyToMany, Delta],
) -> set[str]:
    """Change several links of records, which are locked; return the keys of those changed."""
    changed: set[str] = set()
    for link, delta in deltas.items():
        changed |= (await change_links(transaction, resource, link, records, delta)).keys
    return changed


async def change_links(
    transaction: Transaction,
    resource: Resource,
    link: ManyToMany,
    records: Sequence[Record],
    delta: Delta,
    earlier: Mapping[Any, Mapping[str, Any]] | None = None,
) -> Changed:
    """Link and unlink records, which are locked, with each of these.

    earlier: other values of the rows to add, by `same_by` of the added values.
    Raises Invalid with a sentence for the link, such as for a record that no longer exists.
    """
    session, site = transaction.session, transaction.site
    resource = permit(transaction, resource, "change", [link.name])
    association = site.of(link.association)
    for verb in ["create"] * bool(delta.added) + ["delete"] * bool(delta.removed):
        permit_consequence(transaction, association, verb)
    linking = _Linking.of(replace(transaction, is_summed_up=True), link)
    delta = delta.settled(linking.far_same)
    owners = [each for each in records if each[link.own.name] is not None]
    if not owners or not (delta.added or delta.removed):
        return Changed()
    if association.read_only:
        raise Invalid({link.name: f"The {link.noun} can't be changed here."})
    if len(owners) * len(delta.added) > MAX_CHANGED:
        raise Invalid({link.name: f"Add at most {MAX_CHANGED:,} {link.noun} at once."})
    await lock_links(session, records, {link: delta})
    await linking.lock_targets(delta.added)
    own_values = [each[link.own.name] for each in owners]
    removed = await linking.remove(own_values, delta.removed)
    added = await linking.add(own_values, delta.added, earlier or {})
    titles = await fetch_made_titles(session, site, link.far, (*delta.added, *delta.removed))
    texts = {
        linking.far_same(value): titles.get(value) or shown(link.far, value)
        for value in (*delta.added, *delta.removed)
    }
    changes = [linking.by_owner(pairs) for pairs in (removed, added)]
    entries = []
    for owner in owners:
        own = linking.near_same(owner[link.own.name])
        pair = [links_text([texts[value] for value in each.get(own, ())]) for each in changes]
        if any(pair):
            key, title = key_of(resource, owner), resource.titles.of(owner)
            values = {link.entry_name: (pair[0], pair[1])}
            entries.append(Entry(resource.name, key, title, Kind.CHANGED, values))
    await transaction.record(entries)
    written = {entry.key for entry in entries}
    changed = [owner for owner in owners if key_of(resource, owner) in written]
    await check_records(transaction, resource, changed, is_named=len(owners) > 1)
    await linking.check_targets([value for pairs in (removed, added) for _, value in pairs])
    gone = {value for _, value in removed}
    return Changed(
        written,
        tuple(value for value in delta.removed if linking.far_same(value) in gone),
    )


@dataclass(frozen=True)
class _Linking:
    """The rows of an association, and the fields by which they link records."""

    transaction: Transaction
    link: ManyToMany
    association: Resource
    near: Field
    far: Field
    near_same: Same
    far_same: Same

    @classmethod
    def of(cls, transaction: Transaction, link: ManyToMany) -> "_Linking":
        site = transaction.site
        association = site.of(link.association)
        near, far = (association.by_name[association.name_of(each)] for each in link.columns)
        same = same_by(near, link.own), same_by(far, site.target_field_of(link.far))
        return cls(transaction, link, association, near, far, *same)

    def pair_of(self, row: Mapping[str, Any]) -> Pair:
        return self.near_same(row[self.near.name]), self.far_same(row[self.far.name])

    def by_owner(self, pairs: Sequence[Pair]) -> dict[Any, list[Any]]:
        found: dict[Any, list[Any]] = {}
        for own, value in pairs:
            found.setdefault(own, []).append(value)
        return found

    async def lock_targets(self, values: Collection[Any]) -> None:
        """Lock the records to be linked; raises Invalid if one no longer exists."""
        session, site, link = self.transaction.session, self.transaction.site, self.link
        targets = await bulk.fetch_targets(session, site, link.far, values)
        there = set(map(self.far_same, targets))
        for value in values:
            if self.far_same(value) not in there:
                what = f"The {site.of(link.target).label} {shown(link.far, value)}"
                raise Invalid({link.name: f"{what} no longer exists."})

    async def fetch_rows(
        self, owners: Collection[Any], values: Collection[Any], limit: int | None = None
    ) -> list[Record]:
        """Fetch and lock the rows that link one of these owners with one of these values."""
        predicates = self.near.exact.in_(owners), self.far.exact.in_(values)
        session = self.transaction.session
        return await fetch_where(
            session, self.association, *predicates, limit=limit, is_locked=True
        )

    async def remove(self, owners: Sequence[Any], values: Sequence[Any]) -> list[Pair]:
        """Delete the rows of these links; return the links that existed."""
        rows = await self.fetch_rows(owners, values, MAX_CHANGED + 1) if values else []
        if len(rows) > MAX_CHANGED:
            sentence = f"Remove at most {MAX_CHANGED:,} {self.link.noun} at once."
            raise Invalid({self.link.name: sentence})
        if rows:
            keys = [key_values(self.association, row) for row in rows]
            await deletion.remove(self.transaction, self.association, keys)
        return list(dict.fromkeys(map(self.pair_of, rows)))

    async def add(
        self,
        owners: Sequence[Any],
        values: Sequence[Any],
        earlier: Mapping[Any, Mapping[str, Any]],
    ) -> list[Pair]:
        """Insert the rows of those links that do not exist; return them."""
        new = await self._fetch_missing(owners, values) if values else []
        while new:
            try:
                async with self.transaction.session.begin_nested():
                    rows = [{**earlier.get(self.pair_of(row)[1], {}), **row} for row in new]
                    whole = [await self._with_hook(row) for row in rows]
                    await insert_records(self.transaction.session, self.association, whole)
                    await check_now(self.transaction.session)
                break
            except REFUSALS as error:
                # Another program may just have added one of them.
                left = await self._fetch_missing(owners, values)
                if len(left) >= len(new):
                    raise await self._refusal(error) from None
                new = left
        if not new:
            return []
        pairs = list(map(self.pair_of, new))
        added = set(pairs)
        made = [row for row in await self.fetch_rows(owners, values) if self.pair_of(row) in added]
        if len(made) < len(new) and is_limited(self.transaction.session, self.association.table):
            raise Invalid({self.link.name: OUTSIDE.format(nouns=self.association.label_plural)})
        await self.transaction.record([creation_of(self.association, row) for row in made])
        await check_records(self.transaction, self.association, made, is_named=True)
        call_later(self.transaction, self.association, [(None, row) for row in made])
        return pairs

    async def _with_hook(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values of a new row, with those that `before=` sets."""
        whole = with_defaults(self.association, row)
        altered = await run_before(self.transaction, self.association, None, whole, is_named=True)
        draft = Draft(self.association, altered)
        return {**whole, **await check(self.transaction, draft)} if altered else whole

    async def check_targets(self, values: Collection[Any]) -> None:
        """Ask the rule of the records on the other side, whose links have changed as well."""
        site = self.transaction.site
        target = site.of(self.link.target)
        if target.check is not None and values:
            is_changed = site.target_field_of(self.link.far).exact.in_(set(values))
            found = await fetch_where(self.transaction.session, target, is_changed)
            await check_records(self.transaction, target, found, is_named=True)

    async def _fetch_missing(
        self, owners: Sequence[Any], values: Sequence[Any]
    ) -> list[dict[str, Any]]:
        """Return a row for each of these links that does not exist."""
        there = set(map(self.pair_of, await self.fetch_rows(owners, values)))
        return [
            {self.near.name: owner, self.far.name: value}
            for owner in owners
            for value in values
            if (self.near_same(owner), self.far_same(value)) not in there
        ]

    async def _refusal(self, error: Exception) -> Invalid:
        session, sentence = (
            self.transaction.session,
            f"The database doesn't accept this {self.link.noun}.",
        )
        found = await fetch_refusal(session, self.association, {}, error, sentence)
        return Invalid({self.link.name: " ".join(found.sentences.values())})
