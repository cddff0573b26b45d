"""Templating: the Jinja environment of the pages, its filters and globals."""

from functools import cache, lru_cache, partial
from urllib.parse import quote
from zlib import crc32

from jinja2 import (
    BaseLoader,
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PrefixLoader,
    StrictUndefined,
)
from markupsafe import Markup, escape
from starlette.applications import Starlette
from starlette.routing import Route

from hero_admin.web.addresses import with_query
from hero_admin.web.assets import TEMPLATES, static_url
from hero_admin.web.look import Look
from hero_admin.web.routing import each_route
from hero_admin.web.texts import capitalised, problems_text, size_text

THEME_COOKIE = "theme"
THEMES = ("light", "dark")
MAX_MENUS = 64


def environment(app: Starlette, look: Look, prefix: str) -> Environment:
    """Return the Jinja environment for the pages of an application, whose routes are complete.

    prefix: that below which it is mounted.
    """
    env = Environment(
        loader=_loader_of(look),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    routes = [route for route in each_route(app.routes) if isinstance(route, Route)]
    paths = {route.name: route.path_format for route in routes}

    def url_for(name: str, /, **params: object) -> str:
        path = paths[name]
        if not params:
            return f"{prefix}{path}"
        quoted = {key: quote(str(value), safe="~,:") for key, value in params.items()}
        return f"{prefix}{path.format(**quoted)}"

    env.globals.update(url_for=url_for, with_query=with_query)
    env.globals.update(capitalised=capitalised, problems_text=problems_text, size_text=size_text)
    # With constants Jinja applies filters when it compiles.
    own = look.assets
    env.filters["static_url"] = lambda name: (
        f"{prefix}{own.url(name) if name in own.names else static_url(name)}"
    )
    env.filters["icon"] = cache(partial(icon, prefix))
    env.globals.update(prefix=prefix, site_title=look.title, look=look)
    has_accounts = "account" in paths
    env.globals.update(has_accounts=has_accounts, has_history="history" in paths)
    # Sites are as many as there are different rights.
    env.globals["menu_groups"] = lru_cache(MAX_MENUS)(
        partial(look.menu.groups, prefix, has_accounts=has_accounts)
    )
    env.globals["own_templates"] = frozenset(
        FileSystemLoader(look.templates).list_templates() if look.templates else ()
    )
    env.globals["ui"] = env.get_template("ui.html").module
    env.globals["account_fields"] = env.get_template("accounts/fields.html").module
    env.globals["link_inputs"] = env.get_template("links.html").module
    env.globals["inputs"] = env.get_template("inputs.html").module
    return env


def template_for(env: Environment, name: str, subject: str) -> str:
    """Return the name of the template of a page of the library, of one resource or of any.

    An application overrides admin/show.html for heroes by heroes/show.html, for all by show.html.
    """
    own: frozenset[str] = env.globals["own_templates"]  # type: ignore[assignment] # set below
    folder, _, page = name.partition("/")
    if not own or folder != "admin":
        return name
    return next((each for each in (f"{subject}/{page}", page) if each in own), name)


def _loader_of(look: Look) -> BaseLoader:
    library = FileSystemLoader(TEMPLATES)
    if look.templates is None:
        return library
    # What overrides a template of the library extends it by this name.
    named = PrefixLoader({"hero_admin": library})
    return ChoiceLoader([FileSystemLoader(look.templates), library, named])


def icon(prefix: str, name: str) -> Markup:
    """Return a symbol of icons.svg, hidden from screen readers."""
    use = f'<use href="{escape(prefix + static_url("icons.svg"))}#{name}"/>'
    return Markup(f'<svg class="icon" aria-hidden="true">{use}</svg>')  # noqa: S704 - ours


def tint(key: str) -> int:
    """Return the colour of a record, one of 8."""
    return crc32(key.encode()) % 8
