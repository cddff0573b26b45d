"""The menu: resources, pages and links in groups, as a person may see them."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from hero_admin.person import Role
from hero_admin.web.assets import icon_names, no_symbol
from hero_admin.web.texts import capitalised

RECORDS, LINKS, ACTIVITY, DEVELOPERS = "Records", "Links", "Activity", "Developers"
SEVERAL = "menu= takes several links, such as (MenuLink('Shop', '/'),) with a comma."
# An http address, or a path of this host.
A_URL = re.compile(r"https?://[^\s/]+\S*|/(?![/\\])\S*|mailto:\S+", re.IGNORECASE)


@dataclass(frozen=True)
class MenuLink:
    """A link in the menu, to a page of the application outside or of another host.

    url: an http address, or a path of this host, such as `/shop`; it gets no prefix.
    icon: the name of a symbol in static/icons.svg.
    group: the heading above it; “Links”.
    role: who sees it.
    """

    label: str
    url: str
    icon: str = "external"
    group: str = ""
    role: Role = Role.VIEWER


def checked_links(links: Sequence[MenuLink]) -> tuple[MenuLink, ...]:
    """Return the links of a menu; raises ValueError with a sentence for a mistake in one."""
    if isinstance(links, MenuLink) or not isinstance(links, Iterable):
        raise ValueError(SEVERAL)  # noqa: TRY004 - one kind for all mistakes
    for link in links:
        if not isinstance(link, MenuLink):
            raise ValueError(  # noqa: TRY004 - the same
                f"menu= takes links, such as MenuLink('Shop', '/'), not {link!r}."
            )
        if not A_URL.fullmatch(link.url):
            raise ValueError(f"menu= has the address {link.url!r}, which is no link.")
        if link.icon not in icon_names():
            raise ValueError(f"menu= has a link whose {no_symbol(link.icon)}.")
    return tuple(links)


class Listed(Protocol):
    """A resource, as the menu knows it."""

    @property
    def name(self) -> str: ...
    @property
    def label_plural(self) -> str: ...
    @property
    def icon(self) -> str: ...
    @property
    def group(self) -> str: ...


class PageLink(Protocol):
    """A page of the application, as the menu knows it."""

    @property
    def path(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def icon(self) -> str: ...
    @property
    def group(self) -> str: ...
    @property
    def role(self) -> Role: ...
    @property
    def is_in_menu(self) -> bool: ...


class Entry(NamedTuple):
    """One line of the menu."""

    url: str
    icon: str
    label: str


class Listing(Protocol):
    """A site, as the menu knows it."""

    @property
    def resources(self) -> Iterable[Listed]: ...
    @property
    def has_history(self) -> bool: ...


@dataclass(frozen=True)
class Menu:
    """What the menu of an application has beside its resources."""

    pages: Sequence[PageLink] = ()
    links: Sequence[MenuLink] = ()

    def groups(
        self, prefix: str, site: Listing, role: Role, *, has_accounts: bool
    ) -> list[tuple[str, list[Entry]]]:
        """Return the headings of the menu and what stands below each; the first has none.

        prefix: that of all its URLs but those of links. has_accounts: whether they are the
        library's. Groups come in the order in which they are named.
        """
        pages = [
            (page.group, Entry(prefix + page.path, page.icon, page.title))
            for page in self.pages
            if page.is_in_menu and role.includes(page.role)
        ]
        entries = [
            ("", Entry(f"{prefix}/", "home", "Overview")),
            *(each for each in pages if not each[0]),
            *(
                (each.group or RECORDS, Entry(f"{prefix}/{each.name}", each.icon, _title(each)))
                for each in site.resources
            ),
            *(each for each in pages if each[0]),
            *(
                (link.group or LINKS, Entry(link.url, link.icon, link.label))
                for link in self.links
                if role.includes(link.role)
            ),
            *_own_entries(prefix, site, role, has_accounts=has_accounts),
        ]
        found: dict[str, list[Entry]] = {}
        for group, entry in entries:
            found.setdefault(group, []).append(entry)
        return list(found.items())


def _title(resource: Listed) -> str:
    return capitalised(resource.label_plural)


def _own_entries(
    prefix: str, site: Listing, role: Role, *, has_accounts: bool
) -> Iterator[tuple[str, Entry]]:
    """Yield the pages of the library, each with its group."""
    if site.has_history:
        yield ACTIVITY, Entry(f"{prefix}/history", "history", "History")
    if site.has_history and role is Role.OWNER:
        yield ACTIVITY, Entry(f"{prefix}/audit-log", "audit", "Audit log")
        if has_accounts:
            yield ACTIVITY, Entry(f"{prefix}/people", "person", "People")
    yield DEVELOPERS, Entry(f"{prefix}/api/docs", "api", "API")


NO_LINKS = Menu()
