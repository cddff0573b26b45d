"""Writes of the API: create, change and delete records through `writes`, as pages do."""

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError, WrapValidator
from sqlmodel import SQLModel
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from hero_admin.api.links import deltas_of, links_schema, with_links, without_links
from hero_admin.api.masked import note_masked
from hero_admin.api.reading import Handler
from hero_admin.api.records import (
    answer,
    as_json,
    check_version,
    fetch_record,
    key_in,
)
from hero_admin.api.seen_document import sent_names
from hero_admin.model.annotations import alias_of
from hero_admin.model.resource import Resource
from hero_admin.pages.requests import seen_in, transaction_of
from hero_admin.web.errors import Invalid
from hero_admin.writes import deletion, single
from hero_admin.writes.link_locks import lock_links
from hero_admin.writes.links import change_all_links
from hero_admin.writes.rules import checked_together


def creates(whole: Resource) -> Handler:
    """Return the handler of `POST /heroes/`."""

    # Any: JSON.
    async def create_record(request: Request, values: Any) -> Response:
        resource = seen_in(request, whole)
        schema = with_links(resource, resource.schemas.create)
        valid = _validated(schema, _without_unseen(resource, values), ())
        given = without_links(resource, resource.schemas.values_to_insert(valid))
        transaction = transaction_of(request, "api")
        with _naming_fields_as_sent(schema):
            deltas = deltas_of(resource, valid)
            async with checked_together(transaction, resource) as together:
                record = await single.create(together, resource, given)
                await change_all_links(together, resource, [record], deltas)
        # A hook, or the database, may have filled in others.
        note_masked(resource, request, [record], sent=valid.model_fields_set)
        return await answer(resource, request, record, 201)

    schema = with_links(whole, whole.schemas.create)
    create_record.__annotations__["values"] = _unchecked(schema)
    return create_record


def changes(whole: Resource) -> Handler:
    """Return the handler of `PATCH /heroes/7`, which changes the fields that are sent."""

    # Any: JSON.
    async def change_record(request: Request, id: str, values: Any) -> Response:
        resource = seen_in(request, whole)
        record = await fetch_record(resource, request, id, is_locked=True)
        check_version(resource, request, record)
        links, sent = links_schema(resource), {}
        given = values = _without_unseen(resource, values)
        if isinstance(values, dict):
            given = without_links(resource, values)
            sent = {name: each for name, each in values.items() if name not in given}
        given = _parse_patch(whole, given, as_json(resource, request, record))
        transaction = transaction_of(request, "api")
        with _naming_fields_as_sent(resource.schemas.update):
            deltas = deltas_of(resource, _validated(links, sent, ()))
            await lock_links(transaction.session, [record], deltas)
            async with checked_together(transaction, resource) as together:
                await single.change(together, resource, record, given)
                await change_all_links(together, resource, [record], deltas)
        note_masked(resource, request, [record], sent=given)
        return await answer(resource, request, record)

    schema = with_links(whole, whole.schemas.update)
    change_record.__annotations__["values"] = _unchecked(schema)
    return change_record


def deletes(whole: Resource) -> Handler:
    """Return the handler of `DELETE /heroes/7`."""

    async def delete_record(request: Request, id: str) -> Response:
        resource = seen_in(request, whole)
        record = await fetch_record(resource, request, id, is_locked=True)
        check_version(resource, request, record)
        try:
            transaction = transaction_of(request, "api")
            await deletion.remove(transaction, resource, [key_in(resource, id)])
        except Invalid as invalid:
            raise HTTPException(409, str(invalid)) from None
        return Response(status_code=204)

    return delete_record


# Any: FastAPI reads a body by its annotation, which is known only when the API is made.
def _unchecked(schema: type[SQLModel]) -> Any:
    """Return the annotation of a body that a schema documents, and `_parse_patch` checks."""
    return Annotated[schema, WrapValidator(lambda body, _: body)]


# Any: JSON.
def _without_unseen(resource: Resource, body: Any) -> Any:
    """Return a body without what its sender may not read, which to them is unknown."""
    if not (resource.unseen and isinstance(body, dict)):
        return body
    unseen = sent_names(resource.entire, resource.unseen)
    return {key: value for key, value in body.items() if key not in unseen}


# Any: JSON, and the values of any field.
def _parse_patch(resource: Resource, body: Any, shown: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a body that differ from those that the API shows of the record.

    So a client that sends back all it has read changes nothing, even if there are infinite numbers
    or values that the type of their column cannot read.
    """
    infos = resource.schemas.update.model_fields
    names = {name: name for name in infos} | {alias_of(name, infos[name]): name for name in infos}
    sent = {key: names[key] for key in body if key in names} if isinstance(body, dict) else {}
    public = {name: resource.by_name[name].public_name for name in sent.values()}
    same = {
        key
        for key, name in sent.items()
        if public[name] in shown and _is_same(body[key], shown[public[name]])
    }
    valid = _validated(resource.schemas.update, body, same)
    changed = valid.model_fields_set - {sent[key] for key in same}
    return {name: getattr(valid, name) for name in infos if name in changed}


@contextmanager
def _naming_fields_as_sent(schema: type[SQLModel]) -> Iterator[None]:
    """Name the fields of `Invalid` by their aliases, as the client has sent them."""
    try:
        yield
    except Invalid as invalid:
        aliases = {name: alias_of(name, info) for name, info in schema.model_fields.items()}
        invalid.sentences = {
            aliases.get(name, name): sentence for name, sentence in invalid.sentences.items()
        }
        raise


def _is_same(sent: Any, shown: Any) -> bool:
    # To Python 1, 1.0 and True are the same.
    return json.dumps(sent) == json.dumps(shown)


def _validated(schema: type[SQLModel], body: Any, same: Collection[str]) -> SQLModel:
    try:
        return schema.model_validate(body)
    except ValidationError as error:
        if same:
            rest = {key: value for key, value in body.items() if key not in same}
            return _validated(schema, rest, ())
        details = error.errors(include_url=False, include_context=False, include_input=False)
        raise RequestValidationError(
            [{**detail, "loc": ("body", *detail["loc"])} for detail in details]
        ) from None
