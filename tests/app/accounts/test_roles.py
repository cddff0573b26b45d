"""Roles: each address has one, and what somebody may not do is neither shown nor done."""

from collections.abc import Iterator, Sequence

import pytest
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.routing import BaseRoute, Mount, Route

from hero_admin.person import Role
from hero_admin.rights import Permission
from hero_admin.settings import Settings
from hero_admin.testing import Client, htmx_headers
from hero_admin.web.requests import SAFE_METHODS
from tests.cases import on_one_database
from tests.factories import a_hero, a_team
from tests.signing_in import NAMES
from tests.stored import Stored
from webapp.app import admin
from webapp.heroes import Hero
from webapp.teams import Team

# Open to whoever is not signed in, and why.
PUBLIC = {
    "/sign-in": "the way in",
    "/sign-in/code": "its second step",
    "/sign-in/passkey": "what a browser asks a device",
    "/sign-in/code/passkey": "the same for the second step",
    "/sign-out": "the way out",
    "/welcome": "the way in for whoever has a link",
    "/theme": "how the page looks",
    "/healthz": "for whoever watches over the server",
    "/readyz": "the same",
    "/static": "the same for everybody",
}


def flattened(routes: Sequence[BaseRoute], prefix: str = "") -> Iterator[tuple[str, BaseRoute]]:
    for route in routes:
        path = prefix + getattr(route, "path", "")
        if isinstance(route, Mount) and route.routes:
            yield from flattened(route.routes, path)
        else:
            yield path, route


def role_of(route: BaseRoute) -> Role | None:
    needed = getattr(route, "needed", None) or getattr(
        getattr(route, "endpoint", None), "needed", None
    )
    role = needed.grant if isinstance(needed, Permission) else needed
    assert role is None or isinstance(role, Role)
    return role


ROUTES = list(flattened(admin.application(Settings()).routes))
GUARDED = [
    (
        method,
        path.format(
            id=1,
            field="secret_name",
            relation="heroes",
            operation="x",
            token=1,
            change=1,
            passkey=1,
        ),
        role,
    )
    for path, route in ROUTES
    if isinstance(route, Route) and (role := role_of(route))
    for method in sorted(route.methods or ())
]


def test_no_address_is_open_by_mistake() -> None:
    assert {path for path, route in ROUTES if role_of(route) is None} == set(PUBLIC)
    assert not [path for path, route in ROUTES if role_of(route) and path in PUBLIC]


def test_there_are_addresses_for_each_role() -> None:
    assert len(GUARDED) > 40
    assert {role for _, _, role in GUARDED} >= {Role.VIEWER, Role.EDITOR}


def test_what_changes_anything_is_for_editors_but_for_ones_own_account() -> None:
    for method, path, role in GUARDED:
        # Exports and other jobs are their starter's.
        is_own = path.startswith(("/account/", "/jobs/", "/api/jobs/"))
        is_own = is_own or path.endswith((".csv", ".jsonl"))
        assert method in SAFE_METHODS or is_own or role.includes(Role.EDITOR), f"{method} {path}"


def test_people_are_for_owners() -> None:
    roles = {role for _, path, role in GUARDED if path.startswith("/people")}
    assert roles == {Role.OWNER}


@pytest.fixture
async def record(session: AsyncSession) -> None:
    await a_hero(session, team=await a_team(session))


@pytest.mark.usefixtures("record")
async def test_a_viewer_may_do_what_is_for_viewers_and_nothing_else(
    viewer: Client, stored: Stored
) -> None:
    for method, path, role in GUARDED:
        answer = await viewer.request(method, path)
        is_refused = answer.status_code == 403
        assert is_refused == (role is not Role.VIEWER), f"{method} {path}: {answer.status_code}"
        if is_refused and method != "HEAD":
            assert "signed in as a viewer." in answer.text, f"{method} {path}"
    assert [await stored.count(model) for model in (Hero, Team)] == [1, 1]


@pytest.mark.usefixtures("record")
async def test_an_editor_may_do_all_but_what_is_for_owners(editor: Client) -> None:
    for method, path, role in GUARDED:
        answer = await editor.request(method, path)
        is_refused = answer.status_code == 403
        assert is_refused == (role is Role.OWNER), f"{method} {path}: {answer.status_code}"


async def test_an_owner_may_do_everything(client: Client) -> None:
    for method, path, _ in GUARDED:
        answer = await client.request(method, path)
        assert answer.status_code not in {401, 403}, f"{method} {path}"


async def test_a_stranger_may_do_nothing(anonymous: Client) -> None:
    for method, path, _ in GUARDED:
        answer = await anonymous.request(method, path)
        way_in = answer.headers.get("location", "")
        is_sent_away = answer.status_code == 401 or way_in.startswith("/sign-in")
        assert is_sent_away, f"{method} {path}: {answer.status_code}"


async def test_a_page_says_why_it_may_not_be_seen(viewer: Client) -> None:
    page = await viewer.get("/heroes/new")
    assert (page.status_code, page.heading) == (403, "You don't have access")
    assert "Only editors can create heroes. You're signed in as a viewer." in page.visible_text
    answer = await viewer.delete("/api/heroes/1")
    assert answer.json() == {
        "detail": "Only editors can delete heroes. You're signed in as a viewer."
    }


@on_one_database
@pytest.mark.usefixtures("record")
@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/", {}),
        ("/heroes", {}),
        ("/heroes", htmx_headers("section#list")),
        ("/heroes?q=nobody", {}),
        ("/heroes/1", {}),
        ("/heroes/1/history", {}),
        ("/teams/1", {}),
        ("/teams/1/heroes", htmx_headers("section#list")),
        ("/history", {}),
    ],
)
async def test_a_viewer_sees_nothing_that_is_for_editors(
    viewer: Client, client: Client, path: str, headers: dict[str, str]
) -> None:
    page = await viewer.get(path, headers=headers)
    assert page.status_code == 200
    words = ("/new", "/edit", "/delete", "/change", "/restore", "/undo", "/reveal")
    links = [link.href.partition("?")[0] for link in page.links]
    assert [link for link in links if link.endswith(words)] == []
    assert [
        form.attribute("action")
        for form in page.find_all("form", action=True)
        if form.attribute("action").endswith(words)
    ] == []
    assert page.find_all(formaction=True) == []
    assert page.find_all("input", name="id") == []
    # An editor has the same page with more on it.
    assert (await client.get(path, headers=headers)).status_code == 200


async def test_an_empty_list_offers_a_viewer_no_new_record(viewer: Client) -> None:
    assert "/heroes/new" not in (await viewer.get("/heroes")).text


@pytest.mark.parametrize("role", list(Role))
async def test_each_page_says_who_is_signed_in(
    client: Client,
    editor: Client,
    viewer: Client,
    role: Role,
) -> None:
    who = {Role.OWNER: client, Role.EDITOR: editor, Role.VIEWER: viewer}[role]
    words = (await who.get("/")).visible_text
    assert f"{NAMES[role]} {role.value.title()}" in words
