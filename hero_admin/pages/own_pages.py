"""Own pages: pages of the application among those of the library."""

import inspect
import re
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hero_admin.model.arguments import ResourceError
from hero_admin.model.resource import TAKEN_NAMES, Resource
from hero_admin.model.rules import parameter_count
from hero_admin.person import Role
from hero_admin.web.assets import icon_names, no_symbol
from hero_admin.web.errors import Invalid
from hero_admin.web.guards import needs
from hero_admin.web.responses import render

# What an own page returns: a response, the name of a template with its context, or its content.
Answer = Response | tuple[str, Mapping[str, Any]] | str  # Any: templates take any value
PageHandler = Callable[[Request], Awaitable[Answer]]
Handler = TypeVar("Handler", bound=PageHandler)

A_PATH = re.compile(r"/[\w.~-]+(/[\w.~-]+|/\{\w+(:\w+)?\})*")
METHODS = frozenset({"GET", "POST"})
RETURNS = "it returns a text, a response, or the name of a template and its context"


@dataclass(frozen=True)
class OwnPage:
    """A page of the application.

    path: as Starlette has it, such as /report or /report/{year:int}; a path with parameters is in
    no menu. role: who may open it; others get 403, and don't see it in the menu.
    """

    path: str
    title: str
    handler: PageHandler
    role: Role
    icon: str
    group: str
    methods: tuple[str, ...]

    @property
    def name(self) -> str:
        """The name of its route: `page:report`."""
        return f"page:{getattr(self.handler, '__name__', self.title)}"

    @property
    def is_in_menu(self) -> bool:
        return "{" not in self.path and "GET" in self.methods

    async def answer(self, request: Request) -> Response:
        """GET or POST /report: what the application answers, within the pages of the library."""
        try:
            # Any: the function may return anything.
            made: Any = await self.handler(request)
        except Invalid as invalid:
            raise HTTPException(422, " ".join(invalid.sentences.values())) from None
        if isinstance(made, Response):
            return made
        match made:
            case str():
                template, context = "page.html", {"content": made}
            case (str() as template, Mapping() as context):
                pass
            case _:
                raise TypeError(f"Admin.page({self.path!r}) returned {made!r}: {RETURNS}.")
        values = {"title": self.title, "content": "", **context}
        return render(request, template, values, fragments=())


class HasPages:
    """What has own pages: an Admin."""

    def __init__(self, resources: Sequence[Resource]) -> None:
        self.own_pages: list[OwnPage] = []
        self._names = {resource.name for resource in resources}

    def page(
        self,
        path: str,
        *,
        title: str,
        role: Role = Role.VIEWER,
        icon: str = "record",
        group: str = "",
        methods: Sequence[str] = ("GET",),
    ) -> Callable[[Handler], Handler]:
        """Make an async function of a request a page, with the head, menu and rights of all others.

        It returns the name of a template and its context, or the content as a text or `Markup`, or
        a response. `request.state.session` is the database session of the request: read-only for
        GET, committed for POST unless the status is 400 or more.

        path: such as /report, or /report/{year:int}, which is in no menu.
        title: of the page, its heading and its line in the menu. role: who may open it.
        icon: a symbol of static/icons.svg. group: the heading above it in the menu.
        """

        def add(handler: Handler) -> Handler:
            page = OwnPage(path, title, handler, role, icon, group, tuple(methods))
            check_page(page, self.own_pages, self._names)
            self.own_pages.append(page)
            return handler

        return add


def own_routes(pages: Sequence[OwnPage]) -> list[Route]:
    """Return the routes of own pages, which need a role as all others do."""
    return [
        Route(page.path, needs(page.role, page.answer), methods=[*page.methods], name=page.name)
        for page in pages
    ]


def check_page(page: OwnPage, others: Sequence[OwnPage], names: Collection[str]) -> None:
    """Raise ResourceError for a mistake in a page.

    names: the URL segments of the resources.
    """
    for mistake in (*_wrong_place(page, others, names), *_wrong_arguments(page)):
        raise ResourceError(f"Admin.page({page.path!r}): {mistake}.")


def _wrong_place(page: OwnPage, others: Sequence[OwnPage], names: Collection[str]) -> Iterator[str]:
    if not A_PATH.fullmatch(page.path):
        yield "the path begins with a slash and a name, as in /report"
    elif page.path.split("/")[1] in {*TAKEN_NAMES, *names}:
        yield "that path is taken"
    if any(other.path == page.path for other in others):
        yield "there are two pages of this path"
    if any(other.name == page.name for other in others):
        yield f"there are two pages called {page.name.partition(':')[2]}"


def _wrong_arguments(page: OwnPage) -> Iterator[str]:
    # Any: the arguments may have any type.
    given: Any = page
    if not given.title or not isinstance(given.title, str):
        yield "title= takes a text"
    if not inspect.iscoroutinefunction(given.handler) or parameter_count(given.handler) != 1:
        yield "a page is an async function of a request"
    if not isinstance(given.role, Role):
        yield f"role= takes a Role, such as Role.EDITOR, not {given.role!r}"
    if not set(given.methods) <= METHODS or not given.methods:
        yield "methods= takes GET and POST"
    if given.icon not in icon_names():
        yield no_symbol(given.icon)
