"""Following every link that pages offer: one address of each shape, wherever it stands."""

import re
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from hero_admin.testing.client import Client
from hero_admin.testing.page import Page

# A key, or several with commas between them.
KEY = re.compile(r"(?<=/)\d+([,~.-]\d+)*(?=/|$)")
Shape = tuple[str, tuple[str, ...]]
# What leads to the same page, but for a link back.
MINOR = {"back", "in", "without"}
EXPORTS = (".csv", ".json", ".jsonl", ".xlsx")
# The attributes that hold addresses, and the elements that have them.
ADDRESSES = {
    "href": {"a", "link"},
    "src": {"img", "script"},
    "hx-get": None,
    "data-options": None,
    "data-counts": None,
}


async def crawl(
    client: Client,
    start: str,
    on_page: Callable[[Page], Awaitable[None]] | None = None,
    *,
    may_lead_nowhere: bool = False,
) -> Counter[Shape]:
    """Get each shape of address once or twice, beginning at `start`; return how often.

    Fails for one that does not answer, unless links may lead nowhere. `on_page` gets each page of
    HTML. What lies outside of `start` is got, but not followed.
    """
    got: Counter[Shape] = Counter()
    seen, waiting = {start}, deque([(start, start)])
    while waiting:
        address, origin = waiting.popleft()
        shape = shape_of(address)
        # Of records there are many kinds.
        if got[shape] >= (2 if "*" in shape[0] and not shape[1] else 1):
            continue
        got[shape] += 1
        page = await client.get(address)
        if page.status_code == 404 and may_lead_nowhere:
            continue
        assert page.status_code < 400, f"{address}, linked in {origin}: {page.status_code}"
        found = []
        if page.status_code >= 300:
            found = [page.headers["location"]]
        elif page.headers["content-type"].startswith("text/html") and is_below(address, start):
            found = addresses_in(page)
            if on_page:
                await on_page(page)
        for href in found:
            target = urljoin(address, href).partition("#")[0]
            # Other hosts and mail addresses are not asked.
            is_here = urlsplit(target)[:2] == urlsplit(address)[:2]
            if target not in seen and is_here:
                seen.add(target)
                waiting.append((target, address))
    return got


def is_below(address: str, start: str) -> bool:
    """Whether an address is one of the Admin whose first page is `start`."""
    return urlsplit(address).path.startswith(start)


def addresses_in(page: Page) -> list[str]:
    """What the page links to, shows, and gets when one does something there."""
    # In one pass: a list has thousands of elements.
    everything = page.find_all()
    found = [
        element.attribute(name)
        for element in everything
        for name, tags in ADDRESSES.items()
        if element.tag.has_attr(name) and (tags is None or element.tag.name in tags)
    ]
    searches = [
        element.form()
        for element in everything
        if element.tag.name == "form" and element.attribute("method", "get").lower() == "get"
    ]
    found += [f"{form.url.partition('?')[0]}?{urlencode(form.filled_in({}))}" for form in searches]
    return found


def shape_of(address: str) -> Shape:
    """The address without keys of records and without values of parameters."""
    parts = urlsplit(address)
    path = KEY.sub("*", parts.path)
    names = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)} - MINOR
    if path.endswith(EXPORTS):
        # An export holds the rows of the list, which is got with each filter anyway.
        return path, ()
    if names == {"sort"} and "*" not in path:
        # Each column sorts in a way of its own.
        return path, (parts.query,)
    if len(names) > 1:
        names -= {"sort", "size"}
    if len(names) > 1:
        names -= {"after", "before"}
    return path, tuple(sorted(names))
