"""Bodies of requests: of a PATCH, values that were read and sent back change nothing."""

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError, WrapValidator
from sqlmodel import SQLModel

from hero_admin.model.annotations import alias_of
from hero_admin.model.resource import Resource
from hero_admin.web.errors import Invalid


# Any: FastAPI reads a body by its annotation, which is known only when the API is made.
def unchecked(schema: type[SQLModel]) -> Any:
    """Return the annotation of a body that a schema documents, and `parse_patch` checks."""
    return Annotated[schema, WrapValidator(lambda body, _: body)]


# Any: JSON, and the values of any field.
def parse_patch(resource: Resource, body: Any, shown: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a body that are not those that the API shows of the record.

    A text that its column's type cannot read and an infinite number could not be sent otherwise;
    whoever reads a record and sends all of it back changes nothing.
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
def naming_fields_as_sent(schema: type[SQLModel]) -> Iterator[None]:
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
