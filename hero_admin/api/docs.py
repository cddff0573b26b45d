"""The documentation of the API: its OpenAPI document as a page of this site."""

from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount

from hero_admin.api.seen_document import seen_document
from hero_admin.pages.requests import site_of
from hero_admin.web.mount import path_to
from hero_admin.web.responses import render

# Constraints of OpenAPI in words.
LIMITS = {
    "minimum": "at least {:,.15g}",
    "maximum": "at most {:,.15g}",
    "minLength": "at least {:,} characters",
    "maxLength": "at most {:,} characters",
    "pattern": "like {}",
}


@dataclass(frozen=True)
class Value:
    """A parameter or a property: its type in words, and the schema that it refers to, if any."""

    name: str
    type: str
    reference: str
    is_required: bool
    note: str


@dataclass(frozen=True)
class Answer:
    status: str
    text: str
    value: Value


@dataclass(frozen=True)
class Operation:
    id: str
    method: str
    path: str
    summary: str
    parameters: tuple[Value, ...]
    body: Value | None
    answers: tuple[Answer, ...]


async def docs_page(request: Request) -> Response:
    """GET /api/docs: every operation and every schema of the API."""
    mount = next(
        route for route in request.app.routes if isinstance(route, Mount) and route.name == "api"
    )
    assert isinstance(mount.app, FastAPI)
    document = seen_document(mount.app.openapi(), mount.app.state.site, site_of(request))
    sections: dict[str, list[Operation]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            found = _operation(method, f"{path_to('api')}{path}", operation)
            sections.setdefault(operation["tags"][0], []).append(found)
    schemas = {
        name: _properties(schema) for name, schema in document["components"]["schemas"].items()
    }
    url = path_to("api", "openapi.json")
    context = {"sections": sections, "schemas": schemas, "document_url": url}
    return render(request, "docs.html", context, fragments=())


# Any: an OpenAPI document is nested JSON.
def _operation(method: str, path: str, operation: dict[str, Any]) -> Operation:
    body = operation.get("requestBody")
    return Operation(
        id=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation["summary"],
        parameters=tuple(
            _value(
                parameter["name"],
                parameter["schema"],
                parameter.get("required", False),
                parameter.get("description", ""),
            )
            for parameter in operation.get("parameters", ())
        ),
        body=_value("", _schema_of(body), True) if body else None,
        answers=tuple(
            Answer(status, answer["description"], _value("", _schema_of(answer), True))
            for status, answer in operation["responses"].items()
        ),
    )


def _schema_of(content: dict[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = (
        content.get("content", {}).get("application/json", {}).get("schema", {})
    )
    return schema


def _properties(schema: dict[str, Any]) -> tuple[Value, ...]:
    required = schema.get("required", ())
    return tuple(
        _value(name, found, name in required, found.get("description", ""))
        for name, found in schema.get("properties", {}).items()
    )


def _value(name: str, schema: dict[str, Any], is_required: bool, note: str = "") -> Value:
    options = [option for option in schema.get("anyOf", [schema]) if option.get("type") != "null"]
    is_nullable = len(options) < len(schema.get("anyOf", options))
    words = [_type(option) for option in options]
    limits = [
        sentence.format(option[key])
        for option in options
        for key, sentence in LIMITS.items()
        if key in option
    ]
    if "default" in schema and schema["default"] is not None:
        limits.append(f"default {schema['default']}")
    notes = dict.fromkeys([note, *(option.get("description", "") for option in options)])
    kind = " or ".join(dict.fromkeys([*words, *(["null"] if is_nullable else [])]))
    references = [reference for option in options if (reference := _reference(option))]
    return Value(
        name,
        kind,
        references[0] if references else "",
        is_required,
        "; ".join([*limits, *filter(None, notes)]),
    )


def _type(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return " or ".join(f"“{option}”" for option in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {})) or 'anything'}"
    if "$ref" in schema:
        return _reference(schema)
    names = {"string": "text", "integer": "whole number", "boolean": "true or false"}
    kind = str(schema.get("type", ""))
    return str(schema.get("format", "")) or names.get(kind, kind)


def _reference(schema: dict[str, Any]) -> str:
    target = schema.get("items", schema).get("$ref", "")
    return str(target).rpartition("/")[2]
