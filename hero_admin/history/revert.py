"""Reversal: does the opposite of what was written down, many records in a few statements."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.audit_log.changes import Change, Kind, fetch_since
from hero_admin.database.transactions import defer_constraints
from hero_admin.history.revert_batches import (
    RECORDS_PER_STEP,
    Place,
    Postponed,
    Step,
    place_of,
    steps_of,
    target_column_of,
)
from hero_admin.history.revert_rows import (
    Later,
    complete_rows,
    delete_going,
    put_back,
    reverse_rows,
)
from hero_admin.model.fields import Field
from hero_admin.model.primary_keys import Key
from hero_admin.model.resource import Resource
from hero_admin.model.serialization import is_same, recorded
from hero_admin.model.site import Site
from hero_admin.web.errors import Invalid
from hero_admin.writes import bulk, deletion
from hero_admin.writes.catalog import Catalog, fetch_catalog, triggers_of
from hero_admin.writes.causes import cause_of, fetch_causes
from hero_admin.writes.constraint_errors import check_constraints
from hero_admin.writes.referencing_rows import fetch_ids
from hero_admin.writes.row_changes import RowsChange
from hero_admin.writes.transaction import Transaction
from hero_admin.writes.unique import taken_sentence

Part = TypeVar("Part")


@dataclass(frozen=True)
class Outcome:
    """What is not as it was: how many consequences were left as they are now, because they were
    changed since, and what triggers have made something else of, as “age of heroes”.
    """

    left_count: int = 0
    rewritten: tuple[str, ...] = ()


async def reverse(
    transaction: Transaction, made: Sequence[Change | RowsChange], asked: Change | None = None
) -> Outcome:
    """Take back what was done, the last first.

    Raises Invalid if one of the records was changed since. What befell others because of them is
    taken back where they are still as it left them. `asked` is no consequence, whatever it was.
    """
    session, site = transaction.session, transaction.site
    all_steps = list(steps_of(site, made, asked))
    steps = [step for step in all_steps if isinstance(step, Step)]
    others = [step.table for step in all_steps if isinstance(step, RowsChange)]
    resources = list(dict.fromkeys(step.resource for step in steps))
    catalog = await fetch_catalog(session, site, resources, others)
    there = await _lock_all(session, site, steps)
    await defer_constraints(session)
    # Records that point at each other come back one after the other.
    coming = {place for step in steps for place in step.places(site)}
    postponed: list[Postponed] = []
    coming_tables = [name for name, each in catalog.resources.items() if each in resources]
    later = Later({*coming_tables, *others})
    left_count = 0
    for step in all_steps:
        if isinstance(step, RowsChange):
            left_count += await reverse_rows(transaction, catalog, step, later)
            continue
        if step.kind != Kind.CREATED:
            _find_gone_targets(site, step, there | coming)
        states = await bulk.fetch_states(session, step.resource, list(step.keys.values()))
        await _find_changed(transaction, step, states)
        if step.kind != Kind.CREATED:
            await _find_taken(session, step, states)
        # Whatever was created because of others points at them, and would be in their way.
        if step.problems and not (step.is_consequence and step.kind != Kind.CREATED):
            raise Invalid({"": next(iter(step.problems.values()))})
        left_count += step.leave()
        if step.kind == Kind.DELETED:
            postponed += step.postpone(site, catalog, there)
        there |= step.places(site)
        if step.changes:
            await _reverse(transaction, catalog, step, states, later)
    await delete_going(transaction, catalog, later)
    await complete_rows(session, catalog, later)
    await _complete(session, site, postponed, there)
    await check_constraints(session, "Something it needs no longer exists.")
    return Outcome(left_count, tuple(later.rewritten))


async def _complete(
    session: AsyncSession,
    site: Site,
    postponed: Sequence[Postponed],
    there: set[Place],
) -> None:
    """Let records point at those that came back after them."""
    changed: dict[Resource, list[tuple[Key, dict[str, Any]]]] = {}
    for each in postponed:
        if each.place(site) not in there:
            label = each.resource.labels[each.relation.name]
            sentence = f"The {label} of one of the {each.resource.label_plural} can't be restored."
            raise Invalid({"": sentence})
        new = {each.relation.name: each.value}
        changed.setdefault(each.resource, []).append((each.key, new))
    for resource, records in changed.items():
        await bulk.change_back(session, resource, records)


async def _lock_all(session: AsyncSession, site: Site, steps: Sequence[Step]) -> set[Place]:
    """Lock all records that steps are about; return those that they will point at, if there.

    What is pointed at comes first, as it does for those who delete it.
    """
    there: set[Place] = set()
    for resource in _pointed_first(site):
        keys = [key for step in steps if step.resource is resource for key in step.keys.values()]
        for some in _parts(keys):
            await deletion.lock(session, resource, some)
        wanted: dict[Field, set[Any]] = {}
        for step in steps:
            for relation in step.resource.fields:
                if relation.relation and site.target_of(relation) is resource:
                    values = {target.get(relation.name) for target in step.earlier.values()}
                    wanted.setdefault(relation, set()).update(values - {None})
        for relation, values in wanted.items():
            for some in _parts(list(values)):
                for value in await bulk.fetch_targets(session, site, relation, some):
                    there.add(place_of(resource, target_column_of(relation), value))
    return there


def _pointed_first(site: Site) -> list[Resource]:
    """Return all resources in the order in which their records may depend on each other."""
    ordered: dict[Resource, None] = {}

    def visit(resource: Resource, above: frozenset[Resource]) -> None:
        for relation in resource.fields:
            target = site.target_of(relation) if relation.relation else resource
            if target not in above:
                visit(target, above | {target})
        ordered.setdefault(resource)

    for resource in site.resources:
        visit(resource, frozenset({resource}))
    return list(ordered)


async def _find_changed(
    transaction: Transaction, step: Step, states: Mapping[str, dict[str, Any]]
) -> None:
    """Note which of the records are not as the changes of a step have left them."""
    first = min(change.id or 0 for change in step.changes.values())
    later: dict[str, list[Change]] = {}
    name, own = step.resource.name, transaction.operation.id
    for each in await fetch_since(transaction.session, name, list(step.changes), first):
        later.setdefault(each.key, []).append(each)
    for text, change in step.changes.items():
        since = [
            each
            for each in later.get(text, ())
            if (each.id or 0) > (change.id or 0) and each.operation not in (change.operation, own)
        ]
        problem = _problem(step, change, states.get(text), since)
        if problem:
            step.problems.setdefault(text, problem)


def _problem(
    step: Step, change: Change, state: Mapping[str, Any] | None, since: Sequence[Change]
) -> str:
    is_gone = state is None
    if is_gone and change.kind != Kind.DELETED:
        return f"“{change.title}” no longer exists."
    if not is_gone and change.kind == Kind.DELETED:
        return f"“{change.title}” already exists."
    # A consequence is one field of a record that others may go on working on.
    if since and not (step.is_consequence and change.kind == Kind.CHANGED):
        latest = since[0]
        title = latest.title or change.title
        return f"{latest.by_name} {latest.kind} “{title}” since then."
    if state is not None and change.kind == Kind.CHANGED:
        for name, (_, new) in change.values.items():
            known = step.resource.by_name.get(name)
            if (
                known is not None
                and not known.column.computed
                and not is_same(recorded(known, state[name]), new)
            ):
                label = step.resource.labels[name]
                return f"The {label} of “{change.title}” has changed since."
    return ""


def _find_gone_targets(site: Site, step: Step, there: set[Place]) -> None:
    """Note which of the records would point at one that is gone."""
    for relation in step.resource.fields:
        if relation.relation is None:
            continue
        pointed, name = site.target_of(relation), target_column_of(relation)
        for text, target in step.earlier.items():
            value = target.get(relation.name)
            if value is not None and place_of(pointed, name, value) not in there:
                label = step.resource.labels[relation.name]
                title = step.changes[text].title
                problem = f"The {label} that “{title}” had no longer exists."
                step.problems.setdefault(text, problem)


def _parts(values: Sequence[Part]) -> Iterator[Sequence[Part]]:
    for start in range(0, len(values), RECORDS_PER_STEP):
        yield values[start : start + RECORDS_PER_STEP]


async def _find_taken(
    session: AsyncSession, step: Step, states: Mapping[str, dict[str, Any]]
) -> None:
    """Note which of the records would have what another one has by now."""
    resource = step.resource
    for fields in resource.unique_sets:
        wanted = {
            text: _values_of(fields, {**states.get(text, {}), **target})
            for text, target in step.earlier.items()
            if any(field.name in target for field in fields)
        }
        # Databases hold no two NULLs for the same.
        wanted = {text: values for text, values in wanted.items() if None not in values}
        owners = await bulk.fetch_owners(session, resource, fields, set(wanted.values()))
        for text, values in wanted.items():
            if owners.get(values, text) != text:
                taken = taken_sentence(resource, dict(zip(fields, values, strict=True)))
                step.problems.setdefault(text, taken)


def _values_of(fields: Sequence[Field], values: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(values.get(field.name) for field in fields)


async def _reverse(
    transaction: Transaction,
    catalog: Catalog,
    step: Step,
    states: Mapping[str, dict[str, Any]],
    later: Later,
) -> None:
    session = transaction.session
    match step.kind:
        case Kind.CREATED:
            await _uncreate(session, catalog, step, later)
        case Kind.DELETED:
            await _bring_back(transaction, catalog, step, later)
        case _:
            is_rewritten = _is_rewritten(catalog, step.resource, "UPDATE")
            changed = [(step.keys[text], step.earlier[text]) for text in step.changes]
            found = await bulk.change_back(
                session, step.resource, changed, is_rewritten=is_rewritten
            )
            after = dict(zip(step.changes, found, strict=True)) if is_rewritten else {}
            later.note_rewritten(step, after)
            entries = [
                step.entry(text, Kind.CHANGED, states[text], after.get(text))
                for text in step.changes
            ]
            await transaction.record(entries)


async def _bring_back(transaction: Transaction, catalog: Catalog, step: Step, later: Later) -> None:
    """Create records again as they were."""
    session, resource = transaction.session, step.resource
    stored = catalog.table_of(resource)
    is_rewritten = _is_rewritten(catalog, resource, "INSERT")
    if stored is not None:
        await put_back(session, catalog, stored, list(step.whole_rows.values()), later)
    rows = [row for key, row in step.earlier.items() if key not in step.whole_rows]
    await bulk.create_again(session, resource, rows, is_rewritten=is_rewritten)
    after: Mapping[str, dict[str, Any]] = {}
    if is_rewritten:
        after = await bulk.fetch_states(session, resource, list(step.keys.values()))
        later.note_rewritten(step, after)
    entries = [step.entry(text, Kind.RESTORED, {}, after.get(text)) for text in step.changes]
    await transaction.record(entries)


def _is_rewritten(catalog: Catalog, resource: Resource, event: str) -> bool:
    """Whether triggers may make something else of what is written to the table of a resource."""
    stored = catalog.table_of(resource)
    return stored is not None and event in triggers_of(catalog, stored)


async def _uncreate(session: AsyncSession, catalog: Catalog, step: Step, later: Later) -> None:
    """Note that records go again, when all is done."""
    stored = catalog.table_of(step.resource)
    if stored is None:
        raise Invalid({"": f"The database doesn't allow deleting a {step.resource.label}."})
    ids = await fetch_ids(session, stored, step.resource, list(step.keys.values()))
    going = dict.fromkeys(ids)
    one = next(iter(step.changes.values())).title
    what = f"“{one}”" if len(ids) == 1 else f"one of the {step.resource.label_plural}"
    later.go(stored, going, what)
    if not step.is_consequence:
        later.direct |= {(stored.name, row) for row in ids}
    if any(map(cause_of, step.changes.values())):
        names = await fetch_causes(session, catalog, [(stored.name, row) for row in ids])
        for place, name in names.items():
            if place and name:
                later.going.causes[place] = cause_of(step.changes[name[1]])
