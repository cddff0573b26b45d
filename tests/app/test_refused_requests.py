"""Requests that are meant to break something: each gets its answer at once."""

import json
from base64 import urlsafe_b64encode

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from tests.factories import a_hero


def packed(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "headers", [{"cookie": f'theme="{chr(92) * 60_000}"'}, {"x-long": "a" * 70_000}]
)
async def test_headers_that_are_too_long_are_refused_unread(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    response = await client.get("/heroes", headers=headers)

    assert response.status_code == 431


@pytest.mark.parametrize("charset", ["punycode", "idna", "unicode_escape", "utf-7", "utf-16"])
async def test_a_form_in_another_charset_is_refused_undecoded(
    client: httpx.AsyncClient, charset: str
) -> None:
    body = b'--B\r\ncontent-disposition: form-data; name="name"\r\n\r\n\\ud800\r\n--B--\r\n'
    content_type = f"multipart/form-data; boundary=B; charset={charset}"

    response = await client.post("/heroes", content=body, headers={"content-type": content_type})

    assert response.status_code == 415


@pytest.mark.parametrize("character", ["_", "/", "%25"])
async def test_a_long_search_for_wildcards_finds_nothing(
    client: httpx.AsyncClient, session: AsyncSession, character: str
) -> None:
    await a_hero(session)

    response = await client.get(f"/heroes?q={character * 21_000}")

    assert response.status_code == 200


@pytest.mark.parametrize(
    "flash",
    ['{"text":"\\ud800"}', json.dumps({"text": [["x"]]}), "[]", '"x"', "1", '{"other":"x"}', "{"],
)
async def test_a_forged_message_is_no_message(client: httpx.AsyncClient, flash: str) -> None:
    client.cookies.set("flash", packed(flash))
    response = await client.get("/heroes")

    assert response.status_code == 200
