"""Routes: every address of a resource, in the order in which they are tried."""

from collections.abc import Awaitable, Callable
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from webapp.admin import bulk, creating, deleting, editing, export, pages, past
from webapp.admin.resource import Resource
from webapp.admin.site import Site

Handler = Callable[[Resource, Request], Awaitable[Response]]


def routes_of(site: Site) -> list[Route]:
    """Return the routes of all resources; an earlier route in `create_app` overrides one."""
    return [route for resource in site.resources for route in _routes(resource)]


def _routes(resource: Resource) -> list[Route]:
    name, at = resource.name, f"/{resource.name}"

    def route(path: str, noun: str, get: Handler | None = None, **others: Handler) -> list[Route]:
        handlers = {"get": get, **others} if get else others
        return [
            Route(
                f"{at}{path}",
                partial(handler, resource),
                methods=[method.upper()],
                name=None if place else f"{name}:{noun}",
            )
            for place, (method, handler) in enumerate(handlers.items())
        ]

    return [
        *route("", "list", pages.list_page, post=creating.create),
        *route(".csv", "csv", export.csv_file),
        *route(".json", "json", export.json_file),
        *route("/new", "new", creating.new_page, post=creating.new_again),
        *route("/options/{field}", "options", pages.options),
        *route("/change", "change-many", bulk.change_many_page, post=bulk.change_many),
        *route("/change/again", "change-many-again", post=bulk.change_many_again),
        *route("/delete", "delete-many", deleting.delete_many_page, post=deleting.delete_many),
        *route("/{id}", "show", pages.show_page, post=editing.update, delete=deleting.delete_row),
        *route("/{id}/edit", "edit", editing.edit_page, post=editing.edit_again),
        *route("/{id}/delete", "delete", deleting.delete_page, post=deleting.delete),
        *route("/{id}/history", "history", past.record_history_page),
        *route("/{id}/restore", "restore", post=past.restore_record),
        *route("/{id}/reveal/{field}", "reveal", post=past.reveal),
        *route("/{id}/{relation}", "related", pages.related_page),
    ]
