"""Scopes of tokens: what a token is not for is refused, and is not in its OpenAPI document."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request

from hero_admin.api.seen_document import with_used_schemas
from hero_admin.model.site import Site
from hero_admin.model.token_scopes import READ_ONLY, names_in, scope_refusal
from hero_admin.person import TokenScope
from hero_admin.web.guards import identity_of
from hero_admin.web.requests import SAFE_METHODS


def check_scope(request: Request, resources: Sequence[str]) -> None:
    """Raise 403 for a token that is not for all of these resources, or only for reading."""
    scope = identity_of(request).token
    site: Site = request.app.state.site
    is_change = request.method not in SAFE_METHODS
    for name in resources:
        refusal = scope_refusal(site, scope, name, is_change=is_change)
        if refusal:
            raise HTTPException(403, refusal)
    if scope is not None and scope.is_read_only and is_change:
        raise HTTPException(403, READ_ONLY)


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
    limits = [READ_ONLY] if scope.is_read_only else []
    if scope.resources is not None:
        site: Site = api.state.site
        limits.append(f"This token only works for {names_in(site, scope)}.")
    info = document["info"]
    info = {**info, "description": " ".join([info["description"], *limits])}
    return with_used_schemas({**document, "info": info, "paths": paths})


def _allowed(api: FastAPI, scope: TokenScope) -> Iterator[tuple[str, Collection[str]]]:
    """Yield the path and the methods of each route that a token is for."""
    for route in api.routes:
        if not isinstance(route, APIRoute):
            continue
        methods = set(route.methods or ())
        is_within = all(map(scope.includes, getattr(route, "needed_resources", ())))
        if is_within and not (scope.is_read_only and methods - SAFE_METHODS):
            yield route.path_format, methods
