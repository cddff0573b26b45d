"""The tutorial, as it stands in docs/: all its steps together, by pages, by the API and undone."""

import importlib.util
import json
import re
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from hero_admin import Admin
from hero_admin.testing import (
    AdminClient,
    Refused,
    check_no_script,
    check_round_trips,
    client_on,
)
from hero_admin.testing.databases import MadeDatabases
from hero_admin.testing.tables import make_tables
from tests.postgres import PostgresServer
from tests.server import PROJECT

MAX_LINES = 15
TUTORIAL = (PROJECT / "docs" / "tutorial.md").read_text("utf-8")
START, *STEPS = re.split(r"^## ", TUTORIAL, flags=re.MULTILINE)
BASE: str = re.findall(r"```python\n(.*?)```", START, re.DOTALL)[0]
TITLES = [step.partition("\n")[0] for step in STEPS]
# Models of their own, whatever other tests call theirs.
OWN_MODELS = """
class Model(SQLModel, registry=registry()):
    pass


"""


def blocks(title: str, language: str = "python") -> list[str]:
    """The code of a step."""
    (step,) = (each for each in STEPS if each.partition("\n")[0].endswith(title))
    return re.findall(rf"```{language}\n(.*?)```", step, re.DOTALL)


def library_code() -> str:
    """`library.py` after all steps, each put where the tutorial says."""
    (action,), (column,) = blocks("An action with a form"), blocks("A computed column that sorts")
    (association, tags), (rule,) = blocks("A many-to-many field"), blocks("A rule over two fields")
    (page,) = blocks("A page of your own")
    code = BASE
    for place, given in (
        ("books = Resource(Book)\n", column),
        ("loans = Resource(Loan)\n", f"{rule}\n\n{action}\n\n"),
        ("class Book(", f"{association}\n\nclass Book("),
        ("\n\n\nclass Loan(", f"\n    {tags}\n\nclass Loan("),
        ("app = FastAPI()\n", f"{page}\n\napp = FastAPI()\n"),
    ):
        assert code.count(place) == 1, place
        code = code.replace(place, given)
    return code


def loaded(name: str, code: str, folder: Path) -> ModuleType:
    (folder / f"{name}.py").write_text(code)
    spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    # Models find the types of their fields there.
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    folder = tmp_path_factory.mktemp("library")
    (folder / "overdue.html").write_text(blocks("A page of your own", "html")[0])
    imports, start, models = library_code().partition("class Author(")
    models = (start + models).replace("(SQLModel, table", "(Model, table")
    models = models.replace("SQLModel.metadata", "Model.metadata")
    code = f"from sqlalchemy.orm import registry\n{imports}{OWN_MODELS}{models}"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield loaded("library", code, folder)
        del sys.modules["library"]


