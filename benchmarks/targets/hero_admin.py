"""This application as shipped, signed in if it asks for it."""

import json
import re
from base64 import urlsafe_b64encode
from contextlib import suppress
from html import unescape
from pathlib import Path

import httpx

from benchmarks.databases import run_webapp
from benchmarks.facts import Facts
from benchmarks.forms import forms_in
from benchmarks.mixed import Ask, Hero
from benchmarks.processes import Command
from benchmarks.targets.starting import url
from benchmarks.targets.target import PASSWORD, USER, Paths, Place, Target
from tests.server import PROJECT

LINK = re.compile(r"<a\b[^>]*>")
HREF = re.compile(r'\shref="([^"]*)"')
# The largest page size, to reach page 1,000 in fewer requests.
LARGE, SMALL = 200, 25


def hero_admin(name: str, title: str, checkout: Path) -> Target:
    """Return this application as it stands in a checkout, which another may be measured beside."""

    def command(place: Place) -> Command:
        return Command(
            (str(place.python), "-m", "webapp", "serve", f"--port={place.port}"),
            checkout,
            {"WEBAPP_DATABASE_URL": place.database.webapp_url},
        )

    return Target(
        name=name,
        title=title,
        kind="ours",
        home="/heroes",
        command=command,
        paths=_paths,
        mixed=_mixed,
        edit_path="/heroes/{id}/edit",
        new_path="/heroes/new",
        export_path="/heroes.csv",
        sign_in=_sign_in,
    )


def _sign_in(client: httpx.Client, place: Place) -> None:
    if client.get("/heroes").status_code == httpx.codes.OK:
        return
    # An earlier run may have made the account.
    with suppress(RuntimeError):
        run_webapp(
            place.database.webapp_url, "user", "add", USER, "--role", "owner", given=PASSWORD + "\n"
        )
    page = client.get("/sign-in").text
    answer = client.post("/sign-in", data=_filled(page), headers={"Sec-Fetch-Site": "same-origin"})
    if answer.status_code >= httpx.codes.BAD_REQUEST:
        raise RuntimeError(f"signing in was answered with {answer.status_code}")


def _filled(page: str) -> dict[str, str]:
    """The form that asks for a password, filled in."""
    forms = [form for form in forms_in(page) if any("password" in name for name in form.names)]
    if not forms:
        raise RuntimeError("the sign-in asks for no password")
    given = {"name": USER, "password": PASSWORD}
    # The fields may be called account.name and account.password.
    return {name: given.get(name.rpartition(".")[2], value) for name, value in forms[0].pairs}


def _paths(client: httpx.Client, facts: Facts) -> Paths:
    searched = {
        text: str(httpx.URL("/heroes", params={"q": text}))
        for text in (facts.common, facts.rare, facts.absent)
    }
    return {
        "list": "/heroes",
        "list-compressed": "/heroes",
        "list-changed": "/heroes",
        "sort-name": "/heroes?sort=name",
        "sort-team": "/heroes?sort=team_id",
        "search-common": searched[facts.common],
        "search-rare": searched[facts.rare],
        "search-absent": searched[facts.absent],
        "page-1000": _walk(client, facts.deep_page),
        "page-last": _linked(client.get("/heroes").text, 'aria-label="Last page"'),
    }


def _walk(client: httpx.Client, page: int) -> str:
    """Follow the links to the next page, as there are no numbers of pages."""
    large, small = divmod((page - 1) * SMALL, LARGE)
    path = _go(client, f"/heroes?size={LARGE}", large)
    path = re.sub(rf"size={LARGE}&?", "", path).rstrip("?")
    return _go(client, path, small // SMALL)


def _go(client: httpx.Client, path: str, pages: int) -> str:
    for _ in range(pages):
        path = _linked(client.get(path).text, 'rel="next"')
    return path


def _linked(html: str, mark: str) -> str:
    """Where the link with this attribute leads."""
    for link in LINK.findall(html):
        href = HREF.search(link)
        if mark in link and href:
            return unescape(href[1])
    raise RuntimeError(f"there is no link with {mark}")


def _mixed(ask: Ask) -> str:
    params: dict[str, str | int] = {"sort": ask.ordering, "size": ask.size}
    if ask.hero is not None:
        params["after"] = _cursor(ask, ask.hero)
    if ask.text:
        params["q"] = ask.text
    if ask.team_id:
        params["team"] = ask.team_id
    if ask.ages:
        params |= {"age_min": ask.ages[0], "age_max": ask.ages[1]}
    return url("/heroes", **params)


def _cursor(ask: Ask, hero: Hero) -> str:
    """A cursor behind a hero, which stands in the links to next pages otherwise."""
    value = hero.team if ask.sort == "team_id" else str(getattr(hero, ask.sort))
    link = [str(hero.team_id)] if ask.sort == "team_id" else []
    packed = json.dumps([ask.ordering, value, [str(hero.id)], 0, *link])
    return urlsafe_b64encode(packed.encode()).decode().rstrip("=")


HERO_ADMIN = hero_admin("hero", "Hero Admin", PROJECT)
