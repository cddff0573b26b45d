"""Link versions: which records one was linked with earlier, and how to link it so again.

The rows of an association are followed back from now on, by their own entries in the history.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import and_, or_, select
from sqlmodel import col

from hero_admin.audit_log.changes import WRITES, Change, Kind, Recorded
from hero_admin.model import records
from hero_admin.model.links import ManyToMany
from hero_admin.model.primary_keys import key_of, key_text, parse_key
from hero_admin.model.resource import Record, Resource
from hero_admin.model.serialization import recorded, restored, restored_values, snapshot_of
from hero_admin.model.stored_values import hashable
from hero_admin.writes.deltas import Delta, Same
from hero_admin.writes.link_values import same_by
from hero_admin.writes.referencing_rows import portions
from hero_admin.writes.tables import MARK
from hero_admin.writes.transaction import Transaction

# More changes of an association are not followed back.
MAX_CHANGES = 20_000

Row = dict[str, Recorded]


class UnknownLinksError(Exception):
    """The history does not tell which links there were."""


@dataclass(frozen=True)
class LinkVersion:
    """What leads back to a version: values to link and to unlink, and the other values of rows.

    All by their `same` value.
    """

    # Any: values of any field.
    added: Mapping[Any, Any] = field(default_factory=dict)
    removed: Mapping[Any, Any] = field(default_factory=dict)
    rows: Mapping[Any, Mapping[str, Any]] = field(default_factory=dict)
    # By which `added` and `removed` are found.
    same: Same = hashable

    @property
    def delta(self) -> Delta:
        return Delta(tuple(self.added.values()), tuple(self.removed.values()))

    def only(self, there: Collection[Any]) -> "LinkVersion":
        """Return it without those to link that no longer exist."""
        known = set(map(self.same, there))
        return replace(
            self, added={same: value for same, value in self.added.items() if same in known}
        )


@dataclass(frozen=True)
class LinkHistory:
    """The rows that link one record, and their changes since a version."""

    transaction: Transaction
    link: ManyToMany
    association: Resource
    near: str
    far: str
    same: Same
    # Any: the value by which a row names the record.
    own: Any
    change: Change
    reverted: Sequence[Change]

    @classmethod
    def of(
        cls,
        transaction: Transaction,
        link: ManyToMany,
        record: Record,
        change: Change,
        reverted: Sequence[Change],
    ) -> "LinkHistory":
        site = transaction.site
        association = site.of(link.association)
        near, far = (association.name_of(each) for each in link.columns)
        same = same_by(association.by_name[far], site.target_field_of(link.far))
        own = record[link.own.name]
        return cls(transaction, link, association, near, far, same, own, change, reverted)

    async def fetch_version(self) -> LinkVersion:
        """Fetch what leads back to the version.

        Raises UnknownLinksError, and ValueError for a value that its field no longer takes.
        """
        if self.own is None:
            return LinkVersion()
        changes = await self._fetch_changes()
        await self._check_known(changes)
        if not changes:
            return LinkVersion()
        state = await self._fetch_rows(changes)
        keys, now = set(state), self._linked(state)
        self._follow_back(state, changes)
        before = self._linked(state)
        added = {same: row for same, row in before.items() if same not in now}
        removed = {same: self._value(row) for same, row in now.items() if same not in before}
        # Rows that have not changed since may link the same records.
        for row in await self._fetch_linking(list(removed.values())):
            if key_of(self.association, row) not in keys:
                removed.pop(self.same(row[self.far]), None)
        return LinkVersion(
            {same: self._value(row) for same, row in added.items()},
            removed,
            {same: self._others(row) for same, row in added.items()},
            self.same,
        )

    async def _fetch_changes(self) -> list[Change]:
        """Fetch the changes of rows that may have linked the record since, newest first."""
        since = col(Change.id) > (self.change.id or 0)
        if self.change in self.reverted:
            since = or_(since, col(Change.operation) == self.change.operation)
        text = col(Change.values_json)
        mentioned = [f"{_packed(self.near)}:[", _packed(self._own_text)]
        changes = select(Change).where(
            col(Change.resource) == self.association.name,
            col(Change.kind).in_(WRITES),
            since,
            # An entry of a changed row has only what has changed.
            or_(
                col(Change.kind) == Kind.CHANGED,
                and_(*(text.contains(part, autoescape=True) for part in mentioned)),
            ),
        )
        changes = changes.order_by(col(Change.id).desc()).limit(MAX_CHANGES + 1)
        found = list(await self.transaction.session.scalars(changes))
        if len(found) > MAX_CHANGES:
            raise UnknownLinksError
        return [each for each in found if each.kind == Kind.CHANGED or self._is_about(each)]

    async def _check_known(self, changes: Sequence[Change]) -> None:
        """Raise UnknownLinksError if rows have changed of which there are no such entries."""
        told = {each.operation for each in changes if self._is_about(each)}
        for each in self.reverted:
            if self.link.entry_name in each.values and each.operation not in told:
                raise UnknownLinksError
            if each.kind == Kind.CHANGED and self.link.own.name in each.values:
                raise UnknownLinksError
        # From the time before the association belonged to the Admin.
        table = self.association.table
        marks = [f"{MARK}{name}" for name in (table.name, table.fullname)]
        older = select(col(Change.id)).where(
            col(Change.resource).in_(marks), col(Change.id) > (self.change.id or 0)
        )
        if await self.transaction.session.scalar(older.limit(1)) is not None:
            raise UnknownLinksError

    async def _fetch_rows(self, changes: Sequence[Change]) -> dict[str, Row]:
        """Fetch the changed rows that exist, by their key."""
        session, association = self.transaction.session, self.association
        keys = [parse_key(association, text) for text in {each.key for each in changes}]
        found = {}
        for some in portions([key for key in keys if key is not None]):
            for row in await records.fetch_records(session, association, some):
                found[key_of(association, row)] = snapshot_of(association, row)
        return found

    def _follow_back(self, state: dict[str, Row], changes: Sequence[Change]) -> None:
        """Turn the rows into those before the changes, which come newest first."""
        for each in changes:
            row = state.pop(each.key, None)
            olds = {name: old for name, (old, _) in each.values.items()}
            if each.effect == Kind.DELETED:
                state[each.key] = olds
            elif each.effect == Kind.CHANGED and row is not None:
                row |= olds
                parts = self.association.key
                key = tuple(restored(part, row[part.name]) for part in parts)
                state[key_text(self.association, key)] = row

    async def _fetch_linking(self, values: Sequence[Any]) -> list[Record]:
        """Fetch the rows that link the record with one of these values."""
        if not values:
            return []
        near, far = (self.association.by_name[name] for name in (self.near, self.far))
        predicates = near.exact == self.own, far.exact.in_(values)
        return await records.fetch_where(self.transaction.session, self.association, *predicates)

    def _linked(self, state: Mapping[str, Row]) -> dict[Any, Row]:
        """Return those rows that link the record, by what they link it with."""
        return {
            self.same(self._value(row)): dict(row)
            for row in state.values()
            if row.get(self.near) == self._own_text and row.get(self.far) is not None
        }

    def _value(self, row: Row) -> Any:
        return restored(self.association.by_name[self.far], row[self.far])

    def _others(self, row: Row) -> dict[str, Any]:
        """Return the other values of a row, without those that its database makes."""
        made = {each.name for each in self.association.key if each.is_generated}
        left_out = {self.near, self.far, *made}
        rest = {name: value for name, value in row.items() if name not in left_out}
        return restored_values(self.association, rest)

    @property
    def _own_text(self) -> Recorded:
        return recorded(self.association.by_name[self.near], self.own)

    def _is_about(self, change: Change) -> bool:
        return self._own_text in change.values.get(self.near, ())


def _packed(text: Recorded) -> str:
    """Return JSON as entries have it."""
    return json.dumps(text, ensure_ascii=False, separators=(",", ":"))
