"""Templating: Jinja pages and their fragments, redirects, and the message that follows one."""

import hashlib
import json
import sys
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Hashable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode
from zlib import crc32

import jinja2
from jinja2 import (
    BytecodeCache,
    Environment,
    FileSystemBytecodeCache,
    FileSystemLoader,
    StrictUndefined,
)
from jinja2.bccache import Bucket
from jinja2_fragments import render_block
from markupsafe import Markup, escape
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from hero_admin.person import Identity
from hero_admin.web.byte_sizes import size_text

PACKAGE = Path(__file__).parent.parent
# In a checkout they stand beside the package, in an installed wheel inside it.
HOME = PACKAGE if (PACKAGE / "templates").is_dir() else PACKAGE.parent
STATIC, TEMPLATES = HOME / "static", HOME / "templates"
FLASH_COOKIE = "flash"
FLASH_SECONDS = 60
LONGEST_TITLE_CHARACTERS = 200
LONGEST_PATH_CHARACTERS = 2_000
# No text that a page shows can look like it.
ROWS = Markup("<!--rows-->")
# Room for the rows of a page of 50; of larger ones nothing is kept.
MOST_KEPT_CHARACTERS = 50_000
THEME_COOKIE = "theme"
THEMES = ("light", "dark")


@dataclass(frozen=True)
class Flash:
    """A message on the next page: “Saved **Nova**”, a link to it, and the row to mark.

    note: a sentence more; undo: the id of the operation that a button takes back, and what the
    button is called.
    """

    text: str
    title: str = ""
    url: str = ""
    marked: str = ""
    note: str = ""
    undo: str = ""
    undo_label: str = "Undo"


class CompiledTemplates(FileSystemBytecodeCache):
    """Templates as code, kept as Python keeps modules: to compile them takes a sixth of a start.

    Whatever cannot be read or written is compiled again.
    """

    def __init__(self, directory: Path) -> None:
        super().__init__(str(directory))
        # What is set here goes into the code as well.
        self._version = f"{jinja2.__version__} {crc32(Path(__file__).read_bytes())} "

    def get_source_checksum(self, source: str) -> str:
        return super().get_source_checksum(self._version + source)

    def load_bytecode(self, bucket: Bucket) -> None:
        try:
            super().load_bytecode(bucket)
        except Exception:  # noqa: BLE001 - half a file may be anything
            bucket.reset()

    def dump_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):
            super().dump_bytecode(bucket)


def environment(app: Starlette) -> Environment:
    """Return the Jinja environment for the pages of an application, whose routes are complete."""
    env = Environment(
        loader=FileSystemLoader(TEMPLATES),
        bytecode_cache=_compiled_templates(),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    paths = {route.name: route.path_format for route in app.routes if isinstance(route, Route)}

    def url_for(name: str, /, **params: object) -> str:
        path = paths[name]
        if not params:
            return path
        return path.format(**{key: quote(str(value), safe="~,:") for key, value in params.items()})

    env.globals.update(url_for=url_for, static_url=static_url, with_query=with_query)
    env.globals.update(icon=icon, capitalised=capitalised, size_text=size_text)
    env.globals["ui"] = env.get_template("ui.html").module
    env.globals["door"] = env.get_template("door.html").module
    env.globals["inputs"] = env.get_template("inputs.html").module
    return env


def _compiled_templates() -> BytecodeCache | None:
    # Python has been told to keep no modules either.
    if sys.dont_write_bytecode:
        return None
    directory = TEMPLATES / "__pycache__"
    with suppress(OSError):
        directory.mkdir(exist_ok=True)
    return CompiledTemplates(directory)


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
    encoded = _encoded(rows) if len(rows) <= MOST_KEPT_CHARACTERS else rows.encode()
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


def flash_of(request: Request) -> Flash | None:
    """Return the message that the request before this one left, if it can be read."""
    packed = request.cookies.get(FLASH_COOKIE, "")
    if not packed:
        return None
    try:
        fields = json.loads(urlsafe_b64decode(packed))
        # Raises for what is no text, or none that a page can hold.
        "".join(fields.values()).encode()
        flash = Flash(**fields)
    except (AttributeError, ValueError, TypeError, RecursionError):
        return None
    return flash if not flash.url or is_local(flash.url) else None


def is_secure(request: Request) -> bool:
    """Whether a request came by https, so that cookies shall travel no other way."""
    scheme: str = request.scope["scheme"]
    return scheme == "https"


def is_local(url: str) -> bool:
    """Whether a URL is a path of this site; browsers read a backslash as a slash."""
    return (
        len(url) <= LONGEST_PATH_CHARACTERS
        and url.startswith("/")
        and not url.startswith("//")
        and "\\" not in url
        and url.isprintable()
    )


def with_raw_query(request: Request) -> str:
    """Return the address of a request within this site, to come back to."""
    query = request.url.query
    return f"{request.url.path}?{query}" if query else request.url.path


@cache
def static_url(name: str) -> str:
    """Return the address of a static file, which changes with its content."""
    return f"/static/{name}?v={_digest(name)}"


def with_query(path: str, /, **params: str) -> str:
    """Return `path` with the parameters that are not empty."""
    given = {name: value for name, value in params.items() if value}
    return f"{path}?{urlencode(given)}" if given else path


@cache
def icon(name: str) -> Markup:
    """Return one of the symbols of icons.svg, which says nothing by itself."""
    use = f'<use href="{escape(static_url("icons.svg"))}#{name}"/>'
    return Markup(f'<svg class="icon" aria-hidden="true">{use}</svg>')  # noqa: S704 - ours


def capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


def tint(key: str) -> int:
    """Return one of 8 colours for a record, always the same one."""
    return crc32(key.encode()) % 8


def _digest(name: str) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]


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
