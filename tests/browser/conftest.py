"""Fixtures for tests in a real browser, against a real server with heroes and teams in it.

`page` is a fresh profile on fresh data. A test sees it differently by naming what it wants:
`@pytest.mark.parametrize("has_javascript", [True, False])`, likewise `width` and `color_scheme`.
"""

import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    WebError,
    expect,
    sync_playwright,
)

from hero_admin.accounts.cookies import SESSION
from hero_admin.testing.checks.accessibility import AXE, FLAGS, TAGS, VIOLATIONS, chromium
from tests.browser.cast import write_cast
from tests.server import Server, run_command, running_server
from tests.signing_in import write_session

TOKEN = "the-token-of-the-session-in-the-browser-tests"
# Long enough for a machine with much else to do.
PATIENCE_MS = 30_000

ColorScheme = Literal["light", "dark"]
Axe = Callable[[Page], None]
# The address of the server, whether there is JavaScript, and whether it is a phone.
Profiles = dict[tuple[str, bool, bool], BrowserContext]


@pytest.fixture
def has_javascript() -> bool:
    return True


@pytest.fixture
def width() -> int:
    """In CSS pixels: 1280 for a desk, 390 for a phone."""
    return 1280


@pytest.fixture
def color_scheme() -> ColorScheme:
    return "light"


@pytest.fixture
def expected_errors() -> tuple[str, ...]:
    """How the errors begin that may be logged: Chromium's own lines about 4xx answers."""
    return ("Failed to load resource: the server responded with a status of 4",)


@pytest.fixture
def is_signed_in() -> bool:
    """As an owner."""
    return True


@pytest.fixture(scope="session")
def cast_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the cast in it; not to be written to."""
    path = tmp_path_factory.mktemp("cast") / "heroes.db"
    run_command(_environment(path), "migrate")
    write_cast(path)
    return path


def copy_of_cast(cast: Path, path: Path) -> None:
    """Make a database of the cast, to which tables can be added, and sign in as its owner."""
    shutil.copy(cast, path)
    write_session(path, TOKEN)


# Of the package and not of the session: while Playwright is there no other event loop can run,
# and the tests of the app need theirs.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE_MS)
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=_chromium(), args=list(FLAGS)) as browser,
    ):
        yield browser


@pytest.fixture(scope="package")
def patient(
    cast_database: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, Path]]:
    """A server that gives a request all the time that a slow machine takes, and its database."""
    with _running(cast_database, tmp_path_factory.mktemp("patient"), {}) as running:
        yield running


@pytest.fixture(scope="package")
def impatient(
    cast_database: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, Path]]:
    """One that soon says that its database is busy."""
    # Long enough for a page and its files, which a slow machine compresses when first asked.
    limit = {"WEBAPP_REQUEST_TIMEOUT_SECONDS": "10"}
    with _running(cast_database, tmp_path_factory.mktemp("impatient"), limit) as running:
        yield running


@pytest.fixture
def is_patient() -> bool:
    return True


@pytest.fixture
def running(request: pytest.FixtureRequest, is_patient: bool) -> tuple[Server, Path]:
    """The server that is asked, and its database."""
    found: tuple[Server, Path] = request.getfixturevalue("patient" if is_patient else "impatient")
    return found


@pytest.fixture
def server(running: tuple[Server, Path], cast_database: Path) -> Iterator[Server]:
    """The server, its data as they were at first; a traceback in its log fails the test."""
    server, database = running
    # Into the database in use: the server needs no restart, it sees one big change.
    with (
        closing(sqlite3.connect(cast_database)) as source,
        closing(sqlite3.connect(database)) as target,
    ):
        source.backup(target)
    # Signed in just now, however long the other tests have taken.
    write_session(database, TOKEN)
    logged = server.log.stat().st_size
    yield server
    lines = server.log.read_bytes()[logged:].decode()
    assert "Traceback" not in lines, f"the server failed:\n{lines}"


@pytest.fixture(scope="package")
def profiles() -> Profiles:
    return {}


@pytest.fixture
def context(
    browser: Browser,
    profiles: Profiles,
    server: Server,
    has_javascript: bool,
    width: int,
    expected_errors: tuple[str, ...],
    is_signed_in: bool,
) -> Iterator[BrowserContext]:
    """A profile without cookies; an error on any of its pages or a request elsewhere fails."""
    sight = server.url, has_javascript, width < 600
    context = profiles.get(sight) or profiles.setdefault(sight, _profile(browser, *sight))
    if is_signed_in:
        context.add_cookies([{"name": SESSION, "value": TOKEN, "url": server.url}])
    problems: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not message.text.startswith(expected_errors):
            problems.append(f"console: {message.text}")

    def catch(error: WebError) -> None:
        problems.append(f"uncaught: {error.error}")

    def watch(request: Request) -> None:
        if not request.url.startswith(f"{server.url}/"):
            problems.append(f"request elsewhere: {request.url}")

    context.on("console", hear)
    context.on("weberror", catch)
    context.on("request", watch)
    yield context
    for page in context.pages[1:]:
        page.close()
    context.remove_listener("console", hear)
    context.remove_listener("weberror", catch)
    context.remove_listener("request", watch)
    context.clear_cookies()
    context.clear_permissions()
    assert not problems, "\n".join(problems)


@pytest.fixture
def page(context: BrowserContext, width: int, color_scheme: ColorScheme) -> Page:
    page = context.new_page()
    page.set_viewport_size({"width": width, "height": 844 if width < 600 else 800})
    page.emulate_media(color_scheme=color_scheme)
    return page


@pytest.fixture
def axe(has_javascript: bool) -> Axe:
    """`axe(page)` fails when axe finds what shuts somebody out (WCAG 2.2 AA, best practice)."""

    def check(page: Page) -> None:
        # In the middle of a fade the contrast is not what it comes to.
        page.emulate_media(reduced_motion="reduce")
        if not has_javascript:
            # The browser fires no timer on such a page, and axe would wait for its own for ever.
            page.evaluate(
                """window.setTimeout = (callback, delay, ...values) => {
                    Promise.resolve().then(() => callback?.(...values));
                    return 0;
                }"""
            )
        # Evaluated and not added as a tag, which the Content-Security-Policy refuses.
        if page.evaluate("!window.axe"):
            page.evaluate(AXE.read_text())
        violations: list[str] = page.evaluate(VIOLATIONS, TAGS)
        assert not violations, f"axe on {page.url}:\n" + "\n".join(violations)

    return check


@contextmanager
def _running(
    cast_database: Path, home: Path, environment: Mapping[str, str]
) -> Iterator[tuple[Server, Path]]:
    database = home / "heroes.db"
    shutil.copy(cast_database, database)
    with running_server(home / "server.log", {**_environment(database), **environment}) as server:
        yield server, database


def _profile(
    browser: Browser, server_url: str, has_javascript: bool, is_phone: bool
) -> BrowserContext:
    """A profile whose first page stays: so all others share its process, which is dear to start."""
    context = browser.new_context(
        base_url=server_url,
        java_script_enabled=has_javascript,
        has_touch=is_phone,
        locale="en-GB",
        timezone_id="Europe/Berlin",
    )
    context.set_default_timeout(PATIENCE_MS)
    context.new_page().goto("/healthz")
    return context


def _environment(database: Path) -> dict[str, str]:
    return {"WEBAPP_DATABASE_URL": f"sqlite+aiosqlite:///{database}"}


def _chromium() -> str:
    found = chromium()
    assert found, "no Chromium found: install it, or name its program in CHROMIUM"
    return found
