"""Routes: all URLs of a resource, in the order of matching."""

from collections.abc import Awaitable, Callable
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hero_admin.model.actions import Action
from hero_admin.model.resource import Resource
from hero_admin.model.site import Site
from hero_admin.pages import (
    actions,
    bulk_edit,
    choices,
    create,
    delete,
    export,
    files,
    global_actions,
    history,
    show,
    unlink,
)
from hero_admin.pages import edit as editing
from hero_admin.pages.list import list_page
from hero_admin.person import Role
from hero_admin.web.guards import needs

Handler = Callable[[Resource, Request], Awaitable[Response]]


def routes_of(site: Site) -> list[Route]:
    """Return the routes of all resources; an earlier route in `create_app` overrides one."""
    return [
        route
        for resource in site.paged
        for route in _routes(resource, has_history=site.has_history)
    ]


def history_routes() -> list[Route]:
    """Return the routes of the history of all records."""
    undo = needs(Role.EDITOR, history.undo_operation)
    return [
        Route("/history", needs(Role.VIEWER, history.history_page), name="history"),
        Route("/undo/{operation}", undo, methods=["POST"], name="undo"),
    ]


def global_action_routes(site: Site) -> list[Route]:
    """Return the routes of the actions on no records in particular."""
    return [
        Route(
            f"/actions/{action.name}{path}",
            needs(action.role, partial(handler, action)),
            methods=[verb],
            name=None if path or verb != "GET" else f"actions:{action.name}",
        )
        for action in site.actions
        for path, verb, handler in (
            ("", "GET", global_actions.global_action_page),
            ("", "POST", global_actions.global_act),
            ("/again", "POST", global_actions.global_action_again),
            ("/options/{field}", "GET", global_actions.global_action_options),
        )
    ]


def _action_routes(resource: Resource, action: Action) -> list[Route]:
    at = f"/{resource.name}/actions/{action.name}"
    return [
        Route(f"{at}{path}", needs(action.role, partial(handler, resource, action)), methods=[verb])
        for path, verb, handler in (
            ("", "GET", actions.action_page),
            ("", "POST", actions.act),
            ("/again", "POST", actions.action_again),
            ("/options/{field}", "GET", actions.action_options),
        )
    ]


def _routes(resource: Resource, *, has_history: bool) -> list[Route]:
    name, at = resource.name, f"/{resource.name}"

    def route(
        role: Role, path: str, noun: str, get: Handler | None = None, **others: Handler
    ) -> list[Route]:
        handlers = {"get": get, **others} if get else others
        return [
            Route(
                f"{at}{path}",
                needs(role if method == "get" else Role.EDITOR, partial(handler, resource)),
                methods=[method.upper()],
                name=None if position else f"{name}:{noun}",
            )
            for position, (method, handler) in enumerate(handlers.items())
        ]

    look, edit = partial(route, Role.VIEWER), partial(route, Role.EDITOR)
    reading = [
        *look(".csv", "csv", export.csv_file),
        *look(".json", "json", export.json_file),
        *look(".jsonl", "jsonl", export.json_lines),
        *look("/options/{field}", "options", choices.options),
        *look("/options/{field}/counts", "facets", choices.facets),
        *edit("/{id}/reveal/{field}", "reveal", post=history.reveal),
        *look("/{id}/file/{field}", "file", files.file),
    ]
    past = [
        *look("/{id}/history", "history", history.record_history_page),
        *look("/{id}/file/{field}/{change}", "past-file", files.past_file),
    ]
    reverting = [
        *edit("/{id}/restore", "restore", post=history.restore_record),
        *edit("/{id}/undo", "undo", post=history.undo_change),
    ]
    reading += past if has_history else []
    unlinking = {"post": unlink.unlink} if resource.many_to_many else {}
    if resource.read_only:
        # Other methods are answered with 405.
        return [
            *look("", "list", list_page),
            *reading,
            *look("/{id}", "show", show.show_page),
            *look("/{id}/{relation}", "related", show.related_page),
        ]
    return [
        *look("", "list", list_page, post=create.create),
        *reading,
        *edit("/new", "new", create.new_page, post=create.new_again),
        *edit("/change", "change-many", bulk_edit.change_many_page, post=bulk_edit.change_many),
        *edit("/change/again", "change-many-again", post=bulk_edit.change_many_again),
        *edit("/delete", "delete-many", delete.delete_many_page, post=delete.delete_many),
        *(each for action in resource.actions for each in _action_routes(resource, action)),
        *look("/{id}", "show", show.show_page, post=editing.update, delete=delete.delete_row),
        *edit("/{id}/edit", "edit", editing.edit_page, post=editing.edit_again),
        *edit("/{id}/delete", "delete", delete.delete_page, post=delete.delete),
        *(reverting if has_history else []),
        *look("/{id}/{relation}", "related", show.related_page, **unlinking),
    ]