@pytest.fixture(scope="module")
def documented(library: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """The tests that the tutorial ends with."""
    return loaded("of_the_library", blocks("Test it")[0], tmp_path_factory.mktemp("tests"))


@pytest.fixture
def admin_app(library: ModuleType) -> Admin:
    admin = library.admin
    assert isinstance(admin, Admin)
    return admin


@pytest.fixture(scope="module")
def made(
    postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MadeDatabases]:
    made = MadeDatabases(tmp_path_factory.mktemp("made"))
    yield made
    made.drop()


@pytest.fixture(params=["sqlite", "postgresql"])
def admin_database(
    request: pytest.FixtureRequest,
    admin_app: Admin,
    made: MadeDatabases,
    postgres: PostgresServer,
    tmp_path: Path,
) -> str:
    address = "sqlite" if request.param == "sqlite" else postgres.url("postgres")
    return made.copy(address, admin_app, lambda url: make_tables(admin_app, url), tmp_path)


@pytest.fixture
async def admin(admin_app: Admin, admin_database: str) -> AsyncIterator[AdminClient]:
    """As the kit has it: that of the record shop is another one."""
    async with client_on(admin_app, admin_database) as client:
        yield client


@pytest.fixture
async def editor(admin: AdminClient) -> AdminClient:
    """An editor of a library with four books, two of which are lent."""
    await admin.sign_in(role="editor")
    await admin.create("authors", name="Selma Berg")
    for name in ("crime", "poetry"):
        await admin.create("tags", name=name)
    prices = {"The Glass Bird": "35.09", "Bird Song": "12.50", "A River": "35.48", "Stones": "80"}
    for at, (title, price) in enumerate(prices.items()):
        copies = (6, 2, 5, 0)[at]
        await admin.create("books", title=title, price=price, copies=copies, author_id=1)
    for book, due in ((1, "2020-02-01"), (2, "2999-02-01")):
        lent = {"lent_on": "2020-01-01", "due_on": due}
        await admin.create("loans", book_id=book, borrower=f"Kim {book}", **lent)
    return admin


@pytest.mark.parametrize("title", TITLES[:5])
def test_each_step_is_at_most_fifteen_lines(title: str) -> None:
    code = blocks(title) + blocks(title, "html")
    assert 0 < len([line for line in "".join(code).splitlines() if line.strip()]) <= MAX_LINES


@pytest.mark.parametrize("name", re.findall(r"async def (test_\w+)", blocks("Test it")[0]))
async def test_the_documented_tests_pass(
    documented: ModuleType, admin: AdminClient, name: str
) -> None:
    await getattr(documented, name)(admin)


async def test_books_retire_on_their_page_ticked_and_all_that_match(editor: AdminClient) -> None:
    question = await editor.get("books/actions/retire?id=1")
    form = question.form(press="Retire")
    assert (question.heading, len(form["retired_on"]), form["note"]) == (
        "Retire The Glass Bird?",
        len("2026-05-01"),
        "",
    )
    for records, count in ((1, "1 book"), ([1, 3], "2 books")):
        page = await editor.run("books", "Retire", records, retired_on="2026-05-01", note="Worn")
        page.sees(f"{count} retired")
        assert (await editor.api.read("books", 1))["retired_on"] == "2026-05-01"
        await editor.undo()
        assert (await editor.api.read("books", 1))["retired_on"] is None
    (await editor.run("books", "Retire", matching={"q": "bird"})).sees("2 books retired")
    assert [each["retired_on"] is None for each in await editor.api.list("books")] == [
        *(False, False),
        *(True, True),
    ]
    await editor.undo()
    # As the tutorial calls the API.
    (command,) = blocks("An action with a form", "sh")
    sent: dict[str, Any] = json.loads(re.findall("'(.*)'", command)[0])
    done = await editor.browser.http.post(f"{editor.start}api/books/actions/retire", json=sent)
    assert (done.status_code, done.json()["message"]) == (200, "2 books retired")
    assert (await editor.api.read("books", 2))["retirement_note"] == "Worn out"
    editor.sign_out()
    await editor.sign_in(role="viewer")
    assert "Retire…" not in (await editor.show("books", 1)).text


async def test_the_list_is_sorted_by_what_is_computed(editor: AdminClient) -> None:
    page = await editor.list("books")
    assert page.sorted_by == ("Value", "descending")
    assert page.column("Value") == ["210.54", "177.40", "25.00", "0.00"]
    assert (await editor.list("books", sort="value")).column("Title")[0] == "Stones"
    found = await editor.api.list("books", sort="-value", limit=2)
    assert [each["value"] for each in found] == ["210.54", "177.40"]
    await editor.edit("books", 3, copies=10)
    assert (await editor.list("books")).column("Title")[0] == "A River"
    await editor.undo()
    assert (await editor.list("books")).column("Title")[0] == "The Glass Bird"


async def test_tags_are_added_and_removed(editor: AdminClient) -> None:
    await editor.edit("books", 1, tags=[1, 2])
    assert len((await editor.list("books", tags=2)).rows) == 1
    changed = {"tags": {"remove": [1], "add": [2]}}
    await editor.api.change("books", 1, **changed)
    page = await editor.show("books", 1, "tags")
    assert page.column("Name") == ["poetry"]
    await editor.edit("books", 2, tags=[1])
    await editor.undo()
    assert (await editor.list("books", tags=1)).rows == []


async def test_a_rule_over_two_fields_holds_on_every_path(editor: AdminClient) -> None:
    sentence = "A loan can't be due before it's lent."
    with pytest.raises(Refused) as refused:
        await editor.edit("loans", 1, due_on="2019-12-31")
    assert refused.value.errors == {"Due on": sentence}
    for change in ({"due_on": "2019-12-31"}, {"lent_on": "2999-12-31"}):
        with pytest.raises(Refused, match=re.escape(sentence)):
            await editor.api.change("loans", 1, **change)
    # An undo that would break it.
    await editor.edit("loans", 1, lent_on="2019-01-01", due_on="2019-02-01")
    await editor.edit("loans", 1, lent_on="2018-01-01")
    with pytest.raises(Refused) as refused:
        await editor.api.change("loans", 1, lent_on="2019-03-01")
    assert sentence in str(refused.value)


async def test_a_page_is_in_the_menu_of_those_who_may_open_it(editor: AdminClient) -> None:
    page = await editor.get((await editor.get("")).link("Overdue"))
    assert page.heading == "Overdue"
    assert [tuple(row.values()) for row in page.rows] == [("Kim 1", "2020-02-01")]
    assert page.link("Kim 1").endswith("/loans/1")
    await editor.edit("loans", 1, returned_on="2020-01-20")
    (await editor.get("overdue")).lacks("Kim 1")
    await editor.sign_in(role="viewer")
    (await editor.get("")).lacks("Overdue")
    with pytest.raises(Refused) as refused:
        await editor.get("overdue")
    assert refused.value.status_code == 403


async def test_nothing_is_damaged_and_everything_that_is_offered_is_there(
    editor: AdminClient,
) -> None:
    await editor.edit("books", 1, tags=[1])
    await editor.sign_in(role="owner")
    await check_round_trips(editor)
    await check_no_script(editor)
