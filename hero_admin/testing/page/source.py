"""What a page is made of: the response, and its elements."""

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Self

import httpx
from bs4 import Tag

from hero_admin.testing.page.elements import attribute, elements, only_with_id, visible_text
from hero_admin.testing.page.parsing import soup_of

BASE_URL = "http://localhost/"
Wanted = str | bool | re.Pattern[str]


class Source:
    """A response, markup, or a part of a page."""

    def __init__(self, source: httpx.Response | Tag | str, url: str = BASE_URL) -> None:
        self._source = source
        self._url = str(source.url) if isinstance(source, httpx.Response) else url

    def __repr__(self) -> str:
        source = self._source
        return f"<Page {source if isinstance(source, httpx.Response) else str(source)[:60]!r}>"

    # The response.

    @property
    def response(self) -> httpx.Response:
        assert isinstance(self._source, httpx.Response), f"{self} is no response"
        return self._source

    @property
    def status_code(self) -> int:
        return self.response.status_code

    @property
    def headers(self) -> httpx.Headers:
        return self.response.headers

    @property
    def cookies(self) -> httpx.Cookies:
        return self.response.cookies

    @property
    def content(self) -> bytes:
        return self.response.content

    def json(self) -> Any:  # as httpx says
        return self.response.json()

    @property
    def url(self) -> httpx.URL:
        return httpx.URL(self._url)

    @property
    def text(self) -> str:
        """What was answered, as it is; `visible_text` is what is read of it."""
        return self._source.text if isinstance(self._source, httpx.Response) else str(self._source)

    # Its elements.

    # A test asks one page for many things, and parsing takes longer than the request did.
    @cached_property
    def tag(self) -> Tag:
        return self._source if isinstance(self._source, Tag) else soup_of(self.text)

    @property
    def visible_text(self) -> str:
        """The text as it is read out, whitespace folded."""
        return visible_text(self.tag)

    def attribute(self, name: str, default: str = "") -> str:
        """The value of an attribute as text; one without a value is ""."""
        return attribute(self.tag, name, default)

    def by_id(self, id_: str) -> Self:
        """The only element with an id."""
        return self._part(only_with_id(self.tag, id_))

    def find_all(
        self,
        name: str | bool | Sequence[str] = True,
        attributes: Mapping[str, Wanted] | None = None,
        /,
        **more: Wanted,
    ) -> list[Self]:
        """The elements inside, by name and attributes, as Beautiful Soup finds them."""
        wanted: dict[str, Any] = {**(attributes or {}), **more}  # its own type takes more
        if name is True and not wanted:
            return [self._part(tag) for tag in elements(self.tag)]
        return [self._part(tag) for tag in self.tag.find_all(name, wanted)]

    @property
    def children(self) -> list[Self]:
        """The elements that stand in no other one."""
        return [self._part(tag) for tag in self.tag.children if isinstance(tag, Tag)]

    def _part(self, tag: Tag) -> Self:
        return type(self)(tag, self._url)
