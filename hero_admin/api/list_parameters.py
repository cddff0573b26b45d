"""The parameters of a list in the OpenAPI document: its search, sort and filters."""

from collections.abc import Iterator
from typing import Any

from hero_admin.listing.filters import ANY, none_of
from hero_admin.listing.options import fixed_options
from hero_admin.listing.query_parser import MAX_SEARCH_CHARACTERS, MAX_VALUES, sortable_fields
from hero_admin.model.fields import Field
from hero_admin.model.labels import in_sentence
from hero_admin.model.resource import Resource
from hero_admin.model.site import Site
from hero_admin.web.texts import listed

DESCRIPTION = (
    "Without q, sort and filters, records come in the order of their keys; else as the page of"
    " the list sorts them. The Link header has the URL of the next page, until there is none."
    " A page of a search may have fewer records than there are on the next ones."
)
MASKED = " Masked values are null unless the request has a token of an editor."
LINK = {
    "description": 'The URL of the next page, as `<…>; rel="next"`; absent on the last one.',
    "schema": {"type": "string"},
}
TEXT = {"type": "string"}
TEXTS = {"type": "array", "items": TEXT, "maxItems": MAX_VALUES}


# Any: what FastAPI takes, and an OpenAPI document.
def documented(site: Site, resource: Resource) -> dict[str, Any]:
    """Return the arguments of a route that document the list of a resource."""
    parameters = [
        {"name": name, "in": "query", "required": False, "schema": schema, "description": text}
        for name, schema, text in _parameters(site, resource)
    ]
    masked = MASKED if resource.masked_names else ""
    return {
        "description": DESCRIPTION + masked,
        "responses": {200: {"headers": {"Link": LINK}}},
        "openapi_extra": {"parameters": parameters},
    }


def _parameters(site: Site, resource: Resource) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Yield the name, the schema and the meaning of each parameter."""
    if resource.search_fields:
        searched = listed([in_sentence(field.label) for field in resource.search_fields])
        yield "q", TEXT, f"Words in {searched}, at most {MAX_SEARCH_CHARACTERS} characters"
    names = [field.name for field in sortable_fields(resource)]
    default = resource.default_sort
    sorts = f"one of {', '.join(names)}, or -{names[0]} for descending order"
    yield "sort", TEXT, f"{sorts}; {default} if there is a search or a filter"
    for field in resource.filter_fields:
        name = resource.filter_names[field.name].name
        if field.is_range:
            yield f"{name}_min", TEXT, f"{field.label} from this value on"
            yield f"{name}_max", TEXT, f"{field.label} up to this value"
        if not field.is_range or field.is_optional:
            yield name, TEXTS, _meaning(site, field)
    for link in resource.filter_links:
        name, target = resource.filter_names[link.name].name, site.of(link.target)
        values = f"{_key_label(site, link.far)} of a linked {target.label}"
        yield name, TEXTS, _several(values, none_of(link.far))


def _meaning(site: Site, field: Field) -> str:
    """Return what the values of a filter are."""
    none = none_of(field) if field.is_optional else ""
    if field.is_range:
        return f"“{none}”: those without a value"
    if field.is_bytes:
        return f"“{ANY}”: those with a file, “{none}”: those without"
    if field.relation:
        return _several(f"{_key_label(site, field)} of a {site.target_of(field).label}", none)
    options = fixed_options(field)
    values = [f"“{option.value}”" for option in options.options] if options else []
    return _several(", ".join(values) or in_sentence(field.label), none)


def _several(values: str, none: str) -> str:
    return f"{values}; several for any of them" + (f", “{none}” for those without" if none else "")


def _key_label(site: Site, field: Field) -> str:
    return site.target_field_of(field).label
