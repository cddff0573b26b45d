"""The OpenAPI document as a person sees it: without what they may not read."""

import re
from collections.abc import Iterable
from copy import deepcopy
from typing import Any

from hero_admin.api.list_parameters import documented
from hero_admin.api.schemas import related_path, relationships_of
from hero_admin.model.annotations import alias_of
from hero_admin.model.resource import Resource
from hero_admin.model.site import Site

REFERENCE = "#/components/schemas/"


# Any: an OpenAPI document is nested JSON.
def seen_document(document: dict[str, Any], whole: Site, seen: Site) -> dict[str, Any]:
    """Return a document without the resources and fields that a person may not read."""
    if seen is whole:
        return document
    document = deepcopy(document)
    for resource in whole.resources:
        view = seen.named(resource.name)
        if view is None:
            _without_resource(document, resource)
        else:
            _without_relations(document, whole, seen, resource)
        if view is not None and view.unseen:
            _without_fields(document, resource, view.unseen)
            _with_parameters(document, seen, view)
    return with_used_schemas(document)


# Any: an OpenAPI document is nested JSON.
def with_used_schemas(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document without the schemas that none of its operations uses."""
    schemas = document["components"]["schemas"]
    used = _used(document["paths"], schemas, set())
    components = {
        **document["components"],
        "schemas": {name: schemas[name] for name in schemas if name in used},
    }
    return {**document, "components": components}


# Any: JSON.
def _used(part: Any, schemas: dict[str, Any], found: set[str]) -> set[str]:
    """Return the names of the schemas that a part of a document refers to, however indirectly."""
    for name in re.findall(rf"'{REFERENCE}([^']+)'", str(part)):
        if name not in found:
            found.add(name)
            _used(schemas[name], schemas, found)
    return found


def _without_resource(document: dict[str, Any], resource: Resource) -> None:
    at = f"/{resource.name}"
    paths = document["paths"]
    document["paths"] = {
        path: paths[path] for path in paths if path != at and not path.startswith(f"{at}/")
    }


def _without_relations(
    document: dict[str, Any], whole: Site, seen: Site, resource: Resource
) -> None:
    """Remove the routes of relations that a person does not see."""
    view = seen.of(resource.model)
    there = {each.key for each in relationships_of(seen, view)}
    for relationship in relationships_of(whole, resource):
        if relationship.key not in there:
            document["paths"].pop(related_path(resource, relationship), None)


def _without_fields(document: dict[str, Any], resource: Resource, unseen: frozenset[str]) -> None:
    names = sent_names(resource, unseen)
    for title, schema in document["components"]["schemas"].items():
        if not _is_of(resource, title):
            continue
        for name in names & schema.get("properties", {}).keys():
            del schema["properties"][name]
        if "required" in schema:
            schema["required"] = [name for name in schema["required"] if name not in names]


def _with_parameters(document: dict[str, Any], seen: Site, view: Resource) -> None:
    """Document the search, sort and filters of a list as its reader may use them."""
    listing = document["paths"].get(f"/{view.name}/", {}).get("get")
    if listing is None:
        return
    own = documented(seen, view)["openapi_extra"]["parameters"]
    whole = documented(seen, view.entire)["openapi_extra"]["parameters"]
    replaced = {each["name"] for each in whole}
    others = [each for each in listing["parameters"] if each["name"] not in replaced]
    listing["parameters"] = [*others, *own]


def sent_names(resource: Resource, fields: Iterable[str]) -> set[str]:
    """Return what programs call fields and links when they read and send them."""
    names = {*fields}
    for name in fields:
        if name in resource.by_name:
            names.add(resource.by_name[name].public_name)
        for schema in (resource.schemas.create, resource.schemas.update):
            if name in schema.model_fields:
                names.add(alias_of(name, schema.model_fields[name]))
    return names


def _is_of(resource: Resource, title: str) -> bool:
    """Whether a schema is one of a resource, perhaps with links or related records."""
    schemas = resource.schemas
    own = (schemas.read.__name__, schemas.create.__name__, schemas.update.__name__)
    return any(title == name or title.startswith(f"{name}With") for name in own)
