"""Reads of the API: a record, and a record with its related records."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Query
from sqlalchemy import ColumnElement, false
from sqlalchemy.orm import RelationshipProperty
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hero_admin.api.masked import note_masked
from hero_admin.api.records import answer, as_json_all, fetch_record, unmodified
from hero_admin.api.schemas import relationships_of
from hero_admin.model import records
from hero_admin.model.resource import Record, Resource
from hero_admin.model.site import Site
from hero_admin.pages.requests import seen_in, site_of
from hero_admin.web.requests import session_of

MAX_ROWS = 1_000
Skip = Annotated[int, Query(ge=0, le=2**31 - 1, description="Number of records to skip.")]
Limit = Annotated[int, Query(ge=0, le=MAX_ROWS, description="Maximum number of records to return.")]
Handler = Callable[..., Awaitable[Response]]


def reads_one(resource: Resource) -> Handler:
    """Return the handler of `GET /heroes/7`."""

    async def read_record(request: Request, id: str) -> Response:
        seen = seen_in(request, resource)
        record = await fetch_record(seen, request, id)
        same = await unmodified(seen, request, record)
        if same is not None:
            return same
        note_masked(seen, request, [record])
        return await answer(seen, request, record)

    return read_record


def reads_related(whole: Resource, relationship: RelationshipProperty[Any]) -> Handler:
    """Return the handler of `GET /heroes/7/with-team`, or of `GET /teams/3/with-heroes`."""
    name = relationship.key

    # A team may have a million heroes, so they are paginated.
    async def read_with_many(
        request: Request, id: str, skip: Skip = 0, limit: Limit = 100
    ) -> Response:
        site, resource = site_of(request), seen_in(request, whole)
        if relationship not in relationships_of(site, resource):
            raise HTTPException(404)
        other = site.of(relationship.mapper.class_)
        session, record = session_of(request), await fetch_record(resource, request, id)
        predicates = _related_to(site, record, resource, other, relationship)
        found = await records.fetch_where(session, other, *predicates, skip=skip, limit=limit)
        # Any: JSON.
        many = bool(relationship.uselist)
        related: Any = await as_json_all(other, request, found, is_one_of_many=many)
        if not many:
            related = next(iter(related), None)
        (own,) = await as_json_all(resource, request, [record])
        return JSONResponse({**own, name: related})

    async def read_with_one(request: Request, id: str) -> Response:
        return await read_with_many(request, id, limit=1)

    return read_with_many if relationship.uselist else read_with_one


def _related_to(
    site: Site,
    record: Record,
    resource: Resource,
    other: Resource,
    relationship: RelationshipProperty[Any],
) -> list[ColumnElement[bool]]:
    """Return the predicates of the records that a relationship leads to from this one."""
    for link in resource.many_to_many:
        if link.name == relationship.key:
            opposite = site.opposite(link)
            return [opposite.is_linked(opposite.far.exact == record[link.own.name])]
    predicates: list[ColumnElement[bool]] = []
    for local, remote in relationship.local_remote_pairs or ():
        value = record[resource.name_of(local)]
        # NULL refers to no record.
        column = other.by_name[other.name_of(remote)].exact
        predicates.append(false() if value is None else column == value)
    return predicates
