"""Routes: all URLs of a resource, in the order of matching."""

from collections.abc import Awaitable, Callable
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hero_admin.model.actions import Action
from hero_admin.model.resource import Resource
from hero_admin.model.resource_rights import (
    masked_export_permission,
    permission,
    undo_permission,
)
from hero_admin.model.site import Site
from hero_admin.pages import (
    actions,
    audit_log,
    bulk_edit,
    choices,
    create,
    delete,
    export,
    files,
    global_actions,
    history,
    jobs,
    masked_export,
    show,
    unlink,
)
from hero_admin.pages import edit as editing
from hero_admin.pages.clone import clone_page
from hero_admin.pages.list import list_page
from hero_admin.pages.requests import seen_in
from hero_admin.person import Role
from hero_admin.rights import ACTION, Permission
from hero_admin.web.guards import needs, proved

Handler = Callable[[Resource, Request], Awaitable[Response]]
ActionHandler = Callable[[Resource, Action, Request], Awaitable[Response]]


def routes_of(site: Site) -> list[Route]:
    """Return the routes of all resources; an earlier route in `create_app` overrides one."""
    return [
        route
        for resource in site.paged
        for route in _routes(resource, has_history=site.has_history)
    ]


def history_routes(site: Site) -> list[Route]:
    """Return the routes of the history of all records, and of jobs, which are in it."""
    undo = needs(undo_permission(site.recorded), history.undo_operation)
    return [
        Route("/history", needs(Role.VIEWER, history.history_page), name="history"),
        Route("/undo/{operation}", undo, methods=["POST"], name="undo"),
        Route("/jobs", needs(Role.VIEWER, jobs.jobs_page), name="jobs"),
        Route("/jobs/{id}", needs(Role.VIEWER, jobs.job_page), name="job"),
        Route("/jobs/{id}/file", needs(Role.VIEWER, jobs.job_file), name="job-file"),
        Route("/jobs/{id}/cancel", needs(Role.VIEWER, jobs.cancel_job), methods=["POST"]),
        *_audit_routes(),
    ]


def _audit_routes() -> list[Route]:
    owner = partial(needs, Role.OWNER)
    at = "/audit-log"
    return [
        Route(at, owner(audit_log.audit_page), name="audit-log"),
        Route(f"{at}.csv", owner(audit_log.audit_csv), name="audit-log:csv"),
        Route(f"{at}.jsonl", owner(audit_log.audit_json_lines), name="audit-log:jsonl"),
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
    need = permission(resource, f"{ACTION}{action.name}")
    return [
        Route(
            f"{at}{path}",
            needs(need, partial(_act_as_seen, handler, resource, action)),
            methods=[verb],
        )
        for path, verb, handler in (
            ("", "GET", actions.action_page),
            ("", "POST", actions.act),
            ("/again", "POST", actions.action_again),
            ("/options/{field}", "GET", actions.action_options),
        )
    ]


def _masked_export_routes(resource: Resource) -> list[Route]:
    need, at = masked_export_permission(resource), f"/{resource.name}.masked"
    page = partial(_as_seen, masked_export.masked_export_page, resource)
    file = partial(_as_seen, masked_export.masked_export, resource)
    name = f"{resource.name}:masked"
    return [
        Route(at, needs(need, proved(page)), name=name),
        Route(at, needs(need, proved(file)), methods=["POST"]),
    ]


def _routes(resource: Resource, *, has_history: bool) -> list[Route]:
    name, at = resource.name, f"/{resource.name}"

    def route(need: Permission, path: str, noun: str, **handlers: Handler) -> list[Route]:
        """Return a route for each method, the first of which has the name."""
        return [
            Route(
                f"{at}{path}",
                needs(need, partial(_as_seen, handler, resource)),
                methods=[method.upper()],
                name=None if position else f"{name}:{noun}",
            )
            for position, (method, handler) in enumerate(handlers.items())
        ]

    def to(verb: str) -> Callable[..., list[Route]]:
        return partial(route, permission(resource, verb))

    read, export_to, create_in = to("read"), to("export"), to("create")
    change, delete_from = to("change"), to("delete")
    undo = partial(route, undo_permission([resource]))
    options = [
        *read("/options/{field}", "options", get=choices.options),
        *read("/options/{field}/counts", "facets", get=choices.facets),
    ]
    exports = [
        *export_to(".csv", "csv", get=export.csv_file),
        *export_to(".json", "json", get=export.json_file),
        *export_to(".jsonl", "jsonl", get=export.json_lines),
        *(_masked_export_routes(resource) if resource.masked_names else ()),
    ]
    values = [
        *to("reveal")("/{id}/reveal/{field}", "reveal", post=history.reveal),
        *read("/{id}/file/{field}", "file", get=files.file),
    ]
    if has_history:
        exports += export_to(".csv", "csv-job", post=export.csv_job)
        exports += export_to(".jsonl", "jsonl-job", post=export.json_lines_job)
        values += read("/{id}/history", "history", get=history.record_history_page)
        values += read("/{id}/file/{field}/{change}", "past-file", get=files.past_file)
    related = read("/{id}/{relation}", "related", get=show.related_page)
    listing = read("", "list", get=list_page)
    showing = read("/{id}", "show", get=show.show_page)
    if resource.read_only:
        # Other methods are answered with 405.
        return [*listing, *options, *showing, *exports, *values, *related]
    reverting = [
        *undo("/{id}/restore", "restore", post=history.restore_record),
        *undo("/{id}/undo", "undo", post=history.undo_change),
    ]
    unlinking = change("/{id}/{relation}", "unlink", post=unlink.unlink)
    # They are tried in this order: “new” before what has a key, and often used ones first.
    return [
        *listing,
        *create_in("", "create", post=create.create),
        *create_in("/new", "new", get=create.new_page, post=create.new_again),
        *change(
            "/change", "change-many", get=bulk_edit.change_many_page, post=bulk_edit.change_many
        ),
        *delete_from(
            "/delete", "delete-many", get=delete.delete_many_page, post=delete.delete_many
        ),
        *options,
        *showing,
        *change("/change/again", "change-many-again", post=bulk_edit.change_many_again),
        *(each for action in resource.actions for each in _action_routes(resource, action)),
        *change("/{id}/edit", "edit", get=editing.edit_page, post=editing.edit_again),
        *create_in("/{id}/clone", "clone", get=clone_page),
        *change("/{id}", "update", post=editing.update),
        *delete_from("/{id}", "delete-row", delete=delete.delete_row),
        *delete_from("/{id}/delete", "delete", get=delete.delete_page, post=delete.delete),
        *exports,
        *values,
        *(reverting if has_history else []),
        *related,
        *(unlinking if resource.many_to_many else []),
    ]


async def _act_as_seen(
    handler: ActionHandler, resource: Resource, action: Action, request: Request
) -> Response:
    return await handler(seen_in(request, resource), action, request)


async def _as_seen(handler: Handler, resource: Resource, request: Request) -> Response:
    """Answer with the resource as the person who asks sees it."""
    return await handler(seen_in(request, resource), request)
