"""The documentation of the API: a page of this site that needs nothing from outside."""

import httpx

from tests.html import by_id, heading_of, link, links_of, parsed, rows_of, text_of, title_of


async def test_the_page_shows_every_request(client: httpx.AsyncClient) -> None:
    page = await client.get("/api/docs")
    assert (page.status_code, title_of(page), heading_of(page)) == (200, "API · Hero Admin", "API")
    summaries = [text_of(tag) for tag in parsed(page).find_all("summary")]
    assert "POST /api/heroes/ Create hero" in summaries
    assert "GET /api/teams/{id}/with-heroes Read team with heroes" in summaries
    assert len(summaries) == 12


async def test_the_page_shows_what_a_request_takes(client: httpx.AsyncClient) -> None:
    page = await client.get("/api/docs")
    parameters = rows_of(page, "Parameters of List heroes")
    assert [row["Name"] for row in parameters] == ["skip", "limit"]
    assert "at most 1,000" in parameters[1]["Note"]
    fields = {row["Name"]: row for row in rows_of(page, "HeroCreate")}
    assert fields["name"]["Note"].startswith("required")
    assert "at most 150,000" in fields["age"]["Note"]


async def test_every_link_of_the_page_leads_somewhere(client: httpx.AsyncClient) -> None:
    page = await client.get("/api/docs")
    for one in links_of(page):
        if one.href.startswith("#"):
            by_id(page, one.href[1:])
        else:
            assert (await client.get(one.href)).status_code == 200
    document = await client.get(link(page, "OpenAPI document"))
    assert document.json()["info"]["title"] == "Hero Admin API"


async def test_the_page_asks_no_other_site_for_anything(client: httpx.AsyncClient) -> None:
    page = parsed(await client.get("/api/docs"))
    sources = [
        tag.get("src") or tag.get("href") for tag in page.find_all(["script", "link", "img"])
    ]
    assert all(str(source).startswith("/static/") for source in sources)
