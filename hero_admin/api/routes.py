"""The routes of one resource: list, create, read, change, delete, and read with its relations."""

from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Annotated, Any

from fastapi import FastAPI, Query
from fastapi.routing import APIRoute
from sqlalchemy import ColumnElement, false
from sqlalchemy.orm import RelationshipProperty
from sqlmodel import SQLModel
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hero_admin.api.schemas import ErrorDetail, related_schema, relationships_of
from hero_admin.api.sent import read_sent, unchecked
from hero_admin.database.engines import SAFE_METHODS
from hero_admin.model import records
from hero_admin.model.annotations import alias_of
from hero_admin.model.labels import words_of
from hero_admin.model.primary_keys import Key, key_of, parse_key
from hero_admin.model.resource import Record, Resource
from hero_admin.model.schemas import dumped
from hero_admin.model.serialization import keyed_digest, snapshot_of
from hero_admin.model.site import Site
from hero_admin.pages.files import with_bytes
from hero_admin.pages.requests import operation_of
from hero_admin.person import Role
from hero_admin.web.errors import Invalid
from hero_admin.web.guards import identity_of, needs
from hero_admin.web.requests import secret_of, session_of
from hero_admin.web.templating import capitalised
from hero_admin.writes import deletion, single
from hero_admin.writes.transaction import Transaction

MAX_ROWS = 1_000
Skip = Annotated[int, Query(ge=0, le=2**31 - 1, description="Number of records to skip.")]
Limit = Annotated[int, Query(ge=0, le=MAX_ROWS, description="Maximum number of records to return.")]
Handler = Callable[..., Awaitable[Response]]

BROKEN_BODY = {400: {"model": ErrorDetail}}
NOT_FOUND = {404: {"model": ErrorDetail}}
CONFLICT = {409: {"model": ErrorDetail}}
CHANGED_MEANWHILE = {412: {"model": ErrorDetail}}
VIA = "api"
WHAT_GOES_ALONG = (
    "Records that refer to it lose that value or are deleted too, as the database defines; if any"
    " can't be without it, nothing is deleted: 409. The delete page shows the effects beforehand."
    " Undo, in the history, restores all rows, but doesn't revert what database triggers did."
)


class GuardedRoute(APIRoute):
    """A route that only looks is for viewers, one that changes something for editors."""

    # Any: what FastAPI calls the function that takes a request to its answer.
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        is_safe = set(self.methods or ()) <= SAFE_METHODS
        self.needed_role = Role.VIEWER if is_safe else Role.EDITOR
        # Before the body is read: who may not change anything has nothing to send.
        return needs(self.needed_role, super().get_route_handler())


def _transaction(site: Site, request: Request) -> Transaction:
    return Transaction(session_of(request), site, operation_of(request, VIA))


def add_routes(api: FastAPI, site: Site, resource: Resource) -> None:
    """Add the routes of a resource to the API."""
    read, one = resource.schemas.read, resource.label

    async def list_records(request: Request, skip: Skip = 0, limit: Limit = 100) -> Response:
        session = session_of(request)
        found = await records.fetch_where(session, resource, skip=skip, limit=limit)
        hidden = _hidden(resource, request)
        return JSONResponse([dumped(read, record, hidden) for record in found])

    async def create_record(request: Request, values: SQLModel) -> Response:
        given = resource.schemas.values_to_insert(values)
        with _by_alias(resource.schemas.create):
            record = await single.create(_transaction(site, request), resource, given)
        return await _answer(resource, request, record, 201)

    async def read_record(request: Request, id: str) -> Response:
        record = await _fetch(resource, request, id)
        if _names(request.headers.get("if-none-match", ""), _etag(resource, request, record)):
            return Response(status_code=304, headers={"ETag": _etag(resource, request, record)})
        return await _answer(resource, request, record)

    # Any: JSON.
    async def change_record(request: Request, id: str, values: Any) -> Response:
        record = await _fetch(resource, request, id, is_locked=True)
        _check_match(resource, request, record)
        given = read_sent(resource, values, _shown(resource, request, record))
        with _by_alias(resource.schemas.update):
            await single.change(_transaction(site, request), resource, record, given)
        return await _answer(resource, request, record)

    async def delete_record(request: Request, id: str) -> Response:
        record = await _fetch(resource, request, id, is_locked=True)
        _check_match(resource, request, record)
        try:
            await deletion.remove(_transaction(site, request), resource, [_key(resource, id)])
        except Invalid as invalid:
            raise HTTPException(409, str(invalid)) from None
        return Response(status_code=204)

    add = partial(_add, api, resource)
    # FastAPI reads a body by its annotation, and these are known only now.
    create_record.__annotations__["values"] = resource.schemas.create
    change_record.__annotations__["values"] = unchecked(resource.schemas.update)
    # Any: a list of a schema that is made at run time.
    schemas: Any = list[read]  # type: ignore[valid-type]
    add("/", list_records, f"List {resource.label_plural}", schemas)
    add(
        "/",
        create_record,
        f"Create {one}",
        read,
        method="POST",
        status_code=201,
        responses=BROKEN_BODY,
    )
    add("/{id}", read_record, f"Read {one}", read, responses=NOT_FOUND)
    add(
        "/{id}",
        change_record,
        f"Change {one}",
        read,
        method="PATCH",
        responses=BROKEN_BODY | NOT_FOUND | CHANGED_MEANWHILE,
    )
    add(
        "/{id}",
        delete_record,
        f"Delete {one}",
        None,
        method="DELETE",
        status_code=204,
        responses=NOT_FOUND | CONFLICT | CHANGED_MEANWHILE,
        description=WHAT_GOES_ALONG,
    )
    for relationship in relationships_of(resource):
        reader = _reader_of_many if relationship.uselist else _reader_of_one
        add(
            f"/{{id}}/with-{relationship.key.replace('_', '-')}",
            reader(site, resource, relationship),
            f"Read {one} with {' '.join(words_of(relationship.key))}",
            related_schema(site, resource, relationship),
            responses=NOT_FOUND,
        )


