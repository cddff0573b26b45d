"""Steps: what was written down, in the portions in which it is taken back."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hero_admin.audit_log.changes import Change, Entry, Kind
from hero_admin.model.fields import Field
from hero_admin.model.primary_keys import Key, key_text, parse_key
from hero_admin.model.resource import Resource
from hero_admin.model.serialization import snapshot_of, values_of
from hero_admin.model.site import Site
from hero_admin.model.stored_values import comparable
from hero_admin.writes.catalog import Catalog
from hero_admin.writes.causes import CAUSE
from hero_admin.writes.row_changes import RowsChange, whole_row_of

RECORDS_PER_STEP = 1_000

# Any: what a field holds. The value of a field by which records are pointed at.
Place = tuple[Resource, str, Any]


@dataclass
class Step:
    """Changes of one kind to different records of one resource, which are taken back together.

    keys, earlier: the key of each record, and the values that it had before, by its text.
    whole_rows: what its columns held, where the model does not have all of them.
    problems: a sentence for each record that cannot be as it was.
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
        """Whether a change belongs to this step."""
        return (
            (self.resource.name, self.kind) == (change.resource, change.effect)
            and self.is_consequence == is_consequence
            and change.key not in self.changes
            and len(self.changes) < RECORDS_PER_STEP
        )

    def add(self, change: Change) -> None:
        """Add a change, and what its record was like before it."""
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
            self.earlier[change.key] = values_of(self.resource, olds)
        except ValueError as error:
            self.problems[change.key] = f"“{change.title}” can't be restored: {error}"

    def leave(self) -> int:
        """Leave out the records that have problems; return how many they are."""
        for text in self.problems:
            self.drop(text)
        return len(self.problems)

    def drop(self, text: str) -> None:
        """Leave out a record."""
        for kept in (self.changes, self.keys, self.earlier, self.whole_rows):
            kept.pop(text, None)

    def places(self, site: Site) -> set[Place]:
        """Return where its records can be pointed at, once they are there again."""
        if self.kind != Kind.DELETED:
            return set()
        return {
            place_of(self.resource, name, target.get(name))
            for target in self.earlier.values()
            for name in self._pointed_names(site)
        }

    def postpone(self, site: Site, catalog: Catalog, there: Collection[Place]) -> list["Postponed"]:
        """Leave out what points at records that come back only later, as in a ring."""
        stored = catalog.table_of(self.resource)
        found: list[Postponed] = []
        before = set(there)
        names = self._pointed_names(site)
        for text, target in self.earlier.items():
            for relation in self.resource.fields:
                value = target.get(relation.name)
                name = relation.column.name
                if relation.relation is None or value is None:
                    continue
                if stored is None or not stored.column(name).is_nullable:
                    continue
                place = place_of(site.target_of(relation), target_column_of(relation), value)
                if place not in before:
                    found.append(Postponed(self.resource, self.keys[text], relation, value))
                    target[relation.name] = None
                    self.whole_rows.get(text, {})[name] = None
            before |= {place_of(self.resource, name, target.get(name)) for name in names}
        return found

    def _pointed_names(self, site: Site) -> set[str]:
        return {target_column_of(referrer.field) for referrer in site.referrers(self.resource)}

    def entry(
        self, text: str, kind: Kind, before: Mapping[str, Any], after: Mapping[str, Any] | None
    ) -> Entry:
        """Return what is written down of a record whose change is taken back.

        `after` is what the database has made of it, if that may be something else than it was.
        """
        change, resource = self.changes[text], self.resource
        whole = {**before, **(after or self.earlier[text])}
        values = {
            name: (new, old)
            for name, (old, new) in change.values.items()
            if name in resource.by_name or name == CAUSE
        }
        if after is not None:
            old, new = snapshot_of(resource, before), snapshot_of(resource, after)
            # Of a consequence no more is taken back than what befell the record.
            names = values.keys() & new.keys() if self.is_consequence else new.keys()
            values |= {name: (old.get(name), new[name]) for name in names}
            values = {name: pair for name, pair in values.items() if pair[0] != pair[1]}
        title = resource.titles.of(whole)
        if kind == Kind.CHANGED:
            # A link that points at another record by its key has another key.
            text = key_text(resource, tuple(whole[field.name] for field in resource.key))
        return Entry(resource.name, text, title, kind, values, self.is_consequence)


@dataclass(frozen=True)
class Postponed:
    """The value of a relation that a record gets when what it points at is back."""

    resource: Resource
    key: Key
    relation: Field
    # Any: what a field holds.
    value: Any

    def place(self, site: Site) -> Place:
        target = site.target_of(self.relation)
        return place_of(target, target_column_of(self.relation), self.value)


def steps_of(
    site: Site, made: Sequence[Change | RowsChange], asked: Change | None
) -> Iterator[Step | RowsChange]:
    """Yield the steps that take back what was done, the last first; `asked` is no consequence.

    Rows that are not administered are a step of their own.
    """
    resources = {resource.name: resource for resource in site.resources}
    step: Step | None = None
    for change in made:
        if isinstance(change, RowsChange):
            if step is not None:
                yield step
            yield change
            step = None
            continue
        is_consequence = change.is_consequence and change is not asked
        if step is None or not step.takes(change, is_consequence=is_consequence):
            if step is not None:
                yield step
            step = Step(resources[change.resource], change.effect, is_consequence)
        step.add(change)
    if step is not None:
        yield step


def place_of(resource: Resource, name: str, value: Any) -> Place:
    """Return where records can be pointed at, however the column that does so has the value."""
    return resource, name, comparable(value)


def target_column_of(relation: Field) -> str:
    """Return the name of the field that a relation points at."""
    assert relation.relation is not None
    return relation.relation.target_column
