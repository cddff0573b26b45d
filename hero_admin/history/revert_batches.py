"""Revert batches: recorded changes, grouped as they are reverted together."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hero_admin.audit_log.changes import Change, Entry, Kind
from hero_admin.model.fields import Field
from hero_admin.model.links import is_of_links
from hero_admin.model.primary_keys import Key, key_text, parse_key
from hero_admin.model.resource import Resource
from hero_admin.model.serialization import restored_values, snapshot_of
from hero_admin.model.site import Site
from hero_admin.model.stored_values import comparable
from hero_admin.writes.catalog import Catalog
from hero_admin.writes.causes import CAUSE
from hero_admin.writes.row_changes import RowsChange, whole_row_of

RECORDS_PER_BATCH = 1_000

# A field and its value, by which records are referenced. Any: the value of any field.
ReferencedValue = tuple[Field, Any]


@dataclass
class Batch:
    """Changes of one kind to different records of one resource, which are reverted together.

    All by the text of a record's key: keys, earlier: its key, and its values before the change.
    whole_rows: the values of all its columns, where the model lacks some.
    problems: the sentence that says why it cannot be reverted.
    """

    resource: Resource
    kind: Kind
    is_consequence: bool
    changes: dict[str, Change] = field(default_factory=dict)
    keys: dict[str, Key] = field(default_factory=dict)
    earlier: dict[str, dict[str, Any]] = field(default_factory=dict)
    whole_rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)

    def takes(self, change: Change, *, is_consequence: bool) -> bool:
        """Whether a change belongs to this batch, and there is room for it."""
        return (
            (self.resource.name, self.kind) == (change.resource, change.effect)
            and self.is_consequence == is_consequence
            and change.key not in self.changes
            and len(self.changes) < RECORDS_PER_BATCH
        )

    def add(self, change: Change) -> None:
        """Add a change, with the record before it."""
        self.changes[change.key] = change
        key = parse_key(self.resource, change.key)
        if key is None:
            self.problems[change.key] = f"The ID of “{change.title}” is no longer valid."
            return
        self.keys[change.key] = key
        whole_row = whole_row_of(change)
        if whole_row is not None:
            self.whole_rows[change.key] = whole_row
        try:
            olds = {name: old for name, (old, _) in change.values.items()}
            self.earlier[change.key] = restored_values(self.resource, olds)
        except ValueError as error:
            self.problems[change.key] = f"“{change.title}” can't be restored: {error}"

    def leave(self) -> int:
        """Leave out the records that have problems; return their number."""
        for text in self.problems:
            self.drop(text)
        return len(self.problems)

    def drop(self, text: str) -> None:
        for by_text in (self.changes, self.keys, self.earlier, self.whole_rows):
            by_text.pop(text, None)

    def referenced_values(self, site: Site) -> set[ReferencedValue]:
        """Return the values by which its records can be referenced once they are restored."""
        if self.kind != Kind.DELETED:
            return set()
        return {
            referenced_value(field, target.get(field.name))
            for target in self.earlier.values()
            for field in self._pointed_fields(site)
        }

    def defer_references(
        self, site: Site, catalog: Catalog, there: Collection[ReferencedValue]
    ) -> list["DeferredReference"]:
        """Leave out references to records that are restored only later, as in a cycle."""
        stored = catalog.table_of(self.resource)
        found: list[DeferredReference] = []
        before = set(there)
        fields = self._pointed_fields(site)
        for text, target in self.earlier.items():
            for relation in self.resource.fields:
                value = target.get(relation.name)
                name = relation.column.name
                if relation.relation is None or value is None:
                    continue
                if stored is None or not stored.column(name).is_nullable:
                    continue
                if referenced_value(site.target_field_of(relation), value) not in before:
                    found.append(DeferredReference(self.resource, self.keys[text], relation, value))
                    target[relation.name] = None
                    self.whole_rows.get(text, {})[name] = None
            before |= {referenced_value(each, target.get(each.name)) for each in fields}
        return found

    def _pointed_fields(self, site: Site) -> set[Field]:
        return {site.target_field_of(each.field) for each in site.referrers(self.resource)}

    def entry(
        self, text: str, kind: Kind, before: Mapping[str, Any], after: Mapping[str, Any] | None
    ) -> Entry:
        """Return the entry for a record whose change is reverted.

        `after` is the record as a trigger has rewritten it, None where there is no trigger.
        """
        change, resource = self.changes[text], self.resource
        whole = {**before, **(after or self.earlier[text])}
        values = {
            name: (new, old)
            for name, (old, new) in change.values.items()
            if name in resource.by_name or name == CAUSE or is_of_links(name)
        }
        if after is not None:
            old, new = snapshot_of(resource, before), snapshot_of(resource, after)
            # Of a consequence only the fields that it changed are reverted.
            names = values.keys() & new.keys() if self.is_consequence else new.keys()
            values |= {name: (old.get(name), new[name]) for name in names}
            values = {name: pair for name, pair in values.items() if pair[0] != pair[1]}
        title = resource.titles.of(whole)
        if kind == Kind.CHANGED:
            # A reference in the key has changed the key.
            text = key_text(resource, tuple(whole[field.name] for field in resource.key))
        return Entry(resource.name, text, title, kind, values, self.is_consequence)


@dataclass(frozen=True)
class DeferredReference:
    """The value of a relation that is set when the record it refers to is restored."""

    resource: Resource
    key: Key
    relation: Field
    # Any: what a field holds.
    value: Any

    def referenced_value(self, site: Site) -> ReferencedValue:
        return referenced_value(site.target_field_of(self.relation), self.value)


def batches_of(
    site: Site, made: Sequence[Change | RowsChange], asked: Change | None
) -> list[Batch | RowsChange]:
    """Return the batches that revert changes, which come newest first; `asked` is no consequence.

    Rows of tables that are not administered are a batch of their own.
    """
    resources = {resource.name: resource for resource in site.recorded}
    batches: list[Batch | RowsChange] = []
    for change in made:
        if isinstance(change, RowsChange):
            batches.append(change)
            continue
        is_consequence = change.is_consequence and change is not asked
        batch = batches[-1] if batches else None
        if not isinstance(batch, Batch) or not batch.takes(change, is_consequence=is_consequence):
            batch = Batch(resources[change.resource], change.effect, is_consequence)
            batches.append(batch)
        batch.add(change)
    return batches


def referenced_value(field: Field, value: Any) -> ReferencedValue:
    """Return a value by which records are referenced, the same for every type of the column."""
    return field, comparable(value)
