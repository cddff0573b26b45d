"""Every link, picture and form that the pages of the admin offer leads to something."""

from urllib.parse import urlsplit

from tests.example.crawl import crawl
from tests.example.shops import Shop
from tests.page import Client


async def test_everything_that_pages_offer_is_there(admin: Client, shop: Shop) -> None:
    got = await crawl(admin, shop.start)
    assert len(got) > 250
    outside = {path for path, _ in got if not urlsplit(path).path.startswith(shop.start)}
    assert outside == set()
