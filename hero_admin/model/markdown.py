"""Markdown: texts of people as safe HTML."""

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markupsafe import Markup

# A page has headings of its own above those of a text.
HEADINGS = {"h1": "h3", "h2": "h4", "h3": "h5", "h4": "h6", "h5": "h6"}


def markdown_html(text: str) -> Markup:
    """Return a text in Markdown (CommonMark, tables, strikethrough) as HTML."""
    return Markup(_renderer.render(text))  # noqa: S704 - the renderer escapes it


def _fit(state: StateCore) -> None:
    """Fit the HTML into a page: its headings, and no inline style, which the policy forbids."""
    for block in state.tokens:
        block.tag = HEADINGS.get(block.tag, block.tag)
        style = str(block.attrs.pop("style", ""))
        if style:
            block.attrSet("data-align", style.removeprefix("text-align:"))
        for token in block.children or ():
            if token.type == "link_open":
                token.attrSet("rel", "noreferrer")


def _renderer_of_markdown() -> MarkdownIt:
    # HTML in a text is escaped, and links lead to no scripts. Images of other hosts would tell
    # them who is reading; the policy forbids these as well.
    made = MarkdownIt("js-default", {"html": False}).disable("image")
    made.core.ruler.push("fit", _fit)
    return made


_renderer = _renderer_of_markdown()
