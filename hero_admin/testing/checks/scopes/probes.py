"""Probes: all requests that could tell something about a record, by every route of an Admin."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any
from urllib.parse import urlencode

from starlette.routing import BaseRoute, Mount, Route

from hero_admin.forms.hidden_fields import ALL, KEYS, SET
from hero_admin.model.field_names import control_name
from hero_admin.model.resource import Resource
from hero_admin.model.site import Site
from hero_admin.testing.checks.scopes.subjects import Target
from hero_admin.web.requests import SAFE_METHODS

API = "/api"
MANY = {"size": "100"}
MANY_OF_API = {"limit": "1000"}


@dataclass(frozen=True)
class Probe:
    """A request; `route` is the template of its path.

    word: what it searches for, or the name of a field that it asks for, if any: it must find as
        little as one with another word.
    """

    route: str
    method: str
    path: str
    form: Mapping[str, str] | None = None
    # Any: JSON.
    json: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    word: str = ""

    def __str__(self) -> str:
        sent = self.form if self.form is not None else self.json
        about = [] if sent is None else [str(sent)]
        about += [f"as {target}" for name, target in self.headers.items() if name == "HX-Target"]
        return " ".join([self.method, self.path, *about])


@dataclass(frozen=True)
class Asked:
    """A route with one method: the template of its path, and whose records it is about."""

    template: str
    method: str
    resource: Resource | None
    is_api: bool

    @property
    def is_list(self) -> bool:
        """Whether it is the list of a resource, on a page or in the API."""
        return self.resource is not None and self.template in (
            f"/{self.resource.name}",
            f"{API}/{self.resource.name}/",
        )

    @property
    def is_about_one(self) -> bool:
        """Whether its path names a record or an entry of its history."""
        return "{id}" in self.template or "{operation}" in self.template


def routes_asked(routes: list[BaseRoute], site: Site) -> list[Asked]:
    """Return every route of an application and of its API, once for each method."""
    found = []
    for path, methods in _templates(routes):
        is_api = path.startswith(f"{API}/")
        first = (
            path.removeprefix(API).strip("/").split("/")[0]
            if is_api
            else path.strip("/").split("/")[0]
        )
        name = first.partition(".")[0]
        resource = next((each for each in site.paged if each.name == name), None)
        found += [Asked(path, method, resource, is_api) for method in sorted(methods)]
    return found


def probes_of(asked: Asked, target: Target, site: Site) -> Iterator[Probe]:
    """Yield the requests of a route about a record, in the same order for each target.

    Routes of other resources are asked about it as far as they search and filter.
    """
    if asked.resource is None:
        yield from _general(asked, target)
        return
    is_own = asked.resource is target.resource
    if not is_own and not asked.is_list:
        # Of records that are inside, or about nothing: that is looked at once for all.
        return
    for path in _paths(asked, target, site):
        if asked.method in SAFE_METHODS:
            for query, word in _queries(asked, target, is_own=is_own):
                url = f"{path}?{urlencode(query)}" if query else path
                yield Probe(asked.template, asked.method, url, word=word)
        elif is_own:
            yield from _unsafe(asked, target, path)


def _general(asked: Asked, target: Target) -> Iterator[Probe]:
    """Yield requests of pages that are about no resource, such as the history of everything."""
    if asked.template == "/undo/{operation}":
        for operation in target.operations:
            yield Probe(asked.template, asked.method, f"/undo/{operation}", form={})
    elif asked.method in SAFE_METHODS and "{" not in asked.template:
        yield Probe(asked.template, asked.method, asked.template)
        url = f"{asked.template}?{urlencode({'resource': target.resource.name})}"
        yield Probe(asked.template, asked.method, url)
        for operation in target.operations:
            yield Probe(asked.template, asked.method, f"{asked.template}?operation={operation}")


def _paths(asked: Asked, target: Target, site: Site) -> list[str]:
    """Return the paths of a template for a record, with each field, relation and change of it."""
    resource = target.resource
    values = {
        "id": [target.key],
        "field": _fields_for(asked, resource),
        "relation": [each.name for each in site.related(resource)],
        "change": [*target.changes],
    }
    names = [part[1:-1] for part in asked.template.split("/") if part.startswith("{")]
    choices = product(*(values.get(name, ["1"]) for name in names))
    return [filled(asked.template, dict(zip(names, chosen, strict=True))) for chosen in choices]


def _fields_for(asked: Asked, resource: Resource) -> list[str]:
    """Return the fields that a route is about, and one that it is not."""
    fields = resource.fields
    about = [each for each in fields if each.is_masked or each.is_bytes]
    if "/options/" in asked.template:
        about = [each for each in fields if each.relation or each in resource.filter_fields]
    others = [each for each in fields if each not in about][:1]
    links = [link.name for link in resource.many_to_many]
    return [*(each.name for each in (*about, *others)), *links]


def filled(template: str, values: Mapping[str, str]) -> str:
    """Return the path of a template with the given values in it."""
    for name, value in values.items():
        template = template.replace(f"{{{name}}}", value)
    return template


def _queries(asked: Asked, target: Target, *, is_own: bool) -> Iterator[tuple[dict[str, str], str]]:
    """Yield the queries of a URL, and the word of its target for those that search for it."""
    many = MANY_OF_API if asked.is_api else MANY
    if "{id}" in asked.template:
        yield {}, ""
        return
    yield {**many, "q": target.word}, target.word
    if not is_own:
        return
    yield many, ""
    if "{field}" in asked.template:
        return
    resource = target.resource
    yield {"id": target.key}, ""
    yield {ALL: urlencode({"q": target.word})}, target.word
    yield {**many, "count": "exact"}, ""
    yield {**many, "count": "exact", "q": target.word}, target.word
    for each in resource.list_fields:
        if each.is_sortable:
            yield {**many, "sort": each.name, "from": target.word}, target.word
    for each in resource.filter_fields:
        name = resource.filter_names[each.name].name
        if each.name in target.texts:
            yield {**many, name: target.texts[each.name]}, ""
        if each.name in target.numbers:
            number = target.numbers[each.name]
            span = {f"{name}_min": str(number - 1), f"{name}_max": str(number + 1)}
            yield {**many, **span}, ""


def _unsafe(asked: Asked, target: Target, path: str) -> Iterator[Probe]:
    """Yield requests that would change a record, or read what is not to be read by others."""
    resource, at = target.resource, (asked.template, asked.method, path)
    name = next((each.name for each in resource.schemas.edit_fields if each.is_text), "")
    if asked.is_api:
        if "{id}" in asked.template:
            for body in ({}, {resource.by_name[name].public_name: "Taken"} if name else {}):
                yield Probe(*at, json=body)
        elif "/actions/" in asked.template:
            yield Probe(*at, json={"ids": [target.key], "form": {}})
            searched = {"all_matching": {"q": target.word}, "form": {}}
            yield Probe(*at, json=searched, word=target.word)
        return
    if "{id}" in asked.template:
        yield Probe(*at, form={})
        yield Probe(*at, form={control_name(name): "Taken"} if name else {"any": "1"})
        is_past = asked.template.endswith(("/restore", "/undo"))
        for change in target.changes if is_past else ():
            yield Probe(*at, form={"change": change})
            yield Probe(*at, form={"change": change, "before": "1"})
    elif asked.template != f"/{resource.name}":
        changed = {f"{SET}{name}": "1", control_name(name): "Taken"} if name else {}
        yield Probe(*at, form={KEYS: target.key, "id": target.key, **changed})
        yield Probe(*at, form={ALL: urlencode({"q": target.word}), **changed}, word=target.word)


def _templates(routes: list[BaseRoute], prefix: str = "") -> Iterator[tuple[str, set[str]]]:
    for route in routes:
        if isinstance(route, Mount):
            yield from _templates([*route.routes], f"{prefix}{route.path}")
        elif isinstance(route, Route):
            yield f"{prefix}{route.path_format}", set(route.methods or ()) - {"HEAD"}
