"""Revert conflicts: records that have changed since, or whose targets or unique values have."""

from collections.abc import Mapping, Sequence
from typing import Any

from hero_admin.audit_log.changes import Change, Kind
from hero_admin.audit_log.recorded_changes import fetch_since
from hero_admin.history.link_changes import is_about_links
from hero_admin.history.revert_batches import Batch, ReferencedValue, referenced_value
from hero_admin.model.fields import Field
from hero_admin.model.serialization import is_same, recorded
from hero_admin.model.site import Site
from hero_admin.writes import bulk
from hero_admin.writes.gate import unseen_names
from hero_admin.writes.transaction import Transaction
from hero_admin.writes.unique import taken_sentence


async def find_changed(
    transaction: Transaction, batch: Batch, states: Mapping[str, dict[str, Any]]
) -> None:
    """Note the records that are not as the changes of a batch have left them."""
    first = min(change.id or 0 for change in batch.changes.values())
    later: dict[str, list[Change]] = {}
    name, own = batch.resource.name, transaction.operation.id
    for each in await fetch_since(transaction.session, name, list(batch.changes), first):
        later.setdefault(each.key, []).append(each)
    for text, change in batch.changes.items():
        since = [
            each
            for each in later.get(text, ())
            if (each.id or 0) > (change.id or 0)
            and each.operation not in (change.operation, own)
            and not (change.kind == Kind.CHANGED and _is_other(change, each))
        ]
        problem = _problem(batch, change, states.get(text), since)
        if problem:
            batch.problems.setdefault(text, problem)


def _is_other(change: Change, later: Change) -> bool:
    """Whether one of two changes of a record is about links only, which are rows of their own."""
    return later.kind == Kind.CHANGED and (is_about_links(change) or is_about_links(later))


def _problem(
    batch: Batch, change: Change, state: Mapping[str, Any] | None, since: Sequence[Change]
) -> str:
    is_gone = state is None
    if is_gone and change.kind != Kind.DELETED:
        return f"“{change.title}” no longer exists."
    if not is_gone and change.kind == Kind.DELETED:
        return f"“{change.title}” already exists."
    # A consequence is one field of a record whose other fields may change.
    if since and not (batch.is_consequence and change.kind == Kind.CHANGED):
        latest = since[0]
        title = latest.title or change.title
        return f"{latest.by_name} {latest.kind} “{title}” since then."
    if state is not None and change.kind == Kind.CHANGED:
        for name, (_, new) in change.values.items():
            known = batch.resource.by_name.get(name)
            if (
                known is not None
                and not known.column.computed
                and not is_same(recorded(known, state[name]), new)
            ):
                label = batch.resource.labels[name]
                return f"The {label} of “{change.title}” has changed since."
    return ""


def find_missing_targets(site: Site, batch: Batch, there: set[ReferencedValue]) -> None:
    """Note the records that would refer to one that no longer exists."""
    for relation in batch.resource.fields:
        if relation.relation is None:
            continue
        pointed = site.target_field_of(relation)
        for text, target in batch.earlier.items():
            value = target.get(relation.name)
            if value is not None and referenced_value(pointed, value) not in there:
                label = batch.resource.labels[relation.name]
                title = batch.changes[text].title
                problem = f"The {label} that “{title}” had no longer exists."
                batch.problems.setdefault(text, problem)


async def find_taken(
    transaction: Transaction, batch: Batch, states: Mapping[str, dict[str, Any]]
) -> None:
    """Note the records whose unique values another record has by now."""
    session, resource = transaction.session, batch.resource
    unseen = unseen_names(transaction, resource)
    for fields in resource.unique_sets:
        wanted = {
            text: _unique_values(fields, {**states.get(text, {}), **target})
            for text, target in batch.earlier.items()
            if any(field.name in target for field in fields)
        }
        # NULLs are distinct.
        wanted = {text: values for text, values in wanted.items() if None not in values}
        owners = await bulk.fetch_owners(session, resource, fields, set(wanted.values()))
        for text, values in wanted.items():
            if owners.get(values, text) != text:
                wanted_values = dict(zip(fields, values, strict=True))
                taken = taken_sentence(resource, wanted_values, unseen)
                batch.problems.setdefault(text, taken)


def _unique_values(fields: Sequence[Field], values: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(values.get(field.name) for field in fields)
