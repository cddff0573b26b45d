"""Reversal: does the opposite of what was written down, many records in a few statements."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from webapp.admin import batches, removal
from webapp.admin.changes import taken_sentence
from webapp.admin.consequences import fetch_consequences
from webapp.admin.fields import Field
from webapp.admin.keys import Key, parse_key
from webapp.admin.resource import Resource
from webapp.admin.site import Site
from webapp.admin.snapshots import kept_text, values_of
from webapp.errors import Invalid
from webapp.history import Change, Entry, Kind, Operation, fetch_since

RECORDS_PER_STEP = 1_000


@dataclass
class Step:
    """Changes of one kind to different records of one resource, which are taken back together.

    keys, targets: the key of each record, and the values that it had before, by its text.
    problems: a sentence for each record that cannot be as it was.
    """

    resource: Resource
    kind: Kind
    is_consequence: bool
    changes: dict[str, Change] = field(default_factory=dict)
    keys: dict[str, Key] = field(default_factory=dict)
    targets: dict[str, dict[str, Any]] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)

    def takes(self, change: Change, *, is_consequence: bool) -> bool:
        """Whether a change belongs to this step."""
        return (
            (self.resource.name, self.kind) == (change.resource, change.kind)
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
            self.targets[change.key] = values_of(self.resource, olds)
        except ValueError as error:
            self.problems[change.key] = f"“{change.title}” cannot be as it was: {error}"

    def leave(self) -> int:
        """Leave out the records that have problems; return how many they are."""
        for text in self.problems:
            for kept in (self.changes, self.keys, self.targets):
                kept.pop(text, None)
        return len(self.problems)


async def reverse(
    session: AsyncSession,
    site: Site,
    made: Sequence[Change],
    operation: Operation,
    asked: Change | None = None,
) -> int:
    """Take back what was done, the last first; return how many consequences stay as they are now.

    Raises Invalid if one of the records was changed since. What befell others because of them is
    taken back where they are still as it left them. `asked` is no consequence, whatever it was.
    """
    left_count = 0
    for step in _steps(site, made, asked):
        if step.kind != Kind.CREATED:
            # Before the records that point at them, as those do who delete what is pointed at.
            await _find_gone_targets(session, site, step)
        states = await batches.fetch_states(session, step.resource, list(step.keys.values()))
        await _find_changed(session, step, states, operation)
        if step.kind != Kind.CREATED:
            await _find_taken(session, step, states)
        # Whatever was created because of others points at them, and would be in their way.
        if step.problems and not (step.is_consequence and step.kind != Kind.CREATED):
            raise Invalid({"": next(iter(step.problems.values()))})
        left_count += step.leave()
        if step.changes:
            await _reverse(session, site, step, states, operation)
    return left_count


def _steps(site: Site, made: Sequence[Change], asked: Change | None) -> Iterator[Step]:
    resources = {resource.name: resource for resource in site.resources}
    step: Step | None = None
    for change in made:
        is_consequence = change.is_consequence and change is not asked
        if step is None or not step.takes(change, is_consequence=is_consequence):
            if step is not None:
                yield step
            step = Step(resources[change.resource], Kind(change.kind), is_consequence)
        step.add(change)
    if step is not None:
        yield step


async def _find_changed(
    session: AsyncSession, step: Step, states: Mapping[str, dict[str, Any]], operation: Operation
) -> None:
    """Note which of the records are not as the changes of a step have left them."""
    first = min(change.id or 0 for change in step.changes.values())
    later: dict[str, list[Change]] = {}
    for each in await fetch_since(session, step.resource.name, list(step.changes), first):
        later.setdefault(each.key, []).append(each)
    for text, change in step.changes.items():
        since = [
            each
            for each in later.get(text, ())
            if (each.id or 0) > (change.id or 0)
            and each.operation not in (change.operation, operation.id)
        ]
        problem = _problem(step, change, states.get(text), since)
        if problem:
            step.problems.setdefault(text, problem)


def _problem(
    step: Step, change: Change, state: Mapping[str, Any] | None, since: Sequence[Change]
) -> str:
    is_gone = state is None
    if is_gone and change.kind != Kind.DELETED:
        return f"“{change.title}” is gone by now."
    if not is_gone and change.kind == Kind.DELETED:
        return f"“{change.title}” is there already."
    # A consequence is one field of a record that others may go on working on.
    if since and not (step.is_consequence and change.kind == Kind.CHANGED):
        latest = since[0]
        title = latest.title or change.title
        return f"{latest.by_name} {latest.kind} “{title}” since then."
    if state is not None and change.kind == Kind.CHANGED:
        for name, (_, new) in change.values.items():
            known = step.resource.by_name.get(name)
            if known is not None and kept_text(known, state[name]) != new:
                label = step.resource.labels[name]
                return f"The {label} of “{change.title}” is another one by now."
    return ""


async def _find_gone_targets(session: AsyncSession, site: Site, step: Step) -> None:
    """Note which of the records would point at one that is gone."""
    for relation in step.resource.fields:
        if relation.relation is None:
            continue
        pointing = {
            text: target[relation.name]
            for text, target in step.targets.items()
            if target.get(relation.name) is not None
        }
        there = await batches.fetch_targets(session, site, relation, set(pointing.values()))
        if step.kind == Kind.DELETED and site.target_of(relation) is step.resource:
            # They come back together.
            column = relation.relation.target_column
            there |= {target.get(column) for target in step.targets.values()}
        for text, value in pointing.items():
            if value not in there:
                label = step.resource.labels[relation.name]
                title = step.changes[text].title
                step.problems.setdefault(
                    text, f"The {label} that “{title}” had is not there any more."
                )


async def _find_taken(
    session: AsyncSession, step: Step, states: Mapping[str, dict[str, Any]]
) -> None:
    """Note which of the records would have what another one has by now."""
    resource = step.resource
    for fields in resource.unique_sets:
        wanted = {
            text: _values_of(fields, {**states.get(text, {}), **target})
            for text, target in step.targets.items()
            if any(field.name in target for field in fields)
        }
        # Databases hold no two NULLs for the same.
        wanted = {text: values for text, values in wanted.items() if None not in values}
        owners = await batches.fetch_owners(session, resource, fields, set(wanted.values()))
        for text, values in wanted.items():
            if owners.get(values, text) != text:
                taken = taken_sentence(resource, dict(zip(fields, values, strict=True)))
                step.problems.setdefault(text, taken)


def _values_of(fields: Sequence[Field], values: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(values.get(field.name) for field in fields)


async def _reverse(
    session: AsyncSession,
    site: Site,
    step: Step,
    states: Mapping[str, dict[str, Any]],
    operation: Operation,
) -> None:
    match step.kind:
        case Kind.CREATED:
            await _uncreate(session, site, step, operation)
        case Kind.DELETED:
            entries = [_mirrored(step, text, Kind.CREATED, {}) for text in step.changes]
            await batches.create_many(
                session, step.resource, list(step.targets.values()), operation, entries
            )
        case _:
            entries = [_mirrored(step, text, Kind.CHANGED, states[text]) for text in step.changes]
            changed = [(step.keys[text], step.targets[text]) for text in step.changes]
            await batches.change_each(session, step.resource, changed, operation, entries)


async def _uncreate(session: AsyncSession, site: Site, step: Step, operation: Operation) -> None:
    keys = list(step.keys.values())
    pointing = await fetch_consequences(session, site, step.resource, keys)
    if pointing:
        count = sum(consequence.total.count for consequence in pointing)
        others = "Another record points" if count == 1 else f"{count:,} other records point"
        one = next(iter(step.changes.values())).title
        what = f"“{one}”" if len(keys) == 1 else f"one of the {step.resource.label_plural}"
        raise Invalid({"": f"{others} at {what} by now."})
    await removal.remove(
        session, site, step.resource, keys, operation, is_consequence=step.is_consequence
    )


def _mirrored(step: Step, text: str, kind: Kind, state: Mapping[str, Any]) -> Entry:
    """Return what is written down of a record for which a change is taken back."""
    change, resource = step.changes[text], step.resource
    whole = {**state, **step.targets[text]}
    values = {
        name: (new, old) for name, (old, new) in change.values.items() if name in resource.by_name
    }
    title = resource.title_text(whole.get(resource.title_field.name))
    return Entry(resource.name, text, title, kind, values, step.is_consequence)
