"""Static files: kept for good by browsers, small on the way, and no more of them than needed."""

import re
from functools import partial

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.testing import Client, Page
from hero_admin.web import static_files
from hero_admin.web.assets import MODULES, STATIC, static_url
from hero_admin.web.static_files import COMPRESSORS
from tests.cases import on_one_database
from tests.factories import a_team, some_heroes
from tests.statements import Statements

pytestmark = on_one_database

FOREVER = "public, max-age=31536000, immutable"
MAX_BYTES = 60_000
# With the number above a list, which comes after it, six.
MAX_REQUESTS = 5


def files_of(page: Page) -> list[str]:
    """The addresses that a browser fetches with a page, each once."""
    found = [tag.attribute("href") for tag in page.find_all("link")]
    found += [tag.attribute("src") for tag in page.find_all(("script", "img"), src=True)]
    found += [tag.attribute("href").partition("#")[0] for tag in page.find_all("use")]
    return list(dict.fromkeys(found))


async def transferred(client: Client, url: str, encoding: str) -> int:
    """How many bytes of headers and body travel for one answer."""
    headers = {"Accept-Encoding": encoding}
    async with client.http.stream("GET", url, headers=headers) as answer:
        assert answer.status_code == 200
        body = sum([len(chunk) async for chunk in answer.aiter_raw()])
        return body + sum(len(name) + len(value) + 4 for name, value in answer.headers.raw)


async def test_a_page_asks_for_files_by_their_content_and_browsers_keep_them(
    client: Client,
) -> None:
    files = files_of(await client.get("/heroes"))
    assert len(files) >= 3
    for file in files:
        assert re.search(r"\?v=[0-9a-f]{12}$", file)
        answer = await client.get(file)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, FOREVER)


@pytest.mark.parametrize("query", ["", "?v=", "?v=000000000000", "?x=1"])
async def test_a_file_is_not_kept_under_an_address_that_is_not_its_own(
    client: Client, query: str
) -> None:
    answer = await client.get(f"/static/site.css{query}")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")


@pytest.mark.parametrize("encoding", ["br", "gzip", "zstd", "identity"])
async def test_a_file_that_has_not_changed_is_not_sent_again(client: Client, encoding: str) -> None:
    asked = {"Accept-Encoding": encoding}
    first = await client.get("/static/site.css", headers=asked)
    asked["If-None-Match"] = first.headers["etag"]
    again = await client.get("/static/site.css", headers=asked)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]


async def test_each_encoding_of_a_file_has_a_tag_of_its_own(client: Client) -> None:
    tags = set()
    for encoding in ("br", "gzip", "identity"):
        answer = await client.get("/static/site.css", headers={"Accept-Encoding": encoding})
        tags.add(answer.headers["etag"])
    assert len(tags) == 3


async def test_a_file_is_compressed_once(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    compressed: list[int] = []
    real = dict(COMPRESSORS)

    def counting(name: str, content: bytes) -> bytes:
        compressed.append(len(content))
        return real[name](content)

    patched = {name: partial(counting, name) for name in real}
    monkeypatch.setattr(static_files, "COMPRESSORS", patched)
    answers = [
        await client.get("/static/site.css", headers={"Accept-Encoding": accepted})
        for accepted in ("br", "gzip, deflate, br, zstd", "br;q=1.0, gzip;q=0.5")
    ]
    assert {answer.headers["content-encoding"] for answer in answers} == {"br"}
    assert len({answer.text for answer in answers}) == len(compressed) == 1


@pytest.mark.parametrize("accepted", ["", "br;q=0", "br; q=0.0, gzip;q=0", "*;q=0", "snappy"])
async def test_a_file_is_not_compressed_for_who_cannot_read_it(
    client: Client, accepted: str
) -> None:
    answer = await client.get("/static/site.css", headers={"Accept-Encoding": accepted})
    assert "content-encoding" not in answer.headers
    assert answer.text == (STATIC / "site.css").read_text()


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip"])
@pytest.mark.parametrize("url", ["/heroes", "/static/site.css", "/api/openapi.json"])
async def test_answers_are_compressed_as_the_client_can_read_them(
    client: Client, session: AsyncSession, url: str, encoding: str
) -> None:
    await some_heroes(session, 25)
    async with client.http.stream("GET", url, headers={"Accept-Encoding": encoding}) as answer:
        raw = b"".join([chunk async for chunk in answer.aiter_raw()])
        assert answer.headers["content-encoding"] == encoding
        assert "accept-encoding" in answer.headers["vary"].lower()
    plain = await client.get(url, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert len(raw) < len(plain.content) / 2


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip"])
async def test_the_first_visit_to_the_list_is_small(
    client: Client, session: AsyncSession, encoding: str
) -> None:
    await some_heroes(session, 40, await a_team(session))
    urls = ["/heroes", *files_of(await client.get("/heroes"))]
    assert len(urls) <= MAX_REQUESTS
    assert sum([await transferred(client, url, encoding) for url in urls]) <= MAX_BYTES


async def test_a_style_sheet_draws_icons_from_the_file_that_the_page_has_already(
    client: Client,
) -> None:
    styles = (await client.get("/static/site.css")).text
    assert re.findall(r"@import|@font-face", styles) == []
    icons = re.findall(r"url\(\"([^\"]+)\"\)", styles)
    assert len(icons) == len(re.findall(r"url\(", styles)) == 3
    drawn = (STATIC / "icons.svg").read_text()
    for icon in icons:
        # One that was changed needs its new address in the style sheet.
        address, _, view = icon.partition("#")
        assert f"/static/{address}" == static_url("icons.svg")
        assert f'<view id="{view}"' in drawn


async def test_a_script_is_served_as_one_file_made_of_all_modules(client: Client) -> None:
    assert sorted(MODULES) == sorted(path.stem for path in (STATIC / "site").glob("*.js"))
    script = (await client.get("/static/site.js")).text
    found = [script.index((STATIC / "site" / f"{module}.js").read_text()) for module in MODULES]
    assert found == sorted(found)


@pytest.mark.parametrize(
    "path",
    [
        "/static/",
        "/static/nothing.css",
        "/static/../pyproject.toml",
        "/static/%2e%2e/pyproject.toml",
        "/static/..%2fpyproject.toml",
        "/static/vendor",
        "/static/%00",
        "/static/" + "x" * 300,
        "/static//etc/passwd",
    ],
    ids=lambda path: path[:30],
)
async def test_what_is_no_static_file_is_not_found(client: Client, path: str) -> None:
    assert (await client.get(path)).status_code == 404


async def test_a_static_file_can_only_be_read(client: Client) -> None:
    answer = await client.post("/static/site.css")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
    head = await client.head("/static/site.css")
    assert (head.status_code, head.content) == (200, b"")


async def test_a_static_file_costs_no_statement(client: Client, statements: Statements) -> None:
    with statements() as executed:
        assert (await client.get("/static/site.css")).status_code == 200
    assert executed == []
