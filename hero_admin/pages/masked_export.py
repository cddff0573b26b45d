"""Export with masked values: asked for by itself, of owners who have proved who they are lately."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from hero_admin.listing.exports import csv_format, json_format, json_lines_format
from hero_admin.listing.urls import ListParameters
from hero_admin.model.labels import in_sentence
from hero_admin.model.resource import Resource
from hero_admin.pages.export import download
from hero_admin.pages.requests import query_of
from hero_admin.web.addresses import with_raw_query
from hero_admin.web.mount import path_to
from hero_admin.web.requests import back_of, form_of
from hero_admin.web.responses import render
from hero_admin.web.texts import listed

FORMATS = {"csv": "CSV", "json": "JSON", "jsonl": "JSON Lines"}
FILES = {"csv": csv_format, "json": json_format, "jsonl": json_lines_format}


async def masked_export_page(resource: Resource, request: Request) -> Response:
    """GET /heroes.masked?q=…: asks for the format, and says that it is told."""
    query = query_of(request, resource, path_to(resource.name))
    if query.problems:
        raise HTTPException(400, " ".join(problem.sentence for problem in query.problems))
    fields = [field for field in resource.fields if field.is_masked]
    context = {
        "resource": resource,
        "labels": listed([in_sentence(field.label) for field in fields]),
        "is_narrowed": bool(ListParameters(query).narrowing),
        "formats": FORMATS,
        "url": with_raw_query(request),
        "cancel_url": back_of(request, path_to(resource.name)),
    }
    return render(request, "admin/masked_export.html", context, fragments=())


async def masked_export(resource: Resource, request: Request) -> Response:
    """POST /heroes.masked?q=…: the list with masked values, as a file."""
    chosen = (await form_of(request)).get("format")
    if not isinstance(chosen, str) or chosen not in FILES:
        raise HTTPException(400, "Choose a format.")
    written = FILES[chosen](resource, has_masked=True)
    return await download(resource, request, written, has_masked=True)
