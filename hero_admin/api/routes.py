"""The routes of one resource: list, create, read, change, delete, and read with its relations."""

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from hero_admin.api.actions import ON_WHICH, ActionDone, acts
from hero_admin.api.changing import changes, creates, deletes
from hero_admin.api.list_parameters import documented
from hero_admin.api.lists import reads_many
from hero_admin.api.reading import Handler, reads_one, reads_related
from hero_admin.api.schemas import (
    ErrorDetail,
    related_path,
    related_schema,
    relationships_of,
)
from hero_admin.api.scopes import check_scope
from hero_admin.model.labels import words_of
from hero_admin.model.resource import Resource
from hero_admin.model.resource_rights import permission
from hero_admin.model.site import Site
from hero_admin.rights import ACTION, Permission
from hero_admin.web.guards import needs

BROKEN_BODY = {400: {"model": ErrorDetail}}
NOT_FOUND = {404: {"model": ErrorDetail}}
CONFLICT = {409: {"model": ErrorDetail}}
CHANGED_MEANWHILE = {412: {"model": ErrorDetail}}
CONSEQUENCES = (
    "Records that refer to it lose that value or are deleted too, as the database defines; if any"
    " can't be without it, nothing is deleted: 409. The delete page shows the effects beforehand."
)
CAN_UNDO = (
    " Undo, in the history, restores all rows, but doesn't revert what database triggers did."
)
CANT_UNDO = " It can't be undone: changes aren't recorded here."

VERBS = {"GET": "read", "POST": "create", "PATCH": "change", "DELETE": "delete"}
# Arguments of FastAPI for the routes that change something.
ACTING = {"responses": BROKEN_BODY | NOT_FOUND | CONFLICT, "description": ON_WHICH}
CREATING = {"status_code": 201, "responses": BROKEN_BODY}
CHANGING = {"responses": BROKEN_BODY | NOT_FOUND | CHANGED_MEANWHILE}
DELETING = {"status_code": 204, "responses": NOT_FOUND | CONFLICT | CHANGED_MEANWHILE}


def guarded(need: Permission, resources: tuple[str, ...]) -> type[APIRoute]:
    """Return the class of routes that require a permission before they read the body.

    resources: the names of those that a token has to be for.
    """

    class GuardedRoute(APIRoute):
        # For the test that every route requires one, and for the document of a token.
        needed = need
        needed_resources = resources

        # Any: the handler as FastAPI types it.
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handler = super().get_route_handler()

            async def within_scope(request: Request) -> Response:
                check_scope(request, resources)
                return await handler(request)

            return needs(need, within_scope)

    return GuardedRoute


def add_routes(api: FastAPI, site: Site, resource: Resource) -> None:
    """Add the routes of a resource to the API; a read-only one answers 405 to changes."""
    read, one = resource.schemas.read, resource.label
    # Any: a list of a schema that is made at run time.
    many: Any = list[read]  # type: ignore[valid-type]
    add = partial(_add, api, resource)
    listing, options = reads_many(resource), documented(site, resource)
    add("GET", "/", listing, many, f"List {resource.label_plural}", **options)
    add("GET", "/{id}", reads_one(resource), read, f"Read {one}", responses=NOT_FOUND)
    for relationship in relationships_of(site, resource):
        add(
            "GET",
            related_path(resource, relationship).removeprefix(f"/{resource.name}"),
            reads_related(resource, relationship),
            related_schema(site, resource, relationship),
            f"Read {one} with {' '.join(words_of(relationship.key))}",
            others=(site.of(relationship.mapper.class_).name,),
            responses=NOT_FOUND,
        )
    if resource.read_only:
        return
    add("POST", "/", creates(resource), read, f"Create {one}", **CREATING)
    add("PATCH", "/{id}", changes(resource), read, f"Change {one}", **CHANGING)
    for action in resource.actions:
        path, summary = f"/actions/{action.name}", f"{action.label} {resource.label_plural}"
        verb = f"{ACTION}{action.name}"
        add("POST", path, acts(resource, action), ActionDone, summary, verb=verb, **ACTING)
    deleting = DELETING | {"description": _consequences(site)}
    add("DELETE", "/{id}", deletes(resource), None, f"Delete {one}", **deleting)


def _consequences(site: Site) -> str:
    return CONSEQUENCES + (CAN_UNDO if site.has_history else CANT_UNDO)


# Any: a schema that is made at run time, and what FastAPI takes.
def _add(
    api: FastAPI,
    resource: Resource,
    method: str,
    path: str,
    handler: Handler,
    schema: Any,
    summary: str,
    **options: Any,
) -> None:
    """Add a route, also for HEAD where it is for GET, and for a list without the trailing slash.

    others: the names of further resources whose records it answers with. verb: what it requires.
    """
    needed = (resource.name, *options.pop("others", ()))
    need = permission(resource, options.pop("verb", VERBS[method]))
    options |= {"summary": summary, "response_model": schema, "tags": [resource.label_plural]}
    at = f"/{resource.name}"
    add = partial(api.router.add_api_route, route_class_override=guarded(need, needed))
    add(at + path, handler, methods=[method], **options)
    methods = ["GET", "HEAD"] if method == "GET" else [method]
    if method == "GET":
        add(at + path, handler, methods=["HEAD"], include_in_schema=False)
    if path == "/":
        add(at, handler, methods=methods, include_in_schema=False)
