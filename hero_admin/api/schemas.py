"""Schemas of errors, and of a record with its related records."""

from typing import Any

from pydantic import create_model
from sqlalchemy import inspect
from sqlalchemy.orm import RelationshipDirection, RelationshipProperty
from sqlmodel import SQLModel

from hero_admin.model.resource import Resource
from hero_admin.model.site import Site


class ErrorDetail(SQLModel):
    """Why a request failed."""

    detail: str


def relationships_of(site: Site, resource: Resource) -> list[RelationshipProperty[Any]]:
    """Return the relationships to administered models by fields and links that are there."""
    return [
        relationship
        for relationship in inspect(resource.model).relationships
        if site.administers(relationship.mapper.class_)
        if _is_there(site, resource, relationship)
    ]


def _is_there(site: Site, resource: Resource, relationship: RelationshipProperty[Any]) -> bool:
    """Whether a resource has the link, or both have the fields, of a relationship."""
    if relationship.direction is RelationshipDirection.MANYTOMANY:
        return any(link.name == relationship.key for link in resource.many_to_many)
    own = {field.column for field in resource.fields}
    theirs = {field.column for field in site.of(relationship.mapper.class_).fields}
    pairs = relationship.local_remote_pairs or ()
    return all(local in own and remote in theirs for local, remote in pairs)


def related_path(resource: Resource, relationship: RelationshipProperty[Any]) -> str:
    """Return the path of a record with the records of one relationship."""
    return f"/{resource.name}/{{id}}/with-{relationship.key.replace('_', '-')}"


def related_schema(
    site: Site, resource: Resource, relationship: RelationshipProperty[Any]
) -> type[SQLModel]:
    """Return the schema of a record with the records of one relationship."""
    name = relationship.key
    # Any: the schema of the other side is made at run time.
    other: Any = site.of(relationship.mapper.class_).schemas.read
    annotation: Any = list[other] if relationship.uselist else other | None
    title = f"{resource.schemas.read.__name__}With{name.title().replace('_', '')}"
    definitions: dict[str, Any] = {name: (annotation, [] if relationship.uselist else None)}
    return create_model(title, __base__=resource.schemas.read, **definitions)
