"""A browser without JavaScript, in front of the application or of a server."""

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, Concatenate, ParamSpec, Self
from urllib.parse import urlencode

import httpx
from starlette.types import ASGIApp

from hero_admin.testing.page.form import Form, Value
from hero_admin.testing.page.page import Page
from hero_admin.testing.page.source import BASE_URL

Arguments = ParamSpec("Arguments")


def _answered_by_a_page(
    method: Callable[Concatenate[httpx.AsyncClient, Arguments], Awaitable[httpx.Response]],
    # What a coroutine sends and receives is the event loop's own business.
) -> Callable[Concatenate["Client", Arguments], Coroutine[Any, Any, Page]]:
    """A method of httpx's client, with the same arguments, for a `Client`."""

    async def send(client: "Client", /, *args: Arguments.args, **options: Arguments.kwargs) -> Page:
        return Page(await method(client.http, *args, **options))

    return send


class Client:
    """Sends requests as `http` does, its cookies with them; what it gets is a `Page`."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def __aenter__(self) -> Self:
        await self.http.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()

    @property
    def cookies(self) -> httpx.Cookies:
        return self.http.cookies

    @property
    def headers(self) -> httpx.Headers:
        return self.http.headers

    request = _answered_by_a_page(httpx.AsyncClient.request)
    get = _answered_by_a_page(httpx.AsyncClient.get)
    head = _answered_by_a_page(httpx.AsyncClient.head)
    post = _answered_by_a_page(httpx.AsyncClient.post)
    put = _answered_by_a_page(httpx.AsyncClient.put)
    patch = _answered_by_a_page(httpx.AsyncClient.patch)
    delete = _answered_by_a_page(httpx.AsyncClient.delete)

    async def submit(
        self,
        form: Form,
        changes: Mapping[str, Value] | None = None,
        /,
        *,
        headers: Mapping[str, str] | None = None,
        **more: Value,
    ) -> Page:
        """Fill in a form and send it; the answer as it is, no redirect followed.

        Changes go by the control's name: see `Form.filled_in`.
        """
        pairs = form.filled_in({**(changes or {}), **more})
        if form.method == "get":
            url = httpx.URL(form.url).copy_with(query=urlencode(pairs).encode())
            return await self.get(url, headers=headers)
        origin = httpx.URL(form.url).copy_with(raw_path=b"/")
        sent_headers = {
            "Origin": str(origin).rstrip("/"),
            "Sec-Fetch-Site": "same-origin",
            **(headers or {}),
        }
        if form.enctype == "multipart/form-data":
            parts = [(name, (None, value)) for name, value in pairs]
            empty = [(name, ("", b"", "application/octet-stream")) for name in form.files]
            return await self.post(form.url, files=[*parts, *empty], headers=sent_headers)
        sent_headers["Content-Type"] = "application/x-www-form-urlencoded"
        return await self.post(form.url, content=urlencode(pairs), headers=sent_headers)

    async def follow(self, page: Page) -> Page:
        """The page that a redirect leads to, for a browser (303) or for htmx (HX-Redirect)."""
        address = page.headers.get("location") or page.headers.get("hx-redirect")
        assert address, f"{page.status_code} is no redirect: {page.text[:500]}"
        return await self.get(page.url.join(address))


def client_of(app: ASGIApp, *, raises: bool = True, address: str = "127.0.0.1") -> Client:
    """A client of an application that is started up: a browser on one of its own pages.

    An error that the application does not answer itself is raised; with `raises=False` the client
    gets what a server would send.
    """
    # Any: httpx writes the types of ASGI in its own way.
    served: Any = app
    transport = httpx.ASGITransport(served, raise_app_exceptions=raises, client=(address, 50000))
    headers = {"Sec-Fetch-Site": "same-origin"}
    return Client(httpx.AsyncClient(transport=transport, base_url=BASE_URL, headers=headers))


def htmx_headers(target: str, *, current_url: str = BASE_URL) -> dict[str, str]:
    """What htmx 4 sends when it asks for a fragment; the target is written `section#list`."""
    return {
        "HX-Request": "true",
        "HX-Request-Type": "partial",
        "HX-Target": target,
        "HX-Current-URL": current_url,
    }
