"""The menu: resources, pages and links in groups, as a person may see them."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from hero_admin.person import Person, Role
from hero_admin.web.assets import icon_names, no_symbol
from hero_admin.web.texts import capitalised

RECORDS, LINKS = "Records", "Links"
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


@dataclass(frozen=True)
class Menu:
    """What the menu of an application has beside its resources."""

    pages: Sequence[PageLink] = ()
    links: Sequence[MenuLink] = ()

    def groups(
        self, prefix: str, resources: Iterable[Listed], person: Person
    ) -> list[tuple[str, list[Entry]]]:
        """Return the headings of the menu and what stands below each; "" for none.

        Pages without a group come first; groups come in the order in which they are named.
        """
        found: dict[str, list[Entry]] = {}

        def add(group: str, url: str, icon: str, label: str) -> None:
            found.setdefault(group, []).append(Entry(url, icon, label))

        seen = [page for page in self.pages if page.is_in_menu and person.role.includes(page.role)]
        for page in seen:
            if not page.group:
                add("", prefix + page.path, page.icon, page.title)
        for each in resources:
            url = f"{prefix}/{each.name}"
            add(each.group or RECORDS, url, each.icon, capitalised(each.label_plural))
        for page in seen:
            if page.group:
                add(page.group, prefix + page.path, page.icon, page.title)
        for link in self.links:
            if person.role.includes(link.role):
                add(link.group or LINKS, link.url, link.icon, link.label)
        return list(found.items())


NO_LINKS = Menu()
