"""Field probes: requests that name a field, and the same that name one that does not exist."""

import re
import secrets
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlencode

from hero_admin.forms.hidden_fields import ALL, KEYS, SET
from hero_admin.model.field_names import control_name
from hero_admin.testing.checks.scopes.markers import PREFIX, Marker, markers_of
from hero_admin.testing.checks.scopes.probes import MANY, MANY_OF_API, Asked, Probe, filled
from hero_admin.testing.checks.scopes.subjects import Target
from hero_admin.web.requests import SAFE_METHODS

# The pages of what is done to the records of a list.
SELECTING = re.compile(r"/(change|delete|actions/[^/]+)$")
# Of a field whose values are few, and of a link.
ANY = Marker(1, "1", ())


class _Names(NamedTuple):
    """What a field or link is called: by itself, as a filter, and in the API."""

    name: str
    filter: str
    public: str


def field_probes(asked: Asked, target: Target, name: str) -> Iterator[tuple[Probe, Probe]]:
    """Yield the requests of a route that name a field of a record, each with its twin."""
    if asked.resource is not target.resource:
        return
    resource, unknown = target.resource, f"{PREFIX}{secrets.token_hex(6)}"
    filters, known = resource.filter_names, resource.by_any_name
    own = _Names(
        name,
        filters[name].name if name in filters else name,
        known[name].public_name if name in known else name,
    )
    # Its value for searches, and another one for changes.
    value = target.texts.get(name, "1")
    new = next(iter(markers_of(known[name], target.word)), ANY) if name in known else ANY
    yield from zip(
        _naming(asked, target, own, value, new),
        _naming(asked, target, _Names(unknown, unknown, unknown), value, new),
        strict=True,
    )


def _naming(asked: Asked, target: Target, own: _Names, value: str, new: Marker) -> Iterator[Probe]:
    at, key = (asked.template, asked.method), target.key
    if "{field}" in asked.template or "{relation}" in asked.template:
        # The fields of the form of an action are its own.
        if "/actions/" not in asked.template:
            change = next(iter(target.changes), "1")
            values = {"id": key, "field": own.name, "relation": own.name, "change": change}
            form: dict[str, str] | None = None if asked.method in SAFE_METHODS else {}
            yield Probe(*at, filled(asked.template, values), form=form, word=own.name)
        return
    path = filled(asked.template, {"id": key})
    if asked.method in SAFE_METHODS:
        for query, word in () if "{" in asked.template else _queries(asked, own, value):
            yield Probe(*at, f"{path}?{urlencode(query)}", word=word)
    elif asked.is_api and "/actions/" in asked.template:
        matching = {"all_matching": {own.filter: value}, "form": {}}
        yield Probe(*at, path, json=matching, word=own.filter)
    elif asked.is_api and asked.method != "DELETE":
        yield Probe(*at, path, json={own.public: new.sent}, word=own.public)
    elif asked.template.endswith(("/{id}", "/edit")) and asked.method == "POST":
        yield Probe(*at, path, form={control_name(own.name): new.typed}, word=own.name)
    elif asked.template.endswith("/change"):
        changed = {f"{SET}{own.name}": "1", control_name(own.name): new.typed}
        yield Probe(*at, path, form={KEYS: key, "id": key, **changed}, word=own.name)


def _queries(asked: Asked, own: _Names, value: str) -> Iterator[tuple[dict[str, str], str]]:
    """Yield the queries of a list or of a selection, and how each names the field."""
    if SELECTING.search(asked.template):
        yield {ALL: urlencode({own.filter: value})}, own.filter
        return
    many = MANY_OF_API if asked.is_api else MANY
    yield {**many, "sort": f"-{own.name}", "from": value}, own.name
    filters = dict.fromkeys((own.filter, f"{own.filter}_min", f"{own.filter}_max"), value)
    yield {**many, **filters}, own.filter
