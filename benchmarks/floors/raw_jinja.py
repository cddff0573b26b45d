"""Floor aj: the raw driver and Jinja."""

from benchmarks.floors.pages import render
from benchmarks.floors.serving import Page, serve_page
from benchmarks.floors.source import open_rows


async def open_page() -> Page:
    fetch_rows = await open_rows()

    async def page(query: bytes) -> bytes:
        return render(await fetch_rows(query))

    return page


application = serve_page(open_page)
