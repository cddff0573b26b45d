"""Whether the process and its database answer, for load balancers."""

from sqlalchemy import text
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response


async def healthz(_: Request) -> Response:
    """GET /healthz: the process is up."""
    return PlainTextResponse("ok\n")


async def readyz(request: Request) -> Response:
    """GET /readyz: the database answers, else 503."""
    await request.state.session.execute(text("SELECT 1"))
    return PlainTextResponse("ok\n")
