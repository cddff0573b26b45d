"""The files that travel beside the package; the addresses of static ones change with them."""

import hashlib
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parent.parent
# In a checkout they stand beside the package, in an installed wheel inside it.
HOME = PACKAGE if (PACKAGE / "templates").is_dir() else PACKAGE.parent
STATIC, TEMPLATES = HOME / "static", HOME / "templates"
SCRIPT = "site.js"
# The script is one file to browsers and one module a subject to its readers, in this order.
MODULES = (
    "dom",
    "session",
    "keyboard",
    "filters",
    "selection",
    "forms",
    "files",
    "picker",
    "dialogs",
    "values",
    "toasts",
    "page",
    "swaps",
    "start",
)


@cache
def static_names() -> frozenset[str]:
    """Return the names of what is served, relative to the folder."""
    found = {path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*") if path.is_file()}
    return frozenset(found | {SCRIPT})


def static_content(name: str) -> bytes:
    """Return what is served under one of the names."""
    if name != SCRIPT:
        return (STATIC / name).read_bytes()
    return b"\n".join((STATIC / "site" / f"{module}.js").read_bytes() for module in MODULES)


@cache
def static_url(name: str) -> str:
    """Return the address of a static file, which changes with its content."""
    return f"/static/{name}?v={hashlib.sha256(static_content(name)).hexdigest()[:12]}"
