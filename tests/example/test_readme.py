"""The quick start of README.md, as it stands there: from the built wheel, in another folder."""

import os
import re
import shlex
import signal
import subprocess
import sys
import sysconfig
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from hero_admin.testing import Page
from tests.server import PROJECT, end_with_parent, free_port

END_SECONDS = 120.0
CHAPTER = (PROJECT / "README.md").read_text("utf-8").partition("## In your own application")[2]
CHAPTER = CHAPTER.partition("\n## ")[0]
PASSWORD = "correct horse battery"
# What the README leaves to the application.
USER_OF = """
class User:
    def __init__(self, name):
        self.name = name


async def user_of(request):
    name = request.cookies.get("name")
    return User(name) if name else None


"""


def blocks(language: str) -> list[str]:
    """The blocks of code in the chapter."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^\1```", CHAPTER, re.MULTILINE | re.DOTALL)
    return [textwrap.dedent(block) for _, block in found]


PLAIN_SHOP, SIGN_IN, LIFESPAN = blocks("python")
# With the end that it suggests.
SHOP = PLAIN_SHOP.replace("app = FastAPI()\n", LIFESPAN)
assert SHOP != PLAIN_SHOP
INSTALL, COMMANDS = (block.splitlines() for block in blocks("sh"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip = (sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--quiet")
    subprocess.run([*pip, f"--wheel-dir={folder}", PROJECT], check=True, timeout=END_SECONDS)
    (wheel,) = folder.glob("hero_admin-*.whl")
    return wheel


@pytest.fixture
def folder(wheel: Path, tmp_path: Path) -> Path:
    """An empty folder with an environment that has the wheel, and what it depends on."""
    environment = tmp_path / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    python = environment / "bin" / "python"
    # What it depends on is here already; where there is no network it could not be fetched.
    (site_packages,) = environment.glob("lib/python*/site-packages")
    (site_packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    pip = (sys.executable, "-m", "pip", "--python", python, "install", "--no-index", "--no-deps")
    subprocess.run([*pip, "--quiet", wheel], check=True, timeout=END_SECONDS)
    return tmp_path


def run(folder: Path, command: str, typed: str = "") -> str:
    done = subprocess.run(
        shlex.split(command),
        check=False,
        cwd=folder,
        input=typed,
        capture_output=True,
        text=True,
        timeout=END_SECONDS,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def running(folder: Path, command: str) -> Iterator[httpx.Client]:
    """A client of the server that a command starts."""
    # Scripts of dependencies are not in the environment.
    command = command.replace("bin/uvicorn", f"bin/python -m uvicorn --port {free_port()}")
    with subprocess.Popen(
        shlex.split(command),
        cwd=folder,
        env=os.environ | {"WEBAPP_REQUEST_TIMEOUT_SECONDS": "60"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=end_with_parent,  # noqa: PLW1509 - it takes no lock
    ) as process:
        assert process.stdout is not None
        try:
            printed = ""
            for line in process.stdout:
                printed += line
                if found := re.search(r"running on (http://\S+) ", line):
                    break
            else:
                pytest.fail(printed)
            headers = {"Sec-Fetch-Site": "same-origin"}
            with httpx.Client(base_url=found[1], timeout=END_SECONDS, headers=headers) as client:
                yield client
        finally:
            process.send_signal(signal.SIGTERM)


def test_its_commands_give_a_working_admin(folder: Path) -> None:
    assert INSTALL[-1] == ".venv/bin/pip install ./hero-admin"
    (folder / "shop.py").write_text(SHOP)
    migrate, add_user, start = COMMANDS
    assert run(folder, migrate).startswith("Tables created: hero_admin_blob, ")
    assert run(folder, add_user, PASSWORD) == "Added Ann Smith as owner.\n"
    with running(folder, start) as client:
        page = Page(client.get("/admin/", follow_redirects=True))
        assert page.heading == "Sign in"
        given = {"account.name": "Ann Smith", "account.password": PASSWORD}
        form = page.form(press="Sign in")
        client.post(form.url, data=dict(form.filled_in(given)), follow_redirects=True)
        made = client.post("/admin/artists", data={"name": "Zoë Quist"})
        assert made.status_code == 303
        client.post("/admin/albums", data={"title": "Zenith", "artist_id": "1"})
        assert Page(client.get("/admin/albums?q=zen")).rows[0]["Artist"] == "Zoë Quist"
        style = page.find_all("link", rel="stylesheet")[0]
        assert client.get(style.attribute("href")).status_code == 200


def test_its_own_sign_in_is_asked_who_somebody_is(folder: Path) -> None:
    models = PLAIN_SHOP.partition("app = FastAPI()")[0]
    mounted = 'app = FastAPI()\napp.mount("/admin", admin)\n'
    (folder / "shop.py").write_text(models + USER_OF + SIGN_IN + mounted)
    run(folder, COMMANDS[0])
    with running(folder, COMMANDS[-1]) as client:
        stranger = client.get("/admin/albums")
        assert stranger.headers["location"] == "/login?next=%2Fadmin%2Falbums"
        client.cookies.set("name", "Bob")
        page = Page(client.get("/admin/albums"))
        assert (page.heading, "Bob" in page.visible_text) == ("Albums 0", True)
