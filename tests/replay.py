"""Replaying the history: what the tables should hold, if all that was ever done is in it."""

import json
from collections.abc import Mapping
from typing import Any

from hero_admin.audit_log.changes import Change, Kind, Recorded
from hero_admin.model.primary_keys import key_of, key_text, parse_key
from hero_admin.model.resource import Resource
from hero_admin.model.serialization import restored_values
from tests.stored import Stored

# The values of each record, by the name of its resource and its key.
Tables = dict[tuple[str, str], dict[str, Any]]


async def replayed(stored: Stored, *resources: Resource) -> Tables:
    """What the history gives, replayed from empty; fails where it contradicts itself."""
    by_name = {resource.name: resource for resource in resources}
    texts: dict[tuple[str, str], dict[str, Recorded]] = {}
    for change in await stored.all(Change):
        at = (change.resource, change.key)
        if change.resource not in by_name or change.kind == Kind.REVEALED:
            continue
        resource = by_name[change.resource]
        # Beside the fields may stand what else there is to know.
        values = {name: each for name, each in change.values.items() if name in resource.by_name}
        olds = {name: old for name, (old, _) in values.items()}
        news = {name: new for name, (_, new) in values.items()}
        match change.effect:
            case Kind.CREATED:
                assert at not in texts, f"{at} is created twice"
                assert set(olds.values()) == {None}
                texts[at] = news
            case Kind.CHANGED:
                texts[at] = texts.pop(_key_before(resource, change, olds))
                assert {name: texts[at][name] for name in olds} == olds, f"{at} was another one"
                texts[at] |= news
            case Kind.DELETED:
                assert texts.pop(at) == olds, f"{at} was another one when it was deleted"
                assert set(news.values()) == {None}
    return {at: restored_values(by_name[at[0]], snapshot) for at, snapshot in texts.items()}


def _key_before(
    resource: Resource, change: Change, olds: Mapping[str, Recorded]
) -> tuple[str, str]:
    """Under which key a record was before a change, which may have given it another one."""
    own = parse_key(resource, change.key)
    assert own is not None
    before = restored_values(resource, olds)
    parts = [before.get(field.name, part) for field, part in zip(resource.key, own, strict=True)]
    return resource.name, key_text(resource, tuple(parts))


async def tables(stored: Stored, *resources: Resource) -> Tables:
    """What the tables hold."""
    return {
        (resource.name, key_of(resource, record)): {
            field.name: record[field.name] for field in resource.fields
        }
        for resource in resources
        for record in await stored.records(resource)
    }


async def history_of(stored: Stored, resource: str = "") -> list[tuple[str, str, str]]:
    """Kind, title and values of what was done, the first one first: ("changed", "Nova", "…")."""
    return [
        (change.kind, change.title, json.dumps(change.values))
        for change in await stored.all(Change)
        if resource in ("", change.resource)
    ]
