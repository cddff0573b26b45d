"""Templating: Jinja pages and their fragments, redirects, and the message that follows one."""

import hashlib
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from urllib.parse import quote
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
from markupsafe import Markup, escape
from starlette.applications import Starlette
from starlette.routing import Route

from hero_admin.web.addresses import with_query
from hero_admin.web.byte_sizes import size_text

PACKAGE = Path(__file__).parent.parent
# In a checkout they stand beside the package, in an installed wheel inside it.
HOME = PACKAGE if (PACKAGE / "templates").is_dir() else PACKAGE.parent
STATIC, TEMPLATES = HOME / "static", HOME / "templates"
THEME_COOKIE = "theme"
THEMES = ("light", "dark")


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
    env.globals["account_fields"] = env.get_template("accounts/fields.html").module
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


@cache
def static_url(name: str) -> str:
    """Return the address of a static file, which changes with its content."""
    return f"/static/{name}?v={_digest(name)}"


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
