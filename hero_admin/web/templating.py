"""Templating: the Jinja environment of the pages, its filters and globals."""

from functools import cache, partial
from urllib.parse import quote
from zlib import crc32

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.applications import Starlette
from starlette.routing import Route

from hero_admin.web.addresses import with_query
from hero_admin.web.assets import TEMPLATES, static_url
from hero_admin.web.texts import capitalised, problems_text, size_text

THEME_COOKIE = "theme"
THEMES = ("light", "dark")


def environment(app: Starlette, title: str, prefix: str) -> Environment:
    """Return the Jinja environment for the pages of an application, whose routes are complete.

    title: the name of the application. prefix: that below which it is mounted.
    """
    env = Environment(
        loader=FileSystemLoader(TEMPLATES),
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
            return f"{prefix}{path}"
        quoted = {key: quote(str(value), safe="~,:") for key, value in params.items()}
        return f"{prefix}{path.format(**quoted)}"

    env.globals.update(url_for=url_for, with_query=with_query)
    env.globals.update(capitalised=capitalised, problems_text=problems_text, size_text=size_text)
    # With constants Jinja applies filters when it compiles.
    env.filters["static_url"] = lambda name: f"{prefix}{static_url(name)}"
    env.filters["icon"] = cache(partial(icon, prefix))
    env.globals.update(prefix=prefix, site_title=title)
    env.globals.update(has_accounts="account" in paths, has_history="history" in paths)
    env.globals["ui"] = env.get_template("ui.html").module
    env.globals["account_fields"] = env.get_template("accounts/fields.html").module
    env.globals["link_inputs"] = env.get_template("links.html").module
    env.globals["inputs"] = env.get_template("inputs.html").module
    return env


def icon(prefix: str, name: str) -> Markup:
    """Return a symbol of icons.svg, hidden from screen readers."""
    use = f'<use href="{escape(prefix + static_url("icons.svg"))}#{name}"/>'
    return Markup(f'<svg class="icon" aria-hidden="true">{use}</svg>')  # noqa: S704 - ours


def tint(key: str) -> int:
    """Return the colour of a record, one of 8."""
    return crc32(key.encode()) % 8
