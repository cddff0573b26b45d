"""Steps: what was written down, in the portions in which it is taken back."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from webapp.admin.fields import Field
from webapp.admin.keys import Key, parse_key
from webapp.admin.resource import Resource
from webapp.admin.site import Site
from webapp.admin.snapshots import values_of
from webapp.history import Change, Entry, Kind

RECORDS_PER_STEP = 1_000

# Any: what a field holds. The value of a field by which records are pointed at.
Place = tuple[Resource, str, Any]


@dataclass
class Step:
    """Changes of one kind to different records of one resource, which are taken back together.

    keys, earlier: the key of each record, and the values that it had before, by its text.
    problems: a sentence for each record that cannot be as it was.
    """

    resource: Resource
    kind: Kind
    is_consequence: bool
    changes: dict[str, Change] = field(default_factory=dict)
    keys: dict[str, Key] = field(default_factory=dict)
    earlier: dict[str, dict[str, Any]] = field(default_factory=dict)
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
            self.problems[change.key] = f"The key of “{change.title}” is no key any more."
            return
        self.keys[change.key] = key
        try:
            olds = {name: old for name, (old, _) in change.values.items()}
            self.earlier[change.key] = values_of(self.resource, olds)
        except ValueError as error:
            self.problems[change.key] = f"“{change.title}” cannot be as it was: {error}"

    def leave(self) -> int:
        """Leave out the records that have problems; return how many they are."""
        for text in self.problems:
            for kept in (self.changes, self.keys, self.earlier):
                kept.pop(text, None)
        return len(self.problems)

    def places(self, site: Site) -> set[Place]:
        """Return where its records can be pointed at, once they are there again."""
        if self.kind != Kind.DELETED:
            return set()
        names = {target_column_of(referrer.field) for referrer in site.referrers(self.resource)}
        return {
            (self.resource, name, target.get(name))
            for target in self.earlier.values()
            for name in names
        }

    def entry(self, text: str, kind: Kind, state: Mapping[str, Any]) -> Entry:
        """Return what is written down of a record in a `state` whose change is taken back."""
        change, resource = self.changes[text], self.resource
        whole = {**state, **self.earlier[text]}
        values = {
            name: (new, old)
            for name, (old, new) in change.values.items()
            if name in resource.by_name
        }
        title = resource.title_text(whole.get(resource.title_field.name))
        return Entry(resource.name, text, title, kind, values, self.is_consequence)


def steps_of(site: Site, made: Sequence[Change], asked: Change | None) -> Iterator[Step]:
    """Yield the steps that take back what was done, the last first; `asked` is no consequence."""
    resources = {resource.name: resource for resource in site.resources}
    step: Step | None = None
    for change in made:
        is_consequence = change.is_consequence and change is not asked
        if step is None or not step.takes(change, is_consequence=is_consequence):
            if step is not None:
                yield step
            step = Step(resources[change.resource], change.effect, is_consequence)
        step.add(change)
    if step is not None:
        yield step


def target_column_of(relation: Field) -> str:
    """Return the name of the field that a relation points at."""
    assert relation.relation is not None
    return relation.relation.target_column
