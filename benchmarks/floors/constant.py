"""Floor d: a constant body, which is what server and client cost by themselves."""

from benchmarks.floors.serving import Page, serve_page

BODY = b"<!doctype html><title>Heroes</title>" + b"<p>Ironhammer, Lucia Castillo, 46</p>\n" * 300


async def open_page() -> Page:
    async def page(_: bytes) -> bytes:
        return BODY

    return page


application = serve_page(open_page)
