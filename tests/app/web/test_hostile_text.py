"""Stored text is text everywhere: no page does what the name of a hero says."""

import csv
import io
import json
import logging
import re

import pytest
from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route

from hero_admin.person import Role
from hero_admin.testing import Client, Page, htmx_headers
from tests.addresses import addresses
from tests.cases import on_one_database
from tests.factories import a_hero, a_team
from tests.serving import serving

# Each would make an element or an attribute that no page of ours has.
MARKUP = (
    "<xss-tag>",
    "<script>window.xss=1</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg onload=alert(1)>",
    '" onfocus=alert(1) autofocus xss-attribute="',
    "</title><xss-tag>",
    "</textarea></select></option><xss-tag>",
    "--><xss-tag><!--",
    "]]><xss-tag>",
    "&lt;xss-tag&gt;",
    "&quot;><xss-tag>",
    "<a href=javascript:alert(1)>x</a>",
    "javascript:alert(1)",
    "//evil.example/x",
    "{{7*7}} {% xss %} ${7*7} #{7*7}",
    "%3Cxss-tag%3E",
    "\u202e<xss-tag>\u2066",
    "\u2028<xss-tag>\u2029",
    "<xss-tag\tx>\r<xss-tag>",
    "hx-on:click=alert(1) hx-get=/x",
)
FORMULAS = (
    "=cmd|' /C calc'!A0",
    "+1+cmd",
    "-1+cmd",
    "@SUM(1)",
    "\uff1d1",
    "\uff0b1",
    "\uff0d1",
    "\uff20x",
)
FORMULA_STARTS = tuple("=+-@\uff1d\uff0b\uff0d\uff20")
HOSTILE = MARKUP + FORMULAS
FRAGMENTS = ("section#list", "main#main", "form#form", "div#confirm", "ul#options", "span#total")
RUNS_SOMETHING = re.compile(r"on\w+|style|srcdoc|xss.*|hx-on.*", re.IGNORECASE)


@on_one_database
async def test_a_page_shows_the_text_and_nothing_that_the_text_says(
    app: Starlette, client: Client, session: AsyncSession
) -> None:
    for number, text in enumerate(HOSTILE):
        team = await a_team(session, text, headquarters=text)
        await a_hero(session, text, text, age=number, team=team)
    await client.post("/heroes/2/delete", data={})
    read = 0
    for path in [*addresses(app.routes), "/heroes?q=<xss-tag>"]:
        for headers in ({}, *map(htmx_headers, FRAGMENTS)):
            answer = await client.get(path, headers=headers)
            if answer.headers.get("content-type", "").startswith("text/html"):
                assert made_by_data(answer) == [], f"{path} {headers}"
                read += 1
    assert read > 100


@on_one_database
@pytest.mark.parametrize("text", MARKUP)
async def test_every_step_with_a_hostile_name_shows_it_as_it_was_typed(
    client: Client, text: str
) -> None:
    typed = {"name": text, "secret_name": text}
    visible = " ".join(text.split())
    refused = await client.post("/heroes", data={**typed, "age": text})
    assert refused.status_code == 422
    saved = await client.post("/heroes", data=typed)
    assert saved.status_code == 303
    listed = await client.get("/heroes")
    assert visible in listed.flash
    shown = await client.get("/heroes/1")
    assert " ".join(shown.heading.split()) == visible
    assert visible in " ".join(shown.title.split())
    changed = await client.post("/heroes/1", data={"name": f"{text}!"})
    assert changed.status_code == 303
    history = await client.get("/heroes/1/history")
    deleting = await client.get("/heroes/1/delete")
    deleted = await client.post("/heroes/1/delete", data={})
    left = await client.get("/heroes")
    for page in (refused, saved, listed, shown, changed, history, deleting, deleted, left):
        assert made_by_data(page) == []


@pytest.mark.parametrize("character", ["\0", "\ud800"])
async def test_what_no_database_keeps_is_refused(client: Client, character: str) -> None:
    body = "name=a%00b&secret_name=x" if character == "\0" else "name=a%ED%A0%80b&secret_name="
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await client.post("/heroes", content=body, headers=form)).status_code in {400, 422}
    name = json.dumps({"name": f"a{character}b", "secret_name": "x"})
    answer = await client.post(
        "/api/heroes/", content=name, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 422


@on_one_database
async def test_no_cell_of_an_export_is_a_formula(client: Client, session: AsyncSession) -> None:
    starts = ["\t=1", "\r=1", "\n=1", *FORMULAS]
    for text in starts:
        await a_hero(session, text, text, age=7, team=await a_team(session, text, text))
    for path in ("/heroes.csv", "/teams.csv"):
        rows = list(csv.reader(io.StringIO((await client.get(path)).text, newline="")))
        cells = [cell for row in rows for cell in row]
        assert [cell for cell in cells if cell.lstrip().startswith(FORMULA_STARTS)] == []
        assert len(rows) == len(starts) + 1
        assert "'=cmd|' /C calc'!A0" in cells


async def test_json_holds_the_text_and_says_that_it_is_json(
    client: Client, session: AsyncSession
) -> None:
    for text in HOSTILE:
        await a_hero(session, text, text)
    for path in ("/heroes.json", "/api/heroes/"):
        answer = await client.get(path)
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert sorted(hero["name"] for hero in answer.json()) == sorted(HOSTILE)


@on_one_database
async def test_no_log_line_is_forged_and_none_tells_a_secret(
    client: Client, session: AsyncSession, caplog: pytest.LogCaptureFixture
) -> None:
    secrets = {"Cookie": "session=c00kie", "Authorization": "Bearer t0ken"}
    data = {"name": "Nova", "secret_name": "s3cret", "password": "passw0rd"}
    forged = "x%0D%0A2026-01-01 ERROR forged%1B[31m%E2%80%A8%C2%85"
    with caplog.at_level(logging.DEBUG, logger="hero_admin"):
        await client.get(f"/heroes/{forged}?token=qu3ry", headers=secrets)
        await client.post("/heroes", data=data, headers=secrets)
        await client.post("/nothing?token=qu3ry", data=data, headers=secrets)
        await client.request("FORGED\r\n", "/heroes", headers=secrets)
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) >= 4
    for line in lines:
        assert line.isprintable()
        assert line.isascii()
        for secret in ("c00kie", "t0ken", "s3cret", "passw0rd", "qu3ry"):
            assert secret not in line


async def test_a_traceback_in_the_log_tells_nothing_that_is_stored(
    app: Starlette, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(request: Request) -> None:
        values = {"name": "s3cret", "age": 1}
        await request.state.session.execute(sql("SELECT :name, :age FROM FROM"), values)

    app.router.routes.insert(0, Route("/fail", fail))
    async with serving(app, role=Role.OWNER) as client:
        assert (await client.get("/fail")).status_code == 500
    assert "Traceback" in caplog.text
    assert "s3cret" not in caplog.text


def made_by_data(page: Page) -> list[str]:
    """The elements and attributes that only a text could have made."""
    return [element.text[:200] for element in page.find_all() if is_made_by_data(element)]


def is_made_by_data(element: Page) -> bool:
    tag = element.tag
    if tag.name == "xss-tag" or (tag.name == "script" and not tag.get("src")):
        return True
    if tag.name in {"img", "iframe", "object", "embed"}:
        return True
    addresses_of = (
        element.attribute(name, "/") for name in ("href", "src", "action", "formaction")
    )
    return any(RUNS_SOMETHING.fullmatch(name) for name in tag.attrs) or any(
        not address.startswith(("/", "#", "?")) or address.startswith("//")
        for address in addresses_of
    )
