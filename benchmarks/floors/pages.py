"""The floors' page as a Jinja template."""

from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from benchmarks.floors.source import Row

_environment = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    auto_reload=False,
)


def render(rows: Sequence[Row]) -> bytes:
    """The page of all rows but the last one, which tells where the next page begins."""
    template = _environment.get_template("heroes.html")
    return template.render(rows=rows[:-1], after=rows[-1][0] if rows else "").encode()
