"""Links: adds and removes links of records, as rows of the association, and records it.

People send what they add and remove, never the whole set. So two people never undo each other, and
it is no error to add what is linked already or to remove what no longer is.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.audit_log.changes import Entry, Kind
from hero_admin.database.errors import REFUSALS
from hero_admin.database.transactions import check_now
from hero_admin.listing.references import fetch_made_titles
from hero_admin.model.fields import Field
from hero_admin.model.formatting import shown
from hero_admin.model.links import ManyToMany, links_text
from hero_admin.model.primary_keys import key_of, key_values
from hero_admin.model.records import fetch_where
from hero_admin.model.resource import Record, Resource
from hero_admin.model.site import Site
from hero_admin.model.stored_values import hashable, readable
from hero_admin.web.errors import Invalid
from hero_admin.writes import bulk, deletion
from hero_admin.writes.constraint_errors import fetch_refusal
from hero_admin.writes.entries import creation_of
from hero_admin.writes.rows import insert_records
from hero_admin.writes.single import with_defaults
from hero_admin.writes.transaction import Transaction

# One request adds at most so many rows, within its time limit.
MAX_ADDED = 10_000

# The values of the two fields of a row of an association.
Pair = tuple[Any, Any]


@dataclass(frozen=True)
class Delta:
    """The records to link and those to unlink, by the values that an association refers to.

    What is in both stays as it is.
    """

    # Any: values of any field.
    added: tuple[Any, ...] = ()
    removed: tuple[Any, ...] = ()

    def settled(self) -> "Delta":
        """Return it without what is added and removed, and without anything twice."""
        added = {_same(value): value for value in self.added}
        removed = {_same(value): value for value in self.removed}
        return Delta(
            tuple(value for same, value in added.items() if same not in removed),
            tuple(value for same, value in removed.items() if same not in added),
        )


async def change_all_links(
    transaction: Transaction,
    resource: Resource,
    records: Sequence[Record],
    deltas: Mapping[ManyToMany, Delta],
) -> set[str]:
    """Change several links of records, which are locked; return the keys of those changed."""
    changed: set[str] = set()
    for link, delta in deltas.items():
        changed |= await change_links(transaction, resource, link, records, delta)
    return changed


async def change_links(
    transaction: Transaction,
    resource: Resource,
    link: ManyToMany,
    records: Sequence[Record],
    delta: Delta,
) -> set[str]:
    """Link and unlink records with each of these, which are locked; return the changed ones' keys.

    Raises Invalid if one that is to be linked does not exist.
    """
    session, site, delta = transaction.session, transaction.site, delta.settled()
    owners = [each for each in records if each[link.own.name] is not None]
    if not owners or not (delta.added or delta.removed):
        return set()
    if site.of(link.association).read_only:
        raise Invalid({link.name: f"The {link.noun} can't be changed here."})
    if len(owners) * len(delta.added) > MAX_ADDED:
        raise Invalid({link.name: f"Add at most {MAX_ADDED:,} {link.noun} at once."})
    await _lock_targets(session, site, link, delta.added)
    linking = _Linking.of(replace(transaction, is_summed_up=True), link)
    own_values = [each[link.own.name] for each in owners]
    removed = await linking.remove(own_values, delta.removed)
    added = await linking.add(own_values, delta.added)
    titles = await fetch_made_titles(session, site, link.far, (*delta.added, *delta.removed))
    texts = {
        _same(value): titles.get(value) or shown(link.far, value)
        for value in (*delta.added, *delta.removed)
    }
    entries = []
    for owner in owners:
        own = _same(owner[link.own.name])
        pair = tuple(
            links_text([texts[value] for each, value in pairs if each == own])
            for pairs in (removed, added)
        )
        if any(pair):
            key, title = key_of(resource, owner), resource.titles.of(owner)
            values = {link.entry_name: (pair[0], pair[1])}
            entries.append(Entry(resource.name, key, title, Kind.CHANGED, values))
    await transaction.record(entries)
    return {entry.key for entry in entries}


async def _lock_targets(
    session: AsyncSession, site: Site, link: ManyToMany, values: Collection[Any]
) -> None:
    """Lock the records to be linked; raises Invalid if one no longer exists."""
    there = set(map(_same, await bulk.fetch_targets(session, site, link.far, values)))
    target = site.of(link.target)
    for value in values:
        if _same(value) not in there:
            text = shown(link.far, value)
            raise Invalid({link.name: f"The {target.label} {text} no longer exists."})


@dataclass(frozen=True)
class _Linking:
    """The rows of an association, and the fields by which they link records."""

    transaction: Transaction
    link: ManyToMany
    association: Resource
    near: Field
    far: Field

    @classmethod
    def of(cls, transaction: Transaction, link: ManyToMany) -> "_Linking":
        association = transaction.site.of(link.association)
        names = (association.name_of(column) for column in link.columns)
        return cls(transaction, link, association, *(association.by_name[name] for name in names))

    def pair_of(self, row: Mapping[str, Any]) -> Pair:
        return _same(row[self.near.name]), _same(row[self.far.name])

    async def fetch_rows(self, owners: Collection[Any], values: Collection[Any]) -> list[Record]:
        """Fetch and lock the rows that link one of these owners with one of these values."""
        predicates = self.near.exact.in_(owners), self.far.exact.in_(values)
        session = self.transaction.session
        return await fetch_where(session, self.association, *predicates, is_locked=True)

    async def remove(self, owners: Sequence[Any], values: Sequence[Any]) -> list[Pair]:
        """Delete the rows of these links; return the links that existed."""
        rows = await self.fetch_rows(owners, values) if values else []
        if rows:
            keys = [key_values(self.association, row) for row in rows]
            await deletion.remove(self.transaction, self.association, keys)
        return list(dict.fromkeys(map(self.pair_of, rows)))

    async def add(self, owners: Sequence[Any], values: Sequence[Any]) -> list[Pair]:
        """Insert the rows of those links that do not exist; return them."""
        new = await self._fetch_missing(owners, values) if values else []
        while new:
            try:
                async with self.transaction.session.begin_nested():
                    whole = [with_defaults(self.association, row) for row in new]
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
        made = [row for row in await self.fetch_rows(owners, values) if self.pair_of(row) in pairs]
        await self.transaction.record([creation_of(self.association, row) for row in made])
        return pairs

    async def _fetch_missing(
        self, owners: Sequence[Any], values: Sequence[Any]
    ) -> list[dict[str, Any]]:
        """Return a row for each of these links that does not exist."""
        there = set(map(self.pair_of, await self.fetch_rows(owners, values)))
        return [
            {self.near.name: owner, self.far.name: value}
            for owner in owners
            for value in values
            if (_same(owner), _same(value)) not in there
        ]

    async def _refusal(self, error: Exception) -> Invalid:
        session, sentence = (
            self.transaction.session,
            f"The database doesn't accept this {self.link.noun}.",
        )
        found = await fetch_refusal(session, self.association, {}, error, sentence)
        return Invalid({self.link.name: " ".join(found.sentences.values())})


# Any: a value of any field.
def _same(value: Any) -> Any:
    """Return a hashable value, the same for those that a foreign key treats as equal."""
    value = readable(value)
    return value.rstrip(" ") if isinstance(value, str) else hashable(value)
