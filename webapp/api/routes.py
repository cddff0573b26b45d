"""The routes of one resource: list, create, read, change, delete, and read with its relations."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Any

from fastapi import FastAPI, Query
from sqlalchemy import select
from sqlalchemy.orm import RelationshipProperty, selectinload
from sqlmodel import SQLModel
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from webapp.admin import changes
from webapp.admin.keys import Key, parse_key
from webapp.admin.requests import session_of
from webapp.admin.resource import Resource
from webapp.admin.schemas import dumped
from webapp.admin.site import Site
from webapp.api.schemas import ErrorDetail, related_schema, relationships_of
from webapp.errors import Invalid

MOST_ROWS = 1_000
Skip = Annotated[int, Query(ge=0, le=2**31 - 1, description="How many records to leave out.")]
Limit = Annotated[int, Query(ge=0, le=MOST_ROWS, description="How many records at most.")]
Handler = Callable[..., Awaitable[Response]]

NOT_FOUND = {404: {"model": ErrorDetail}}
CONFLICT = {409: {"model": ErrorDetail}}


def add_routes(api: FastAPI, site: Site, resource: Resource) -> None:
    """Add the routes of a resource to the API."""
    read, one = resource.read_schema, resource.label

    async def list_records(request: Request, skip: Skip = 0, limit: Limit = 100) -> Response:
        rows = _page(resource, skip, limit)
        records = await session_of(request).scalars(rows)
        return JSONResponse([dumped(read, record) for record in records])

    async def create_record(request: Request, values: SQLModel) -> Response:
        given = {name: getattr(values, name) for name in type(values).model_fields}
        record = await changes.create(session_of(request), site, resource, given)
        return JSONResponse(dumped(read, record), 201)

    async def read_record(request: Request, id: str) -> Response:
        return JSONResponse(dumped(read, await _fetch(resource, request, id)))

    async def change_record(request: Request, id: str, values: SQLModel) -> Response:
        record = await _fetch(resource, request, id, is_locked=True)
        given = {name: getattr(values, name) for name in values.model_fields_set}
        await changes.change(session_of(request), site, resource, record, given)
        return JSONResponse(dumped(read, record))

    async def delete_record(request: Request, id: str) -> Response:
        await _fetch(resource, request, id, is_locked=True)
        try:
            await changes.remove(session_of(request), site, resource, [_key(resource, id)])
        except Invalid as invalid:
            raise HTTPException(409, str(invalid)) from None
        return Response(status_code=204)

    add = partial(_add, api, resource)
    # FastAPI reads a body by its annotation, and these are known only now.
    create_record.__annotations__["values"] = resource.create_schema
    change_record.__annotations__["values"] = resource.update_schema
    # Any: a list of a schema that is made at run time.
    schemas: Any = list[read]  # type: ignore[valid-type]
    add("/", list_records, f"List {resource.label_plural}", schemas)
    add("/", create_record, f"Create {one}", read, method="POST", status_code=201)
    add("/{id}", read_record, f"Read {one}", read, responses=NOT_FOUND)
    add("/{id}", change_record, f"Change {one}", read, method="PATCH", responses=NOT_FOUND)
    add(
        "/{id}",
        delete_record,
        f"Delete {one}",
        None,
        method="DELETE",
        status_code=204,
        responses=NOT_FOUND | CONFLICT,
    )
    for relationship in relationships_of(resource):
        reader = _reader_of_many if relationship.uselist else _reader_of_one
        add(
            f"/{{id}}/with-{relationship.key.replace('_', '-')}",
            reader(site, resource, relationship),
            f"Read {one} with {relationship.key.replace('_', ' ')}",
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
    """Add a route; HEAD answers where GET does, and a list also without its last slash."""
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
        load = selectinload(getattr(resource.model, name))
        record = await _fetch(resource, request, id, options=[load])
        related = getattr(record, name)
        shown = None if related is None else dumped(other.read_schema, related)
        return JSONResponse({**dumped(resource.read_schema, record), name: shown})

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
        rows = _page(other, skip, limit)
        for local, remote in relationship.local_remote_pairs or ():
            value = getattr(record, resource.name_of(local))
            rows = rows.where(remote == value)
        records = await session_of(request).scalars(rows)
        shown = [dumped(other.read_schema, related) for related in records]
        return JSONResponse({**dumped(resource.read_schema, record), name: shown})

    return read_with_many


def _page(resource: Resource, skip: int, limit: int) -> Any:
    # Any: a SELECT of a model that is known only at run time.
    key = [field.column for field in resource.key]
    return select(resource.model).order_by(*key).offset(skip).limit(limit)


def _key(resource: Resource, id: str) -> Key:
    key = parse_key(resource, id)
    if key is None:
        raise _not_found(resource)
    return key


async def _fetch(resource: Resource, request: Request, id: str, **options: Any) -> SQLModel:
    record = await changes.fetch_record(
        session_of(request), resource, _key(resource, id), **options
    )
    if record is None:
        raise _not_found(resource)
    return record


def _not_found(resource: Resource) -> HTTPException:
    return HTTPException(404, f"{resource.label[:1].upper()}{resource.label[1:]} not found")