def _add(
    api: FastAPI,
    resource: Resource,
    path: str,
    handler: Handler,
    summary: str,
    schema: Any,
    *,
    method: str = "GET",
    **options: Any,
) -> None:
    """Add a route; HEAD answers where GET does, and a list also without its last slash.

    What is only looked at has no others, which are answered with 405.
    """
    if resource.read_only and method != "GET":
        return
    options |= {"summary": summary, "response_model": schema, "tags": [resource.label_plural]}
    at = f"/{resource.name}"
    api.add_api_route(at + path, handler, methods=[method], **options)
    if method == "GET":
        api.add_api_route(at + path, handler, methods=["HEAD"], include_in_schema=False)
    if path == "/":
        methods = ["GET", "HEAD"] if method == "GET" else [method]
        api.add_api_route(at, handler, methods=methods, include_in_schema=False)


def _reader_of_one(
    site: Site, resource: Resource, relationship: RelationshipProperty[Any]
) -> Handler:
    other, name = site.of(relationship.mapper.class_), relationship.key

    async def read_with_one(request: Request, id: str) -> Response:
        record = await _fetch(resource, request, id)
        predicates = _joining(resource, other, relationship, record)
        found = await records.fetch_where(session_of(request), other, *predicates, limit=1)
        shown = _shown(other, request, found[0]) if found else None
        return JSONResponse({**_shown(resource, request, record), name: shown})

    return read_with_one


def _reader_of_many(
    site: Site, resource: Resource, relationship: RelationshipProperty[Any]
) -> Handler:
    other, name = site.of(relationship.mapper.class_), relationship.key

    async def read_with_many(
        request: Request, id: str, skip: Skip = 0, limit: Limit = 100
    ) -> Response:
        record = await _fetch(resource, request, id)
        # A team may have a million heroes, so they come by the page.
        predicates = _joining(resource, other, relationship, record)
        session = session_of(request)
        found = await records.fetch_where(session, other, *predicates, skip=skip, limit=limit)
        shown = [_shown(other, request, related) for related in found]
        return JSONResponse({**_shown(resource, request, record), name: shown})

    return read_with_many


def _joining(
    resource: Resource, other: Resource, relationship: RelationshipProperty[Any], record: Record
) -> list[ColumnElement[bool]]:
    """Return what the records fulfil that a relationship leads to from this one."""
    found: list[ColumnElement[bool]] = []
    for local, remote in relationship.local_remote_pairs or ():
        value = record[resource.name_of(local)]
        # NULL points at nothing.
        there = other.by_name[other.name_of(remote)].exact
        found.append(false() if value is None else there == value)
    return found


# Any: JSON values.
def _shown(resource: Resource, request: Request, record: Record) -> dict[str, Any]:
    return dumped(resource.schemas.read, record, _hidden(resource, request))


@contextmanager
def _by_alias(schema: type[SQLModel]) -> Iterator[None]:
    """Call a refused field as the client has sent it."""
    try:
        yield
    except Invalid as invalid:
        aliases = {name: alias_of(name, info) for name, info in schema.model_fields.items()}
        invalid.sentences = {
            aliases.get(name, name): sentence for name, sentence in invalid.sentences.items()
        }
        raise


def _hidden(resource: Resource, request: Request) -> frozenset[str]:
    """Return the fields whose values this reader may not have."""
    return frozenset() if identity_of(request).can_edit else resource.masked_names


async def _answer(
    resource: Resource, request: Request, record: Record, status: int = 200
) -> Response:
    headers = {"ETag": _etag(resource, request, record)}
    if status == 201:
        headers["Location"] = f"/api/{resource.name}/{key_of(resource, record)}"
    whole = await with_bytes(session_of(request), resource, record)
    return JSONResponse(_shown(resource, request, whole), status, headers)


def _etag(resource: Resource, request: Request, record: Record) -> str:
    """Return the version of a record as its reader sees it; other values make another one."""
    hidden = _hidden(resource, request)
    names = [field.name for field in resource.fields if field.name not in hidden]
    seen = snapshot_of(resource, {name: record[name] for name in names})
    digest = keyed_digest(secret_of(request), resource.name, seen)
    return f'"{digest}"'


def _check_match(resource: Resource, request: Request, record: Record) -> None:
    """Raise 412 if the record is not the one that `If-Match` names."""
    wanted = request.headers.get("if-match")
    if wanted is not None and not _names(wanted, _etag(resource, request, record)):
        raise HTTPException(
            412, f"Someone else has changed this {resource.label}. Read it again first."
        )


def _names(header: str, etag: str) -> bool:
    given = {part.strip().removeprefix("W/") for part in header.split(",")}
    return "*" in given or etag in given


def _key(resource: Resource, id: str) -> Key:
    key = parse_key(resource, id)
    if key is None:
        raise _not_found(resource)
    return key


async def _fetch(
    resource: Resource, request: Request, id: str, *, is_locked: bool = False
) -> Record:
    session, key = session_of(request), _key(resource, id)
    record = await records.fetch_record(session, resource, key, is_locked=is_locked)
    if record is None:
        raise _not_found(resource)
    return record


def _not_found(resource: Resource) -> HTTPException:
    return HTTPException(404, f"{capitalised(resource.label)} not found")
