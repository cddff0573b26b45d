"""The documentation of the API: a page of this site that needs nothing from outside."""

from hero_admin.testing import Client
from tests.cases import on_one_database

pytestmark = on_one_database


async def test_the_page_shows_every_request(client: Client) -> None:
    page = await client.get("/api/docs")
    assert (page.status_code, page.title, page.heading) == (200, "API · Hero Admin", "API")
    summaries = [tag.visible_text for tag in page.find_all("summary")]
    assert "POST /api/heroes/ Create hero" in summaries
    assert "GET /api/teams/{id}/with-heroes Read team with heroes" in summaries
    assert len(summaries) == 16


async def test_the_page_shows_what_a_request_takes(client: Client) -> None:
    page = await client.get("/api/docs")
    parameters = page.table("Parameters of List heroes").rows
    names = [row["Name"] for row in parameters]
    assert names[:5] == ["skip", "limit", "after", "q", "sort"]
    assert names[5:] == ["team", "age_min", "age_max", "age"]
    assert "at most 1,000" in parameters[1]["Note"]
    fields = {row["Name"]: row for row in page.table("HeroCreate").rows}
    assert fields["name"]["Note"].startswith("required")
    assert "at most 150,000" in fields["age"]["Note"]


async def test_every_link_of_the_page_leads_somewhere(client: Client) -> None:
    page = await client.get("/api/docs")
    for one in page.links:
        if one.href.startswith("#"):
            page.by_id(one.href[1:])
        else:
            assert (await client.get(one.href)).status_code == 200
    document = await client.get(page.link("OpenAPI document"))
    assert document.json()["info"]["title"] == "Hero Admin API"


async def test_the_page_asks_no_other_site_for_anything(client: Client) -> None:
    page = await client.get("/api/docs")
    sources = [
        tag.attribute("src") or tag.attribute("href")
        for tag in page.find_all(["script", "link", "img"])
    ]
    assert all(source.startswith("/static/") for source in sources)
