"""The OpenAPI document as a person sees it: without what they may not read."""

from collections.abc import Iterable
from copy import deepcopy
from typing import Any

from hero_admin.api.list_parameters import documented
from hero_admin.model.annotations import alias_of
from hero_admin.model.resource import Resource
from hero_admin.model.site import Site


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
        elif view.unseen:
            _without_fields(document, resource, view.unseen)
            _with_parameters(document, seen, view)
    return document


def _without_resource(document: dict[str, Any], resource: Resource) -> None:
    at = f"/{resource.name}"
    paths = document["paths"]
    document["paths"] = {
        path: paths[path] for path in paths if path != at and not path.startswith(f"{at}/")
    }


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
