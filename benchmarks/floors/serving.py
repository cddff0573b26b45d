"""The least of an ASGI application: a page for every query."""

from collections.abc import Awaitable, Callable

from starlette.types import ASGIApp, Receive, Scope, Send

Page = Callable[[bytes], Awaitable[bytes]]


def serve_page(open_page: Callable[[], Awaitable[Page]]) -> ASGIApp:
    """Return an application that opens its page with the first request, and answers with it."""
    opened: list[Page] = []

    async def application(scope: Scope, _receive: Receive, send: Send) -> None:
        # uvicorn takes an exception for "no lifespan here".
        assert scope["type"] == "http"
        if not opened:
            opened.append(await open_page())
        body = await opened[0](scope["query_string"])
        headers = [
            (b"content-type", b"text/html; charset=utf-8"),
            (b"content-length", str(len(body)).encode()),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return application
