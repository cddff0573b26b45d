"""A real server: what it takes from a proxy, and from whoever pretends to be one."""

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.commands import refusal_of
from tests.server import Server, running_server

KEY = {"WEBAPP_SECRET_KEY": "k" * 32}
only_trusted = pytest.mark.parametrize("proxy", ["127.0.0.1"], indirect=True, scope="module")
FORWARDED = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.9"}


@pytest.fixture(scope="module", params=["127.0.0.1", "192.0.2.1"], ids=["trusted", "untrusted"])
def proxy(request: pytest.FixtureRequest) -> str:
    """The proxy that is trusted; this machine is 127.0.0.1."""
    address: str = request.param
    return address


@pytest.fixture(scope="module")
def server(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory, proxy: str
) -> Iterator[Server]:
    """A server that no test leaves anything behind in."""
    folder = tmp_path_factory.mktemp("proxy")
    path = shutil.copy(sqlite_template, folder / "heroes.db")
    environment = {
        "WEBAPP_DATABASE_URL": f"sqlite+aiosqlite:///{path}",
        "WEBAPP_TRUSTED_PROXIES": proxy,
    }
    with running_server(folder / "server.log", environment) as server:
        yield server


def test_only_a_trusted_proxy_says_that_a_browser_came_by_https(server: Server, proxy: str) -> None:
    answer = httpx.get(f"{server.url}/static/site.css", headers=FORWARDED)
    is_trusted = proxy == "127.0.0.1"
    assert answer.status_code == 200
    assert ("strict-transport-security" in answer.headers) is is_trusted
    # The scheme is one part of the origin that a form of ours has.
    secure = {**FORWARDED, "Origin": server.url.replace("http:", "https:")}
    posted = httpx.post(f"{server.url}/theme", data={"theme": "dark"}, headers=secure)
    assert posted.status_code == (303 if is_trusted else 403)


def test_no_proxy_gives_the_server_another_name(server: Server) -> None:
    for name in ("X-Forwarded-Host", "Forwarded", "X-Forwarded-Server", "X-Host", "X-Original-URL"):
        headers = {**FORWARDED, name: "evil.example"}
        page = httpx.get(f"{server.url}/no", headers=headers)
        assert page.status_code != 400
        assert "evil" not in page.text + str(page.headers)
        pretended = {"Host": "evil.example", name: "localhost"}
        assert httpx.get(f"{server.url}/no", headers=pretended).status_code == 400


@only_trusted
def test_what_is_no_request_is_refused_with_the_headers_of_every_answer(server: Server) -> None:
    url = httpx.URL(server.url)
    with socket.create_connection((url.host, url.port or 0), timeout=10) as connection:
        connection.sendall(b"NONSENSE\r\n\r\n")
        with connection.makefile("rb") as file:
            head, _, body = file.read().decode().partition("\r\n\r\n")
    status, *lines = head.split("\r\n")
    assert status == "HTTP/1.1 400 Bad Request"
    headers = httpx.Headers(
        [(name, value) for name, _, value in (line.partition(": ") for line in lines)]
    )
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert int(headers["content-length"]) == len(body)
    # The next one is answered, and one that asks for another protocol in this one.
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Key": "x" * 24}
    answer = httpx.get(f"{server.url}/healthz", headers=upgrade)
    assert (answer.status_code, answer.headers["x-content-type-options"]) == (200, "nosniff")
    assert "Unsupported" not in server.log.read_text()


@only_trusted
@pytest.mark.parametrize("start", [b"GET /", b"GET / HTTP/1.1\r\nX-Long: "])
def test_a_request_that_does_not_begin_to_end_is_not_kept_in_memory(
    server: Server, start: bytes
) -> None:
    url = httpx.URL(server.url)
    with (
        socket.create_connection((url.host, url.port or 0), timeout=10) as connection,
        pytest.raises(ConnectionError),
    ):
        connection.sendall(start + b"x" * 2**26)
    assert httpx.get(f"{server.url}/healthz").status_code == 200


def test_a_server_for_all_addresses_does_not_start_without_its_names(sqlite_url: str) -> None:
    said = refusal_of("serve", "--host=0.0.0.0", "--port=0", url=sqlite_url, environment=KEY)
    assert said.startswith("WEBAPP_ALLOWED_HOSTS must name the hosts")
