"""The documentation of the API: Swagger UI from vendored files."""

from starlette.requests import Request
from starlette.responses import Response

from webapp.templating import render


async def docs_page(request: Request) -> Response:
    """GET /api/docs: the API, to read and to try."""
    return render(request, "docs.html", {}, fragments=())
