"""Scopes of tokens: what a token is not for is refused on every path, and not in its document."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from fastapi.routing import APIRoute
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.applications import Starlette
from starlette.routing import Mount

from hero_admin import Action, Role, Run
from hero_admin.accounts.rights_now import fetch_as_now
from hero_admin.accounts.tokens import ApiToken
from hero_admin.accounts.users import User
from hero_admin.application import create_app
from hero_admin.jobs.table import Job
from hero_admin.jobs.worker import Worker
from hero_admin.pages import selected
from hero_admin.settings import Settings
from hero_admin.testing import Client, Page
from hero_admin.web.requests import SAFE_METHODS
from tests.cases import each, on_one_database
from tests.commands import run
from tests.factories import a_hero, a_team, some_heroes
from tests.serving import client_of, serving
from tests.stored import Stored
from webapp.heroes import Hero, heroes
from webapp.teams import Team, teams

ONLY_HEROES = {"scope": "some", "resource": "heroes"}


async def made(client: Client, role: str = "editor", **given: str) -> dict[str, str]:
    """Create a token as people do; return the header that has it."""
    data = {"name": "ci", "role": role, "days": "30", "scope": "all", **given}
    shown = await client.post("/account/tokens", data=data)
    assert (shown.status_code, shown.heading) == (200, "New token"), shown.text
    return {"Authorization": f"Bearer {shown.field('Token').value}"}


@pytest.fixture
async def program(app: Starlette, client: Client) -> AsyncIterator[Client]:
    """A client without a cookie."""
    async with client_of(app) as other:
        yield other


@pytest.fixture
async def records(session: AsyncSession) -> None:
    await a_hero(session, team=await a_team(session))


def routes_of(app: Starlette) -> list[tuple[str, str, set[str]]]:
    """Return the method, the path, and the resources of each route of the API."""
    (mount,) = (each for each in app.routes if isinstance(each, Mount) and each.name == "api")
    found = []
    for route in mount.routes:
        if isinstance(route, APIRoute):
            path = route.path_format.format(id=1)
            nouns = {noun for noun in ("heroes", "teams") if path.startswith(f"/{noun}")}
            nouns |= {noun for noun in ("heroes", "teams") if path.endswith(f"-{noun}")}
            nouns |= {"teams"} if path.endswith("-team") else set()
            found += [(method, f"/api{path}", nouns) for method in route.methods or ()]
    return found


@pytest.mark.usefixtures("records")
async def test_a_token_for_heroes_does_nothing_else_on_any_path(
    app: Starlette, client: Client, program: Client, stored: Stored
) -> None:
    headers = await made(client, **ONLY_HEROES)
    routes = routes_of(app)
    assert {frozenset(nouns) for _, _, nouns in routes} >= {frozenset(["heroes", "teams"])}
    for method, path, nouns in routes:
        # What it is for comes last, as that deletes the hero.
        if nouns and nouns != {"heroes"}:
            answer = await program.request(method, path, headers=headers, json={"name": "X"})
            assert answer.status_code == 403, f"{method} {path}"
            if method != "HEAD":
                sentence = "This token isn't for teams: it only works for heroes."
                assert answer.json() == {"detail": sentence}
    assert (await program.get("/api/heroes/1", headers=headers)).status_code == 200
    changed = await program.patch("/api/heroes/1", headers=headers, json={"age": 7})
    assert changed.status_code == 200
    assert [await stored.count(model) for model in (Hero, Team)] == [1, 1]


@pytest.mark.usefixtures("records")
async def test_a_read_only_token_changes_nothing_on_any_path(
    app: Starlette, client: Client, program: Client, stored: Stored
) -> None:
    headers = await made(client, read_only="1")
    for method, path, _ in routes_of(app):
        answer = await program.request(method, path, headers=headers, json={"name": "X"})
        is_refused = answer.status_code == 403
        assert is_refused == (method not in SAFE_METHODS), f"{method} {path}"
        if is_refused:
            assert answer.json() == {"detail": "This token can only read."}
    # It has the rights of its role otherwise.
    one = await program.get("/api/heroes/1", headers=headers)
    assert one.json()["secret_name"] == "Dive Wilson"
    assert [await stored.count(model) for model in (Hero, Team)] == [1, 1]


@on_one_database
@each(
    ("given", "paths", "methods", "schemas"),
    [
        (
            ONLY_HEROES,
            {"/heroes/", "/heroes/{id}"},
            {"get", "post", "patch", "delete"},
            {"HeroRead", "HeroCreate", "HeroUpdate"},
        ),
        (ONLY_HEROES | {"read_only": "1"}, {"/heroes/", "/heroes/{id}"}, {"get"}, {"HeroRead"}),
        (
            {"read_only": "1"},
            {f"/{noun}/{rest}" for noun in ("heroes", "teams") for rest in ("", "{id}")}
            | {"/heroes/{id}/with-team", "/teams/{id}/with-heroes"},
            {"get"},
            {"HeroRead", "TeamRead", "HeroReadWithTeam", "TeamReadWithHeroes"},
        ),
    ],
)
async def test_its_document_has_what_it_may(
    client: Client,
    program: Client,
    given: dict[str, str],
    paths: set[str],
    methods: set[str],
    schemas: set[str],
) -> None:
    headers = await made(client, **given)
    document = (await program.get("/api/openapi.json", headers=headers)).json()
    # Actions change something.
    acts = {path for path in document["paths"] if "/actions/" in path}
    assert bool(acts) == ("post" in methods)
    jobs = {path for path in document["paths"] if path.startswith("/jobs/")}
    assert set(document["paths"]) - acts - jobs == paths
    assert {name for path in document["paths"].values() for name in path} == methods
    found = set(document["components"]["schemas"])
    assert found >= {"ErrorDetail"}
    told = {name for name in found if name.startswith(("Hero", "Team"))}
    assert told - {"HeroRetire", "HeroTransfer"} == schemas
    text = document["info"]["description"]
    assert ("only works for heroes." in text) == ("resource" in given)
    assert ("can only read." in text) == ("read_only" in given)
    # A person's has everything.
    whole = (await client.get("/api/openapi.json")).json()
    assert set(whole["paths"]) > paths or "resource" not in given


async def recruit(run: Run[Hero]) -> str:
    await run.create(Team, name="Recruits")
    return "Recruited"


async def dissolve(run: Run[Team]) -> str:
    await run.delete()
    return "Dissolved"


async def grow(run: Run[Hero]) -> str:
    async for hero in run:
        await run.change(hero, age=(hero.age or 0) + 1)
    return "Grown"


@pytest.fixture
async def acting(settings: Settings, session: AsyncSession) -> AsyncIterator[Client]:
    """An owner of an application whose actions do something to other records as well."""
    await a_hero(session, team=await a_team(session))
    resources = (
        replace(heroes, actions=(Action("Recruit", recruit), Action("Grow", grow))),
        replace(teams, actions=(Action("Dissolve", dissolve),)),
    )
    async with serving(create_app(settings, resources), role=Role.OWNER) as client:
        yield client


async def test_nothing_is_done_to_other_records_with_a_token_either(
    acting: Client, stored: Stored
) -> None:
    only_heroes = await made(acting, **ONLY_HEROES)
    only_teams = await made(acting, scope="some", resource="teams")
    app = acting.http._transport.app  # type: ignore[attr-defined] # noqa: SLF001
    async with client_of(app) as program:
        for path, headers, sentence in (
            ("/heroes/actions/recruit", only_heroes, "This token isn't for teams"),
            # It would clear the team of a hero.
            ("/teams/actions/dissolve", only_teams, "This token isn't for heroes"),
        ):
            sent = await program.post(f"/api{path}", headers=headers, json={"ids": [1]})
            assert sent.status_code == 422
            assert sent.json()["detail"][0]["msg"].startswith(sentence)
        deleted = await program.delete("/api/teams/1", headers=only_teams)
        assert deleted.status_code == 409
        assert deleted.json()["detail"].startswith("This token isn't for heroes")
        assert [await stored.count(model) for model in (Hero, Team)] == [1, 1]
        both = await made(acting)
        sent = await program.post("/api/heroes/actions/recruit", headers=both, json={"ids": [1]})
        assert sent.json()["message"] == "Recruited"
        assert (await program.delete("/api/teams/1", headers=both)).status_code == 204


async def test_a_job_that_a_token_has_started_ends_with_it(
    acting: Client, session: AsyncSession, stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selected, "MAX_SELECTED", 10)
    await some_heroes(session, 20)
    app = acting.http._transport.app  # type: ignore[attr-defined] # noqa: SLF001
    worker = Worker(app.state.database, app.state.seen_sites, fetch_as_now, app.state.auth.events)
    headers, path = await made(acting, **ONLY_HEROES), "/api/heroes/actions/"
    async with client_of(app) as program:

        async def status_of(name: str) -> str:
            body: dict[str, object] = {"all_matching": {}}
            answer = await program.post(f"{path}{name}", headers=headers, json=body)
            assert answer.status_code == 202, answer.text
            if await stored.count(Job) == 3:
                await acting.post("/account/tokens/1/revoke")
            await worker.run_next()
            state = (await acting.get(answer.headers["location"])).json()
            return f"{state['status']} {state['failed']}"

        assert await status_of("grow") == "done 0"
        # Each of its batches is within its scope.
        assert await status_of("recruit") == "done 21"
        assert await stored.count(Team) == 1
        assert await status_of("grow") == "failed 0"
    assert max(hero.age or 0 for hero in await stored.all(Hero)) == 21


async def test_what_a_token_may_is_shown_where_it_is_made_and_listed(
    client: Client, stored: Stored
) -> None:
    page = await client.get("/account/tokens/new")
    for text in ("Read-only", "All records", "Only these", "Heroes", "Teams", "masked values"):
        assert text in page.visible_text
    form = page.form()
    assert (form["role"], form["scope"], "read_only" in form) == ("viewer", "all", False)
    shown = await client.submit(
        form, name="ci", role="editor", scope="some", resource="heroes", read_only=True
    )
    assert (
        "Programs that send it to the API can read heroes, masked values too, for 30 days."
        in shown.visible_text
    )
    (token,) = await stored.all(ApiToken)
    assert (token.is_read_only, token.scope.resources) == (True, ("heroes",))
    for path in ("/account", "/people/1", "/people/tokens"):
        assert "editor read-only only heroes" in (await client.get(path)).visible_text
    assert (
        "ci (editor, read-only, only heroes, until" in (await client.get("/history")).visible_text
    )


@on_one_database
@each(
    ("given", "sentence"),
    [
        ({"scope": "some"}, "Tick at least one, or choose all records."),
        ({"scope": "some", "resource": "x"}, "Unknown records: x."),
        ({"scope": "x"}, "Choose which records."),
        (
            {"scope": "all", "resource": "heroes"},
            "Choose “Only these” for the records that you ticked.",
        ),
    ],
)
async def test_a_scope_that_is_none_is_refused_and_kept(
    client: Client, stored: Stored, given: dict[str, str], sentence: str
) -> None:
    data = {"name": "ci", "role": "viewer", "days": "7", "read_only": "1", **given}
    again = await client.post("/account/tokens", data=data)
    assert again.status_code == 422
    assert sentence in again.visible_text
    form = again.form()
    assert (form["name"], form["read_only"]) == ("ci", "1")
    assert ("resource" in form) == (given.get("resource") == "heroes")
    assert await stored.count(ApiToken) == 0


async def test_an_expired_token_is_told_so_and_no_other_is(
    client: Client, program: Client, session: AsyncSession
) -> None:
    headers = await made(client)
    await session.execute(update(ApiToken).values(expires_at=datetime(2026, 11, 1, tzinfo=UTC)))
    await session.commit()
    for method in ("GET", "POST"):
        answer = await program.request(method, "/api/heroes/", headers=headers, json={})
        sentence = "This token expired on 2026-11-01. Create a new one on your account page."
        assert (answer.status_code, answer.json()) == (401, {"detail": sentence})
    assert "expired" in (await client.get("/people/tokens")).visible_text
    wrong = await program.get("/api/heroes/", headers={"Authorization": "Bearer hero_x"})
    assert wrong.json()["detail"].startswith("Invalid token")


# The tokens of everybody.


def lines_of(page: Page) -> list[str]:
    (listed,) = page.find_all("ul", {"aria-label": "API tokens"})
    return [each.visible_text for each in listed.find_all("li")]


async def test_owners_see_and_revoke_the_tokens_of_everybody(
    client: Client, editor: Client, program: Client
) -> None:
    headers = await made(editor)
    await made(client, name="backup", **ONLY_HEROES)
    page = await client.get((await client.get("/people")).link("API tokens"))
    backup, ci = lines_of(page)
    assert backup.startswith("backup editor only heroes Olive Owner · expires")
    assert ci.startswith("ci editor Edward Editor · expires")
    asked = await client.get(page.link("Revoke ci of Edward Editor…"))
    done = await client.submit(asked.form())
    assert done.headers["location"] == "/people/tokens"
    assert len(lines_of(await client.follow(done))) == 1
    assert (await program.get("/api/heroes/", headers=headers)).status_code == 401


async def test_there_is_a_page_for_every_fifty_tokens(
    client: Client, session: AsyncSession
) -> None:
    now = datetime.now(UTC)
    session.add_all(
        ApiToken(
            digest=str(number), user_id=1, name="t", role="viewer", created_at=now, expires_at=now
        )
        for number in range(120)
    )
    await session.commit()
    page, seen = await client.get("/people/tokens"), 0
    while True:
        seen += len(lines_of(page))
        if "Older" not in page.link_names:
            break
        page = await client.get(page.link("Older"))
    assert seen == 120
    assert len(lines_of(await client.get(page.link("Newest")))) == 50


# Ending sessions.


@pytest.mark.parametrize("has_tokens", [True, False])
async def test_signing_out_everywhere_offers_to_revoke_the_tokens(
    client: Client, editor: Client, program: Client, stored: Stored, has_tokens: bool
) -> None:
    headers = await made(editor)
    page = await client.get("/people/2")
    asked = await client.get(page.link("Sign out everywhere…"))
    assert asked.heading == "Sign out Edward Editor everywhere?"
    assert "Also revoke 1 API token" in asked.visible_text
    done = await client.submit(asked.form(), tokens=has_tokens)
    flash = (await client.follow(done)).flash
    assert flash == "Signed out 1 session" + (" Revoked 1 token." if has_tokens else "")
    answer = await program.get("/api/heroes/", headers=headers)
    assert answer.status_code == (401 if has_tokens else 200)
    assert await stored.count(ApiToken) == (0 if has_tokens else 1)
    assert (await editor.get("/heroes")).status_code == 303


# Commands.


async def test_tokens_are_made_listed_and_revoked_by_commands(
    database_url: str, client: Client, program: Client, stored: Stored
) -> None:
    async def user(*arguments: str) -> str:
        done = await asyncio.to_thread(run, "user", *arguments, url=database_url)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        return done.stdout

    (owner,) = [each.name for each in await stored.all(User)]
    assert await user("tokens") == "No tokens.\n"
    options = ("--name=ci", "--role=editor", "--read-only", "--resource=teams")
    token = (await user("token", owner, *options)).strip()
    headers = {"Authorization": f"Bearer {token}"}
    assert (await program.get("/api/teams/", headers=headers)).status_code == 200
    assert (await program.get("/api/heroes/", headers=headers)).status_code == 403
    for arguments in (("tokens",), ("tokens", owner)):
        listed = await user(*arguments)
        assert f"1  {owner}  ci (editor, read-only, only teams, until" in listed
    await user("token", owner, "--name=b")
    assert await user("revoke", owner, "1") == "Revoked ci.\n"
    assert await user("revoke", owner, "--all") == "Revoked 1 token.\n"
    assert await stored.count(ApiToken) == 0
    unknown = await asyncio.to_thread(
        run, "user", "token", owner, "--name=c", "--resource=x", url=database_url
    )
    assert (unknown.returncode, unknown.stderr) == (2, "Unknown records: x.\n")
    for wrong in (("1",), ()):
        refused = await asyncio.to_thread(run, "user", "revoke", owner, *wrong, url=database_url)
        assert refused.returncode == 2
