"""The way back: an address that comes with a request leads to a page of this site or nowhere."""

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.testing import BASE_URL, Client
from hero_admin.web.addresses import is_local
from tests.cases import on_one_database
from tests.factories import a_hero

ELSEWHERE = [
    "",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\/evil.example",
    "\\\\evil.example",
    "/heroes\\..\\x",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r\nSet-Cookie: x=1",
    "\t//evil.example",
    " //evil.example",
    "/\0/evil.example",
    "/\x7f/evil.example",
    "/\u2028/evil.example",
    "/\u202e/evil.example",
    "/\xa0/evil.example",
    "/\ud800",
    "\uff0f\uff0fevil.example",
    "http:evil.example",
    "http://localhost/heroes",
    "https:/evil.example",
    "javascript:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,x",
    "evil.example",
    "heroes",
    "?q=x",
    "#x",
    "@evil.example",
]
HERE = [
    "/",
    "/heroes?q=x&sort=-name#list",
    "/%5cevil.example",
    "/%2f/evil.example",
    "/x:y",
    "/@evil.example",
    "/.//evil.example",
    "/heroes?back=//evil.example",
    "/heroes?q=ü",
]


@pytest.mark.parametrize("url", ELSEWHERE, ids=ascii)
def test_what_could_lead_elsewhere_is_no_path_of_this_site(url: str) -> None:
    assert not is_local(url)


@pytest.mark.parametrize("url", HERE)
def test_a_path_of_this_site_is_one(url: str) -> None:
    assert is_local(url)


@given(st.text(st.sampled_from("/\\\t\n\r :@?#.%5cx\0\u3000")).map(lambda text: "/" + text))
def test_whatever_is_taken_for_local_stays_on_this_host(url: str) -> None:
    # As browsers read it: a backslash is a slash, tabs and line ends are dropped.
    read = url.translate({ord("\\"): "/", ord("\t"): None, ord("\n"): None, ord("\r"): None})
    if is_local(url):
        assert urlsplit(urljoin(BASE_URL, read)).netloc == urlsplit(BASE_URL).netloc


@on_one_database
@pytest.mark.parametrize("url", [url for url in ELSEWHERE if url.isprintable()], ids=ascii)
async def test_saving_never_redirects_to_another_site(
    client: Client, session: AsyncSession, url: str
) -> None:
    await a_hero(session)
    parameters = {"back": url, "next": url}
    page = await client.get("/heroes/1/edit", params=parameters)
    assert page.status_code == 200
    for path in ("/heroes/1", "/heroes/1/delete"):
        answer = await client.post(path, params=parameters, data={"name": "Nova", **parameters})
        assert answer.status_code == 303
        assert urljoin(BASE_URL, answer.headers["location"]).startswith(f"{BASE_URL}heroes")
