"""Parsing pages quickly: the tree of Beautiful Soup, made in a third of its time.

To parse a page with it takes five times as long as the application takes to answer. What the
application writes is plain: closed tags, quoted attributes, few references. That much is read
here; Beautiful Soup itself reads every page that holds anything else.
"""

import re
from functools import cached_property, lru_cache
from html import unescape
from typing import TypeVar

from bs4 import BeautifulSoup, Tag
from bs4.element import (
    Comment,
    Doctype,
    HTMLAttributeDict,
    NavigableString,
    PageElement,
    Script,
    Stylesheet,
    TemplateString,
)

TOKEN = re.compile(
    r"""(?P<text>[^<]+)
    |<(?P<name>[a-zA-Z][a-zA-Z0-9-]*)
      (?P<attributes>(?:\s+[^\s"'<>/=]+(?:="[^"]*"|='[^']*'|=[^\s"'`<>=/]+)?)*)\s*
      (?P<closed>(?:(?<=[\s"'])/)?)>
    |</(?P<end>[a-zA-Z][a-zA-Z0-9-]*)\s*>
    |<!--(?P<comment>(?!>|->)(?:(?!--).)*)-->
    |<!(?i:doctype)\ (?P<doctype>[^<>]+)>""",
    re.VERBOSE | re.DOTALL,
)
ATTRIBUTE = re.compile(r"""([^\s"'<>/=]+)(?:="([^"]*)"|='([^']*)'|=([^\s"'`<>=/]+))?""")
# A reference that every parser reads in the same way, or an ampersand that is none of them.
REFERENCE = re.compile(r"&(?!(?:amp|lt|gt|quot|nbsp|#34|#39|#x27);)")
RAW = {"script": Script, "style": Stylesheet}
PRESERVED = {"pre", "textarea"}
SPECIAL = {*PRESERVED, "template"}
SPACES = "\n\t\x0c\r "
Element = TypeVar("Element", bound=PageElement)


class Document(BeautifulSoup):
    """A whole page, which nobody changes."""

    @cached_property
    def elements(self) -> list[Tag]:
        return [tag for tag in self.descendants if isinstance(tag, Tag)]

    # What `controls.py` found out about the page: its enabled controls, and the form around each.
    controls: list[tuple[Tag, Tag | None]] | None = None


def soup_of(text: str) -> Document:
    """The tree that Beautiful Soup makes of a page."""
    return _Reader(text).soup or _soup(text)


def _soup(text: str) -> Document:
    # Not asked for: which line a tag stands on, and the words of a class one by one.
    return Document(text, "html.parser", store_line_numbers=False, multi_valued_attributes=None)


@lru_cache
def _like(name: str) -> dict[str, object]:
    """What all tags of a name have in common."""
    soup = _soup("")
    return vars(Tag(soup, soup.builder, name))


class _Reader:
    """Reads a page; its `soup` is None where this is not for us."""

    def __init__(self, text: str) -> None:
        self._root = _soup("")
        self._here: Tag = self._root
        self._last: PageElement | None = None
        self._open: list[Tag] = []
        self._is_preserved = False
        self._kind: type[NavigableString] = NavigableString
        self.soup = self._root if self._reads(text) else None

    def _reads(self, text: str) -> bool:
        at = 0
        while 0 <= at < len(text):
            token = TOKEN.match(text, at)
            if token is None or (token["text"] and REFERENCE.search(token["text"])):
                return False
            at = token.end()
            match token.lastgroup:
                case "text":
                    data = unescape(token["text"])
                    self._add(self._kind, data if self._is_preserved else _folded(data))
                case "end":
                    self._close(token["end"].lower())
                case "closed":
                    name = self._starts(token)
                    if name in RAW:
                        at = self._takes_raw(name, text, at)
                case other:
                    self._add(Comment if other == "comment" else Doctype, token[other or 0])
        return at >= 0

    def _takes_raw(self, name: str, text: str, at: int) -> int:
        """Take a script or a style, in which nothing is a tag; where it ends, or -1."""
        end = text.find("</", at)
        if not text.startswith(f"</{name}>", end):
            return -1
        if end > at:
            self._add(RAW[name], _folded(text[at:end]))
        return end

    def _starts(self, token: re.Match[str]) -> str:
        """Start an element; its name, "" where it ends at once."""
        name = token["name"].lower()
        attributes = HTMLAttributeDict(
            (found.lower(), unescape(double or single or plain))
            for found, double, single, plain in ATTRIBUTE.findall(token["attributes"])
        )
        like = _like(name)
        tag = self._linked(Tag.__new__(Tag), {**like, "attrs": attributes, "contents": []})
        if not (token["closed"] or like["can_be_empty_element"]):
            self._open.append(tag)
            self._here = tag
            if name in SPECIAL:
                self._note_special()
        return "" if token["closed"] else name

    def _close(self, name: str) -> None:
        if any(tag.name == name for tag in reversed(self._open)):
            while self._open.pop().name != name:
                pass
            self._here = self._open[-1] if self._open else self._root
            if self._is_preserved or self._kind is TemplateString:
                self._note_special()

    def _note_special(self) -> None:
        names = {tag.name for tag in self._open}
        self._is_preserved = not names.isdisjoint(PRESERVED)
        self._kind = TemplateString if "template" in names else NavigableString

    def _add(self, kind: type[NavigableString], text: str) -> None:
        self._linked(str.__new__(kind, text), {"hidden": False})

    def _linked(self, element: Element, own: dict[str, object]) -> Element:
        siblings = self._here.contents
        before = siblings[-1] if siblings else None
        own["parent"] = self._here
        own["previous_element"] = self._last
        own["previous_sibling"] = before
        own["next_element"] = own["next_sibling"] = None
        element.__dict__ = own
        if self._last is not None:
            self._last.next_element = element
        if before is not None:
            before.next_sibling = element
        siblings.append(element)
        self._last = element
        return element


def _folded(text: str) -> str:
    """A text; of one that is nothing but spaces, a line break or a space."""
    if text.strip(SPACES):
        return text
    return "\n" if "\n" in text else " "
