"""Responses: pages, their fragments, redirects, and the message that follows one."""

import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, Template
from jinja2_fragments import render_block
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from hero_admin.person import Person
from hero_admin.web.addresses import with_raw_query
from hero_admin.web.cookies import cookie_in, drop_cookie, set_cookie
from hero_admin.web.flash import FLASH_COOKIE, FLASH_SECONDS, MAX_TITLE_CHARACTERS, Flash, flash_of
from hero_admin.web.mount import prefix, url_path
from hero_admin.web.templating import THEME_COOKIE, THEMES, template_for


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
    fragment = fragment or fragment_of(request, fragments)
    values = {**_shared(request), **context}
    env = templates_of(request)
    subject = context.get("subject") or context.get("resource")
    named = env.get_template(template_for(env, template, getattr(subject, "name", "")))
    body = _block_of(named, fragment, values) if fragment else named.render(values)
    response = HTMLResponse(body, status, headers={"Vary": "HX-Target"})
    if not fragment and cookie_in(request, FLASH_COOKIE):
        drop_cookie(request, response, FLASH_COOKIE)
    return response


def _block_of(template: Template, name: str, values: dict[str, Any]) -> str:
    """Return a block of a template, which may be one of those it extends."""
    if name in template.blocks and not template.environment.globals["own_templates"]:
        return render_block(template.environment, str(template.name), name, values)
    context = template.new_context(values)
    # Whatever stands first in the page, it knows all its blocks by then.
    next(iter(template.root_render_func(context)), None)
    return "".join(context.blocks[name][0](context))


def template_of(request: Request, name: str) -> Template:
    """Return a template, whose globals are the application's."""
    return templates_of(request).get_template(name)


def templates_of(request: Request) -> Environment:
    """Return the templates of an application, whose URLs begin with the prefix of the request."""
    env: Environment = request.app.state.templates(prefix())
    return env


def fragment_of(request: Request, fragments: Sequence[str]) -> str:
    """Return the fragment that htmx asks for, "" for the whole page.

    htmx sends its target as `tag#id`; only a target that the handler knows is a fragment.
    """
    name = request.headers.get("HX-Target", "").partition("#")[2]
    return name if name in fragments else ""


def is_htmx(request: Request) -> bool:
    """Whether htmx sent the request, and not the browser itself."""
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
        flash = replace(flash, title=flash.title[:MAX_TITLE_CHARACTERS])
        packed = json.dumps(asdict(flash), separators=(",", ":")).encode()
        set_cookie(
            request, response, FLASH_COOKIE, urlsafe_b64encode(packed).decode(), FLASH_SECONDS
        )
    return response


def attachment(name: str) -> str:
    """Return the `Content-Disposition` of a download, whose name may have any letters.

    https://datatracker.ietf.org/doc/html/rfc6266#section-5
    """
    name = re.sub(r"[^\w.,~-]", "_", name)
    if name.isascii():
        return f'attachment; filename="{name}"'
    plain = name.encode("ascii", "replace").decode().replace("?", "_")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name)}"


def _shared(request: Request) -> dict[str, Any]:
    theme = cookie_in(request, THEME_COOKIE)
    # None also for errors before the request was authenticated.
    state = request.scope.get("state", {})
    identity: Person | None = state.get("identity")
    theme = theme if theme in THEMES else ""
    return {
        "identity": identity,
        "can_edit": identity is not None and identity.can_edit,
        # Before the request was authenticated nobody sees anything.
        "site": state.get("site"),
        "may": state.get("may", lambda *_: False),
        "path": url_path(request.scope),
        "here": with_raw_query(request),
        "theme": theme,
        "flash": flash_of(request),
    }
