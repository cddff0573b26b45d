"""Replaying the history: what the tables should hold, if all that was ever done is in it."""

import json
from typing import Any

from tests.stored import Stored
from webapp.admin.keys import key_of
from webapp.admin.resource import Resource
from webapp.admin.snapshots import values_of
from webapp.history import Change, Kind

# The values of each record, by the name of its resource and its key.
Tables = dict[tuple[str, str], dict[str, Any]]


async def replayed(stored: Stored, *resources: Resource) -> Tables:
    """What the history gives, replayed from empty; fails where it contradicts itself."""
    by_name = {resource.name: resource for resource in resources}
    texts: dict[tuple[str, str], dict[str, str | None]] = {}
    for change in await stored.all(Change):
        at = (change.resource, change.key)
        if change.resource not in by_name or change.kind == Kind.REVEALED:
            continue
        olds = {name: old for name, (old, _) in change.values.items()}
        news = {name: new for name, (_, new) in change.values.items()}
        match change.effect:
            case Kind.CREATED:
                assert at not in texts, f"{at} is created twice"
                assert set(olds.values()) == {None}
                texts[at] = news
            case Kind.CHANGED:
                assert {name: texts[at][name] for name in olds} == olds, f"{at} was another one"
                texts[at] |= news
            case Kind.DELETED:
                assert texts.pop(at) == olds, f"{at} was another one when it was deleted"
                assert set(news.values()) == {None}
    return {at: values_of(by_name[at[0]], snapshot) for at, snapshot in texts.items()}


async def tables(stored: Stored, *resources: Resource) -> Tables:
    """What the tables hold."""
    return {
        (resource.name, key_of(resource, record)): {
            field.name: getattr(record, field.name) for field in resource.fields
        }
        for resource in resources
        for record in await stored.all(resource.model)
    }


async def history_of(stored: Stored, resource: str = "") -> list[tuple[str, str, str]]:
    """Kind, title and values of what was done, the first one first: ("changed", "Nova", "…")."""
    return [
        (change.kind, change.title, json.dumps(change.values))
        for change in await stored.all(Change)
        if resource in ("", change.resource)
    ]
