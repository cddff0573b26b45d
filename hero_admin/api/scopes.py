"""Scopes of tokens: what a token is not for is refused, and is not in its OpenAPI document."""

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request

from hero_admin.model.site import Site
from hero_admin.person import TokenScope
from hero_admin.web.guards import identity_of
from hero_admin.web.requests import SAFE_METHODS
from hero_admin.web.texts import listed

READ_ONLY = "This token can only read."
NOT_FOR = "This token isn't for {other}: it only works for {names}."
REFERENCE = "#/components/schemas/"


def check_scope(request: Request, resources: Sequence[str]) -> None:
    """Raise 403 for a token that is not for all of these resources, or only for reading."""
    scope = identity_of(request).token
    if scope is None:
        return
    site: Site = request.app.state.site
    other = next((name for name in resources if not scope.includes(name)), None)
    if other is not None:
        found = site.named(other)
        label = found.label_plural if found else other
        sentence = NOT_FOR.format(other=label, names=names_in(site, scope))
        raise HTTPException(403, sentence)
    if scope.is_read_only and request.method not in SAFE_METHODS:
        raise HTTPException(403, READ_ONLY)


def names_in(site: Site, scope: TokenScope) -> str:
    """Return what a token is for: “heroes and teams”."""
    found = [(name, site.named(name)) for name in scope.resources or ()]
    return listed([each.label_plural if each else name for name, each in found])


# Any: an OpenAPI document is nested JSON.
def document_for(api: FastAPI, scope: TokenScope | None) -> dict[str, Any]:
    """Return the document of an API, for a token only what it may do."""
    document = api.openapi()
    if scope is None or (scope.resources is None and not scope.is_read_only):
        return document
    paths: dict[str, Any] = {}
    for path, methods in _allowed(api, scope):
        operations = document["paths"].get(path, {})
        within = {name: operations[name] for name in operations if name.upper() in methods}
        if within:
            paths[path] = paths.get(path, {}) | within
    schemas = document["components"]["schemas"]
    used = _used({"paths": paths}, schemas, set())
    used_schemas = {name: schemas[name] for name in schemas if name in used}
    components = {**document["components"], "schemas": used_schemas}
    limits = [READ_ONLY] if scope.is_read_only else []
    if scope.resources is not None:
        site: Site = api.state.site
        limits.append(f"This token only works for {names_in(site, scope)}.")
    info = document["info"]
    info = {**info, "description": " ".join([info["description"], *limits])}
    return {**document, "info": info, "paths": paths, "components": components}


def _allowed(api: FastAPI, scope: TokenScope) -> Iterator[tuple[str, Collection[str]]]:
    """Yield the path and the methods of each route that a token is for."""
    for route in api.routes:
        if not isinstance(route, APIRoute):
            continue
        methods = set(route.methods or ())
        is_within = all(map(scope.includes, getattr(route, "needed_resources", ())))
        if is_within and not (scope.is_read_only and methods - SAFE_METHODS):
            yield route.path_format, methods


# Any: JSON.
def _used(part: Any, schemas: dict[str, Any], found: set[str]) -> set[str]:
    """Return the names of the schemas that a part of a document refers to, however indirectly."""
    for name in re.findall(rf"'{REFERENCE}([^']+)'", str(part)):
        if name not in found:
            found.add(name)
            _used(schemas[name], schemas, found)
    return found
