"""Responses: pages, their fragments, redirects, and the message that follows one."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from jinja2 import Environment
from jinja2_fragments import render_block
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from hero_admin.person import Identity
from hero_admin.web.addresses import is_secure, with_raw_query
from hero_admin.web.flash import (
    FLASH_COOKIE,
    FLASH_SECONDS,
    LONGEST_TITLE_CHARACTERS,
    Flash,
    flash_of,
)
from hero_admin.web.templating import THEME_COOKIE, THEMES

# No text that a page shows can look like it.
ROWS = Markup("<!--rows-->")
# Room for the rows of a page of 50; of larger ones nothing is kept.
MAX_CACHED_CHARACTERS = 50_000


def render(
    request: Request,
    template: str,
    context: Mapping[str, Any],
    status: int = 200,
    *,
    fragments: Sequence[str],
    fragment: str = "",
) -> Response:
    """Return a page, or only the one of its `fragments` that the request's `HX-Target` names.

    An explicit `fragment` is returned whatever the target.
    """
    env: Environment = request.app.state.templates
    fragment = fragment or fragment_of(request, fragments)
    body = _rendered(env, template, fragment, {**_shared(request), **context})
    return _page(request, body, status, is_whole=not fragment)


def render_around(
    request: Request,
    template: str,
    context: Mapping[str, Hashable],
    status: int = 200,
    *,
    fragments: Sequence[str],
    rows: Markup,
) -> Response:
    """Return the same with `rows`; what stands around them is rendered once for the same values."""
    env: Environment = request.app.state.templates
    fragment = fragment_of(request, fragments)
    values = (*_shared(request).items(), *context.items())
    encoded = _encoded(rows) if len(rows) <= MAX_CACHED_CHARACTERS else rows.encode()
    body = encoded.join(_around(env, template, fragment, values))
    return _page(request, body, status, is_whole=not fragment)


def fragment_of(request: Request, fragments: Sequence[str]) -> str:
    """Return the fragment that htmx asks for, "" for the whole page.

    htmx sends its target as `tag#id`; only a target that the handler knows is a fragment.
    """
    name = request.headers.get("HX-Target", "").partition("#")[2]
    return name if name in fragments else ""


def is_htmx(request: Request) -> bool:
    """Whether htmx waits for the answer and not the browser itself."""
    return request.headers.get("HX-Request") == "true"


def is_partial(request: Request) -> bool:
    """Whether htmx is to replace a part of a page; a boosted link asks for a full one."""
    return is_htmx(request) and request.headers.get("HX-Request-Type") == "partial"


def redirect(request: Request, url: str, flash: Flash | None = None) -> Response:
    """Send the browser to `url`, where `flash` is shown."""
    # A header holds no more than ASCII; what is escaped already stays as it is.
    url = quote(url, safe="!#$%&'()*+,/:;=?@[]~")
    response: Response
    if is_htmx(request):
        # fetch() would follow a 303 and htmx would put that page into the form.
        response = Response(headers={"HX-Redirect": url})
    else:
        response = RedirectResponse(url, 303)
    if flash is not None:
        # Browsers drop a cookie of more than 4 kB, and with it the whole message.
        flash = replace(flash, title=flash.title[:LONGEST_TITLE_CHARACTERS])
        packed = json.dumps(asdict(flash), separators=(",", ":")).encode()
        response.set_cookie(
            FLASH_COOKIE,
            urlsafe_b64encode(packed).decode(),
            max_age=FLASH_SECONDS,
            httponly=True,
            samesite="lax",
            secure=is_secure(request),
        )
    return response


def _shared(request: Request) -> dict[str, Any]:
    theme = request.cookies.get(THEME_COOKIE, "")
    # None also where something failed before anybody knew who is asking.
    identity: Identity | None = request.scope.get("state", {}).get("identity")
    theme = theme if theme in THEMES else ""
    state, path = request.app.state, request.url.path
    return {
        "identity": identity,
        "can_edit": identity is not None and identity.can_edit,
        "site": state.site,
        "path": path,
        "here": with_raw_query(request),
        "theme": theme,
        "flash": flash_of(request),
        "sidebar": _sidebar(state.templates, state.site, identity, path, theme),
    }


# Any: the site is what the pages are about; templating knows none.
@lru_cache(maxsize=256)
def _sidebar(
    env: Environment, site: Any, identity: Identity | None, path: str, theme: str
) -> Markup:
    """Return what is the same each time that somebody comes to an address."""
    shown = env.get_template("sidebar.html").render(
        site=site, identity=identity, path=path, theme=theme
    )
    return Markup(shown)  # noqa: S704 - a template of ours


@lru_cache(maxsize=256)
def _around(
    env: Environment, template: str, fragment: str, values: tuple[tuple[str, Hashable], ...]
) -> tuple[bytes, ...]:
    """Return what stands before and after the rows; if there are none, only one thing."""
    text = _rendered(env, template, fragment, {**dict(values), "rows": ROWS})
    return tuple(part.encode() for part in text.split(ROWS))


@lru_cache(maxsize=32)
def _encoded(text: str) -> bytes:
    return text.encode()


def _rendered(env: Environment, template: str, fragment: str, values: Mapping[str, Any]) -> str:
    if fragment:
        return render_block(env, template, fragment, values)
    return env.get_template(template).render(values)


def _page(request: Request, body: str | bytes, status: int, *, is_whole: bool) -> Response:
    response = HTMLResponse(body, status, headers={"Vary": "HX-Target"})
    if is_whole and FLASH_COOKIE in request.cookies:
        response.delete_cookie(FLASH_COOKIE)
    return response
