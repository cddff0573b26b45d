"""Pages, menu and look of an application: beside those of the library, with the same rights."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from markupsafe import Markup
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount

from hero_admin import Admin, Invalid, MenuLink, Person, Resource, ResourceError, Role
from hero_admin.settings import Settings
from hero_admin.testing import Client, htmx_headers
from hero_admin.web.assets import icon_names
from tests.articles import Article, Catalogue, Shade, Stars, an_article
from tests.cases import on_one_database
from tests.server import PROJECT
from tests.serving import client_of, serving
from tests.signing_in import sign_in_by

LOOK = Path(__file__).parent.parent / "data" / "look"


def an_admin(**look: Any) -> Admin:
    """Articles and shades, three pages of the application, and a link."""
    admin = Admin(
        [
            Resource(Article, group="Catalogue", inputs={Article.stars: StarsOfTheShop()}),
            Resource(Shade),
        ],
        title="Tea house",
        logo="logo.svg",
        accent="#0f7a4f",
        templates=LOOK / "templates",
        static=LOOK / "static",
        menu=[MenuLink("Shop", "/", group="Catalogue"), MenuLink("Bank", "https://bank.example")],
        **look,
    )

    @admin.page(
        "/report", title="Report", role=Role.EDITOR, group="Catalogue", methods=("GET", "POST")
    )
    async def report(request: Request) -> tuple[str, dict[str, Any]]:
        session: AsyncSession = request.state.session
        if request.method == "POST":
            form = await request.form()
            session.add(Article(name=str(form["note"])))
            await session.flush()
            if form["note"] == "bad":
                raise Invalid("No such note.")
        count = await session.scalar(select(func.count()).select_from(Article))
        return "report.html", {"count": count}

    @admin.page("/years/{year:int}", title="Year")
    async def year(request: Request) -> str | Response:
        if request.path_params["year"] > 2030:
            raise HTTPException(404)
        return PlainTextResponse("a file") if request.query_params else Markup("<p>A <b>year</b>")

    @admin.page("/owners-only", title="Owners only", role=Role.OWNER)
    async def owners_only(_: Request) -> str:
        return "<b>"

    return admin


class StarsOfTheShop(Stars):
    template = "stars.html"


@pytest.fixture
async def app(settings: Settings, session: AsyncSession) -> Starlette:
    await (await session.connection()).run_sync(Catalogue.metadata.create_all)
    await session.commit()
    return an_admin().application(settings)


@pytest.fixture
async def house(app: Starlette) -> AsyncIterator[Client]:
    async with serving(app, role=Role.EDITOR) as client:
        yield client


async def test_a_page_has_the_head_and_the_session_of_all_others(
    house: Client, session: AsyncSession
) -> None:
    await an_article(session)
    page = await house.get("/report")
    assert (page.heading, page.title) == ("Report", "Report · Tea house")
    assert "1 articles, says" in page.by_id("main").visible_text
    assert page.link("Articles") == "/articles"
    page = await house.submit(page.form(), note="Rum")
    assert "2 articles" in page.visible_text
    # Nothing of a request that is refused is saved.
    refused = await house.post("/report", data={"note": "bad"})
    assert (refused.status_code, "No such note." in refused.visible_text) == (422, True)
    assert "2 articles" in (await house.get("/report")).visible_text


@pytest.mark.usefixtures("app")
async def test_a_page_reads_the_rows_of_its_person(
    settings: Settings, session: AsyncSession
) -> None:
    for stars in (1, 4, 5):
        await an_article(session, stars=stars)
    admin = Admin([Resource(Article, rows=lambda _: col(Article.stars) > 3)], title="Tea house")

    @admin.page("/report", title="Report")
    async def report(request: Request) -> str:
        found = select(func.count()).select_from(Article)
        return f"{await request.state.session.scalar(found)} articles"

    async with serving(admin.application(settings), role=Role.EDITOR) as client:
        assert "2 articles" in (await client.get("/report")).by_id("main").visible_text


@on_one_database
async def test_a_page_answers_with_content_or_a_response(house: Client) -> None:
    page = await house.get("/years/2026")
    assert (page.heading, [tag.visible_text for tag in page.find_all("b")]) == ("Year", ["year"])
    assert (await house.get("/years/2026?file=1")).text == "a file"
    missing = await house.get("/years/2031")
    assert (missing.status_code, missing.heading) == (404, "Not found")
    assert (await house.get("/years/x")).status_code == 404
    assert (await house.post("/years/2026")).status_code == 405


@on_one_database
async def test_a_page_is_for_its_role_and_in_the_menu_of_nobody_else(
    app: Starlette, house: Client
) -> None:
    assert "Owners only" not in (await house.get("/")).link_names
    refused = await house.get("/owners-only")
    assert (refused.status_code, refused.heading) == (403, "You don't have access")
    async with client_of(app) as stranger:
        assert (await stranger.get("/report")).status_code in (303, 401)
        assert (await stranger.post("/report")).status_code in (303, 401)
    async with client_of(app) as owner:
        await sign_in_by(app.state.database, owner, Role.OWNER)
        page = await owner.get("/owners-only")
        assert "&lt;b&gt;" in page.text
        assert page.link("Owners only") == "/owners-only"


@on_one_database
async def test_the_menu_has_groups_pages_and_links(house: Client) -> None:
    menu = (await house.get("/report")).by_id("menu")
    headings = [tag.visible_text for tag in menu.find_all("p")][:3]
    assert headings == ["Catalogue", "Records", "Links"]
    assert menu.link_names[:6] == ["Overview", "Articles", "Report", "Shop", "Shades", "Bank"]
    assert (menu.link("Shop"), menu.link("Bank")) == ("/", "https://bank.example")
    current = menu.find_all("a", {"aria-current": "page"})
    assert [tag.visible_text for tag in current] == ["Report"]


@on_one_database
async def test_a_template_overrides_that_of_one_resource_or_of_all(
    house: Client, session: AsyncSession
) -> None:
    await an_article(session)
    session.add(Shade(name="Red", article_id=1))
    await session.commit()
    article, shade = await house.get("/articles/1"), await house.get("/shades/1")
    assert "An article" in article.visible_text
    assert "Of all kinds" in shade.visible_text
    assert article.by_id("main").facts["Name"] == "Tea"
    # Parts of a page are those of the same template.
    listed = await house.get("/articles")
    assert listed.by_id("total").visible_text == "about 1"
    part = await house.get("/articles", headers=htmx_headers("section#list"))
    assert "about 1" in part.visible_text
    assert "about" not in (await house.get("/shades")).by_id("total").visible_text
    related = await house.get("/articles/1/shades", headers=htmx_headers("section#list"))
    assert related.column("Name") == ["Red"]
    form = (await house.get("/articles/1/edit")).field("Stars")
    assert form.attribute("class") == "stars"


@on_one_database
async def test_the_logo_the_colour_and_own_files_are_served_as_files(house: Client) -> None:
    page = await house.get("/")
    styles = [tag.attribute("href") for tag in page.find_all("link", {"rel": "stylesheet"})]
    assert [style.split("?")[0] for style in styles] == [
        *("/static/site.css", "/static/own/accent.css", "/static/own/shop.css"),
    ]
    (logo,) = [tag.attribute("src") for tag in page.find_all("img")]
    for url, kind in ((styles[1], "text/css"), (styles[2], "text/css"), (logo, "image/svg+xml")):
        file = await house.get(url)
        assert file.headers["content-type"].startswith(kind)
        assert "immutable" in file.headers["cache-control"]
        assert file.headers["content-security-policy"].startswith("default-src 'none'")
    assert "--accent:light-dark(#0f7a4f," in (await house.get(styles[1])).text
    assert (await house.get("/static/own/nothing.css")).status_code == 404
    assert (await house.get("/static/own/..%2ftemplates/report.html")).status_code == 404


@on_one_database
@pytest.mark.usefixtures("app")
async def test_all_of_it_travels_with_the_prefix(settings: Settings) -> None:
    async def ann(_: Request) -> Person:
        return Person("Ann", Role.EDITOR)

    admin = an_admin(authenticate=ann, database=settings.database_url)
    outside = Starlette(routes=[Mount("/shop", admin)])
    async with client_of(outside) as client:
        page = await client.get("/shop/report")
        assert page.heading == "Report"
        assert page.by_id("menu").link("Report") == "/shop/report"
        # A link of the menu is one of the host.
        assert page.by_id("menu").link("Shop") == "/"
        urls = [tag.attribute("href") for tag in page.find_all("link")]
        assert all(url.startswith("/shop/static/") for url in urls)
        for url in urls:
            assert (await client.get(url)).status_code == 200
    await admin.close()


async def a_page(_: Request) -> str:
    return ""


def no_coroutine(_: Request) -> str:
    return ""


async def of_nothing() -> str:
    return ""


# Any: what a type checker would not let pass.
PAGES: list[tuple[dict[str, Any], str]] = [
    ({"path": "report"}, "Admin.page('report'): the path begins with a slash and a name, as in"),
    ({"path": "/{year}"}, "the path begins with a slash and a name, as in /report."),
    ({"path": "/articles/new"}, "Admin.page('/articles/new'): that path is taken."),
    ({"path": "/history"}, "that path is taken."),
    ({"path": "/report"}, "there are two pages of this path."),
    ({"handler": no_coroutine}, "a page is an async function of a request."),
    ({"handler": of_nothing}, "a page is an async function of a request."),
    ({"role": "editor"}, "role= takes a Role, such as Role.EDITOR, not 'editor'."),
    ({"icon": "heart"}, "icon='heart' is none of the symbols: alert, api, audit, cart, "),
    ({"methods": ("PUT",)}, "methods= takes GET and POST."),
    ({"title": ""}, "title= takes a text."),
]


@on_one_database
@pytest.mark.parametrize("returned", [None, {"count": 1}, ("report.html",), ("report.html", None)])
async def test_what_is_no_page_is_logged_in_a_sentence(
    settings: Settings, returned: Any, caplog: pytest.LogCaptureFixture
) -> None:
    admin = Admin([Resource(Article)])

    @admin.page("/odd", title="Odd")
    async def odd(_: Request) -> Any:
        return returned

    async with serving(admin.application(settings), role=Role.EDITOR) as client:
        assert (await client.get("/odd")).status_code == 500
    assert f"Admin.page('/odd') returned {returned!r}: it returns a text, a response" in caplog.text


@pytest.mark.parametrize(("given", "said"), PAGES)
def test_a_mistake_in_a_page_is_said_in_a_sentence(given: dict[str, Any], said: str) -> None:
    admin = an_admin()
    handler = given.pop("handler", a_page)
    arguments = {"path": "/other", "title": "Other", **given}
    with pytest.raises(ResourceError) as refused:
        admin.page(arguments.pop("path"), **arguments)(handler)
    assert said in str(refused.value)


def test_the_documented_symbols_are_those_that_there_are() -> None:
    text = (PROJECT / "docs" / "pages.md").read_text("utf-8")
    listed = text.partition("An icon is one of the symbols")[2].partition(".\n")[0]
    assert re.findall("`([^`]+)`", listed) == sorted(icon_names())


LOOKS: list[tuple[dict[str, Any], str]] = [
    ({"templates": "nowhere"}, "Admin(): templates= takes a folder, and 'nowhere' isn't one."),
    ({"logo": "logo.svg"}, "Admin(): logo= names a picture in the folder static=, and 'logo.svg'"),
    ({"accent": "green"}, "Admin(): accent= takes a colour like '#3d4dd6', not 'green'."),
    (
        {"accent": "#ffd400"},
        "accent= has #ffd400, whose contrast on light surfaces is 1.3 and has to be 4.5: #806d09",
    ),
    ({"accent": ("#3d4dd6", "#222222")}, "whose contrast on dark surfaces is 1.0"),
    ({"accent": 7}, "Admin(): accent= takes one colour, or two."),
    ({"menu": MenuLink("Shop", "/")}, "Admin(): menu= takes several links, such as (MenuLink("),
    ({"menu": ["/"]}, "Admin(): menu= takes links, such as MenuLink('Shop', '/'), not '/'."),
    (
        {"menu": [MenuLink("X", "javascript:alert(1)")]},
        "Admin(): menu= has the address 'javascript:alert(1)', which is no link.",
    ),
    ({"menu": [MenuLink("X", "/", icon="heart")]}, "a link whose icon='heart' is none"),
]


@pytest.mark.parametrize(("look", "said"), LOOKS)
def test_a_mistake_in_the_look_is_said_in_a_sentence(look: dict[str, Any], said: str) -> None:
    with pytest.raises(ResourceError) as refused:
        Admin([Resource(Article)], **look)
    assert said in str(refused.value)
