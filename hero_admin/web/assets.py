"""Assets: templates and static files, whose URLs change with their content."""

import hashlib
import re
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parent.parent
# In a checkout they lie beside the package, in a wheel inside it.
HOME = PACKAGE if (PACKAGE / "templates").is_dir() else PACKAGE.parent
STATIC, TEMPLATES = HOME / "static", HOME / "templates"
SCRIPT = "site.js"
A_SYMBOL = re.compile(r'<symbol id="([^"]+)"')
# Browsers get these modules as one script, in this order.
MODULES = (
    "dom",
    "session",
    "keyboard",
    "filters",
    "selection",
    "forms",
    "layout",
    "files",
    "picker",
    "links",
    "dialogs",
    "passkeys",
    "values",
    "toasts",
    "page",
    "swaps",
    "start",
)


# One set of 3 kB, so that a request for a static file does not list the folder.
@cache
def static_names() -> frozenset[str]:
    """Return the names of all static files, relative to their folder."""
    found = {path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*") if path.is_file()}
    return frozenset(found | {SCRIPT})


# One set of 1 kB, asked for by each resource.
@cache
def icon_names() -> frozenset[str]:
    """Return the names of the symbols in icons.svg."""
    return frozenset(A_SYMBOL.findall((STATIC / "icons.svg").read_text("utf-8")))


def no_symbol(icon: object) -> str:
    """Return the end of a sentence about an icon that there isn't."""
    return f"icon={icon!r} is none of the symbols: {', '.join(sorted(icon_names()))}"


def static_content(name: str) -> bytes:
    if name != SCRIPT:
        return (STATIC / name).read_bytes()
    return b"\n".join((STATIC / "site" / f"{module}.js").read_bytes() for module in MODULES)


# 0.2 kB for each static file, so that no page reads and hashes its files again.
@cache
def static_url(name: str) -> str:
    """Return the URL of a static file below the prefix; it changes with its content."""
    return f"/static/{name}?v={hashlib.sha256(static_content(name)).hexdigest()[:12]}"
