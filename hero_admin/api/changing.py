"""What the API changes: it creates, changes and deletes records, as pages do."""

from typing import Any

from sqlmodel import SQLModel
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from hero_admin.api.bodies import naming_fields_as_sent, parse_patch, unchecked
from hero_admin.api.reading import Handler
from hero_admin.api.records import answer, as_json, check_version, fetch_record, key_in
from hero_admin.model.resource import Resource
from hero_admin.model.site import Site
from hero_admin.pages.requests import operation_of
from hero_admin.web.errors import Invalid
from hero_admin.web.requests import session_of
from hero_admin.writes import deletion, single
from hero_admin.writes.transaction import Transaction


def creates(site: Site, resource: Resource) -> Handler:
    """Return the handler of `POST /heroes/`."""

    async def create_record(request: Request, values: SQLModel) -> Response:
        given = resource.schemas.values_to_insert(values)
        with naming_fields_as_sent(resource.schemas.create):
            record = await single.create(_transaction(site, request), resource, given)
        return await answer(resource, request, record, 201)

    # FastAPI reads a body by its annotation, which is known only now.
    create_record.__annotations__["values"] = resource.schemas.create
    return create_record


def changes(site: Site, resource: Resource) -> Handler:
    """Return the handler of `PATCH /heroes/7`, which changes the fields that are sent."""

    # Any: JSON.
    async def change_record(request: Request, id: str, values: Any) -> Response:
        record = await fetch_record(resource, request, id, is_locked=True)
        check_version(resource, request, record)
        given = parse_patch(resource, values, as_json(resource, request, record))
        with naming_fields_as_sent(resource.schemas.update):
            await single.change(_transaction(site, request), resource, record, given)
        return await answer(resource, request, record)

    change_record.__annotations__["values"] = unchecked(resource.schemas.update)
    return change_record


def deletes(site: Site, resource: Resource) -> Handler:
    """Return the handler of `DELETE /heroes/7`."""

    async def delete_record(request: Request, id: str) -> Response:
        record = await fetch_record(resource, request, id, is_locked=True)
        check_version(resource, request, record)
        try:
            await deletion.remove(_transaction(site, request), resource, [key_in(resource, id)])
        except Invalid as invalid:
            raise HTTPException(409, str(invalid)) from None
        return Response(status_code=204)

    return delete_record


def _transaction(site: Site, request: Request) -> Transaction:
    return Transaction(session_of(request), site, operation_of(request, "api"))
