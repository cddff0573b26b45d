"""Links in the API: what a request adds and removes, `{"tracks": {"add": [7], "remove": [3]}}`."""

from collections.abc import Mapping
from functools import lru_cache
from types import GenericAlias
from typing import Any

from pydantic import create_model, model_validator
from pydantic_core import PydanticCustomError
from sqlmodel import Field, SQLModel
from sqlmodel._compat import SQLModelConfig

from hero_admin.model.annotations import plain_annotation
from hero_admin.model.links import ManyToMany
from hero_admin.model.resource import Resource
from hero_admin.model.schemas import Schema
from hero_admin.web.errors import Invalid
from hero_admin.writes.deltas import Delta

MAX_VALUES = 1_000
NO_LIST = 'Send what to add and what to remove, as in {"add": [7], "remove": [3]}.'


class LinkChange(Schema):
    """The keys of the records to link and of those to unlink; all others stay as they are."""

    # Spaces may be a part of a key.
    model_config = SQLModelConfig(extra="forbid", str_strip_whitespace=False)

    # Any: what a client sends.
    @model_validator(mode="before")
    @classmethod
    def _no_list(cls, value: Any) -> Any:
        """Refuse a list, which could mean that all others are unlinked."""
        if isinstance(value, list):
            raise PydanticCustomError("link_change", NO_LIST)
        return value


# To make a schema takes a millisecond; there is one for each set of rights to a resource.
@lru_cache(maxsize=256)
def with_links(resource: Resource, schema: type[SQLModel]) -> type[SQLModel]:
    """Return a schema of a request that takes changes of links, too."""
    if not resource.many_to_many:
        return schema
    # Any: definitions are known only at run time.
    definitions: dict[str, Any] = {
        link.name: (_change_schema(resource, link) | None, Field(default=None))
        for link in resource.many_to_many
    }
    name = f"{schema.__name__}WithLinks"
    return create_model(name, __base__=schema, __module__=schema.__module__, **definitions)


def links_schema(resource: Resource) -> type[SQLModel]:
    """Return the schema of the links alone."""
    return with_links(resource, Schema)


# Any: the schema of a link.
def _change_schema(resource: Resource, link: ManyToMany) -> Any:
    values: Any = GenericAlias(list, (plain_annotation(link.far.written_annotation),))
    given = (values, Field(default_factory=list, max_length=MAX_VALUES))
    name = f"{resource.model.__name__}{link.name.title().replace('_', '')}Change"
    return create_model(name, __base__=LinkChange, add=given, remove=given)


def without_links(resource: Resource, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a body that are no links."""
    names = {link.name for link in resource.many_to_many}
    return {name: value for name, value in body.items() if name not in names}


def deltas_of(resource: Resource, valid: SQLModel) -> dict[ManyToMany, Delta]:
    """Return the changes of links in a valid body; raises Invalid for what cannot be stored."""
    found, errors = {}, {}
    for link in resource.many_to_many:
        change = getattr(valid, link.name)
        if change is not None:
            try:
                clean = link.far.clean
                found[link] = Delta(tuple(map(clean, change.add)), tuple(map(clean, change.remove)))
            except ValueError as error:
                errors[link.name] = str(error)
    if errors:
        raise Invalid(errors)
    return found
