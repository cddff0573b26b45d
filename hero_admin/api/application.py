"""The API application: FastAPI, mounted at /api, on the session of the outer middleware."""

from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hero_admin.api.jobs import add_job_routes
from hero_admin.api.routes import add_routes
from hero_admin.api.schemas import ErrorDetail
from hero_admin.api.scopes import document_for
from hero_admin.api.seen_document import seen_document
from hero_admin.model.site import Site
from hero_admin.pages.requests import site_of
from hero_admin.person import Role
from hero_admin.web.errors import Invalid, answer_http_exception
from hero_admin.web.guards import identity_of, needs
from hero_admin.web.mount import path_to

DESCRIPTION = (
    "The records of this admin as JSON. Values must have the type of their field: true is not"
    " accepted as a number, nor 5 as a date. Text is parsed as in forms."
)
TOKEN = {
    "type": "http",
    "scheme": "bearer",
    "description": "A token from your account page. It can do what its role allows, for the records"
    " that it is for, and never more than its owner.",
}


class Api(FastAPI):
    """An API whose document names the authentication scheme, where people have accounts here."""

    has_accounts = True

    # Any: an OpenAPI document is nested JSON.
    def openapi(self) -> dict[str, Any]:
        document: dict[str, Any] = super().openapi()
        if not self.has_accounts:
            return document
        document["components"]["securitySchemes"] = {"token": TOKEN}
        document["security"] = [{"token": []}]
        return document


def create_api(site: Site, title: str, *, has_accounts: bool = True) -> FastAPI:
    """Return the API; without accounts it takes no tokens."""
    api = Api(
        title=f"{title} API",
        version="1",
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        responses={401: {"model": ErrorDetail}, 403: {"model": ErrorDetail}},
        exception_handlers={
            HTTPException: answer_http_exception,
            RequestValidationError: _answer_validation_error,
            Invalid: _answer_invalid,
            Exception: _pass_on,
        },
    )
    api.has_accounts = has_accounts
    api.state.site = site

    async def openapi(request: Request) -> Response:
        document = document_for(api, identity_of(request).token)
        document = seen_document(document, site, site_of(request))
        return JSONResponse({**document, "servers": [{"url": path_to("api")}]})

    api.add_route("/openapi.json", needs(Role.VIEWER, openapi))
    for resource in site.resources:
        add_routes(api, site, resource)
    if site.has_history:
        add_job_routes(api)
    return api


async def _answer_validation_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    # Without the input, which may hold what JSON cannot.
    details = [{key: detail[key] for key in ("type", "loc", "msg")} for detail in error.errors()]
    return JSONResponse({"detail": details}, 422)


async def _answer_invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, Invalid)
    details = [
        {"type": "invalid", "loc": ["body", name] if name else ["body"], "msg": sentence}
        for name, sentence in error.sentences.items()
    ]
    return JSONResponse({"detail": details}, 422)


async def _pass_on(_: Request, error: Exception) -> Response:
    # FastAPI would answer 500; the middleware outside tells a busy database from a bug.
    raise error
