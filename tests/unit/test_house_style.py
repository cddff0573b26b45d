"""The house style, as far as a machine can tell; what ruff and mypy see is left to them."""

import ast
import os
import re
import tomllib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pytest
from jinja2 import Environment, FileSystemLoader, meta
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from hero_admin.web.assets import STATIC, static_names

PROJECT = Path(__file__).parent.parent.parent
LIBRARY = PROJECT / "hero_admin"
PACKAGES = (PROJECT / "hero_admin", PROJECT / "webapp")
TEMPLATES = PROJECT / "templates"
PEERS = sorted(
    path.relative_to(PROJECT).as_posix()
    for path in PROJECT.glob("benchmarks/peers/*/requirements.txt")
)
INSTALLING = (
    *("pyproject.toml", "requirements.txt", "requirements-dev.txt", "Makefile", ".ci/run"),
    *PEERS,
)

MADE = {"__pycache__", "var", "build", "dist", "node_modules"}

# Which request a handler answers, and what becomes of it.
REQUEST_LINE = re.compile(r"(GET|POST|PUT|PATCH|DELETE)( or [A-Z]+)* /\S*: \S")
SUBJECTLESS = {"base", "common", "core", "helper", "helpers", "misc", "services", "util", "utils"}

INLINE = re.compile(
    r"<style|\sstyle\s*=|\son[a-z]+\s*=|\shx-on|=\s*[\"'](javascript|js|data):"
    r"|<script(?![^>]*\ssrc=)|<script[^>]*>\s*[^\s<]",
    re.IGNORECASE,
)
LITERAL_URL = re.compile(r"\s(href|src|action|formaction|hx-(get|post|put|patch|delete))=[\"']/")


def name_of(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


MODULES = sorted(path for package in PACKAGES for path in package.rglob("*.py"))
PAGES = sorted(TEMPLATES.rglob("*.html"))


# One test for all modules, or templates: for each of hundreds pytest takes longer than the test.


def test_a_handler_says_which_request_it_answers() -> None:
    silent = [
        f"{name_of(module)}: {handler.name}"
        for module in MODULES
        for handler in _handlers_of(_tree_of(module))
        if not REQUEST_LINE.match(ast.get_docstring(handler) or "")
    ]
    assert silent == []


def test_a_template_named_in_the_code_exists() -> None:
    named = {name for module in MODULES for name in _templates_named_in(_tree_of(module))}
    assert {name for name in named if not (TEMPLATES / name).is_file()} == set()


def test_every_template_is_used() -> None:
    environment = Environment(loader=FileSystemLoader(TEMPLATES))
    used = {name for module in MODULES for name in _templates_named_in(_tree_of(module))}
    for template in PAGES:
        parsed = environment.parse(template.read_text())
        used |= {name for name in meta.find_referenced_templates(parsed) if name}
    assert {template.relative_to(TEMPLATES).as_posix() for template in PAGES} == used


def test_a_template_runs_under_a_strict_content_security_policy() -> None:
    assert _in_templates(INLINE) == []


def test_a_template_takes_its_addresses_from_route_names() -> None:
    assert _in_templates(LITERAL_URL) == []


def test_a_template_names_only_files_and_icons_that_exist() -> None:
    text = "\n".join(template.read_text() for template in PAGES)
    symbols = set(re.findall(r'<symbol[^>]*\sid="([^"]+)"', (STATIC / "icons.svg").read_text()))
    assert set(re.findall(r"\"([^\"]+)\"\|icon\b", text)) <= symbols
    assert set(re.findall(r"\"([^\"]+)\"\|static_url", text)) <= set(static_names())


def test_each_promise_of_security_names_tests_that_there_are() -> None:
    text = (PROJECT / "docs" / "security.md").read_text()
    named = set(re.findall(r"`(?:tests/[\w/]+/)?(test_\w+\.py)`", text))
    assert named
    assert named <= {path.name for path in (PROJECT / "tests").rglob("test_*.py")}


def test_the_documents_name_only_files_that_there_are() -> None:
    """By their path in the project or in the library."""
    named = re.compile(r"`((?:\w+/)+[\w*]+\.(?:py|html|js|css|toml|md))`")
    gone = [
        f"{document.name}: {name}"
        for document in (PROJECT / "docs").rglob("*.md")
        for name in named.findall(document.read_text())
        if not any(any(folder.glob(name)) for folder in (PROJECT, LIBRARY))
    ]
    assert gone == []


def test_a_file_is_named_by_its_subject() -> None:
    vague = [name for name in _files() if Path(name).stem in SUBJECTLESS]
    # The one page that all others extend, and one that overrides it.
    assert set(vague) <= {"templates/base.html", "tests/data/look/templates/base.html"}


def test_no_file_holds_a_path_of_the_machine_it_was_written_on() -> None:
    here = re.compile(rf"{re.escape(str(PROJECT))}\b".encode())
    assert not [name for name in _files() if here.search((PROJECT / name).read_bytes())]


@pytest.mark.parametrize("name", INSTALLING)
def test_what_is_installed_comes_from_wherever_the_installer_is_told(name: str) -> None:
    text = (PROJECT / name).read_text()
    assert not re.findall(r"\w+://(?!127\.0\.0\.1)\S+|--(?:extra-)?index\S*|--find-links", text)


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_dependency_is_pinned_with_its_hashes(name: str) -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    wanted = list(project["project"]["dependencies"])
    if "dev" in name:
        wanted += project["dependency-groups"]["dev"]
    pins = _pins(name)
    for requirement in map(Requirement, wanted):
        versions = pins.get(canonicalize_name(requirement.name), [])
        assert versions, f"{requirement} is not pinned: make pins"
        assert all(requirement.specifier.contains(version) for version in versions), requirement
    assert " \\\n    --hash=" in (PROJECT / name).read_text()


@pytest.mark.parametrize("name", PEERS)
def test_every_package_of_a_peer_is_pinned(name: str) -> None:
    lines = (PROJECT / name).read_text().splitlines()
    assert lines
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in lines)


def test_tests_run_on_the_versions_that_are_served() -> None:
    tested = _pins("requirements-dev.txt")
    assert {name: tested.get(name) for name in _pins("requirements.txt")} == _pins(
        "requirements.txt"
    )


def _in_templates(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{name_of(template)}: {found.group()}"
        for template in PAGES
        for found in pattern.finditer(_markup_of(template))
    ]


@lru_cache(None)
def _tree_of(module: Path) -> ast.Module:
    return ast.parse(module.read_text(), name_of(module))


def _handlers_of(tree: ast.Module) -> Iterator[ast.AsyncFunctionDef]:
    """The public functions that take a request last, alone or after a resource."""
    for node in tree.body:
        if isinstance(node, ast.AsyncFunctionDef) and not node.name.startswith("_"):
            arguments = [argument.arg for argument in node.args.args]
            returned = ast.unparse(node.returns) if node.returns else ""
            if arguments in (["request"], ["resource", "request"]) and returned == "Response":
                yield node


def _templates_named_in(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        value = node.value if isinstance(node, ast.Constant) else None
        if isinstance(value, str) and re.fullmatch(r"[\w/-]+\.html", value):
            yield value


def _markup_of(template: Path) -> str:
    """The template without its comments and statements."""
    return re.sub(r"{#.*?#}|{%.*?%}", "", template.read_text(), flags=re.DOTALL)


def _files() -> list[str]:
    """The files of the project, without what was made from them or installed."""
    found = []
    for folder, folders, files in os.walk(PROJECT):
        folders[:] = [
            name
            for name in folders
            if name not in MADE and (not name.startswith(".") or name in (".ci", ".github"))
        ]
        found += [name_of(Path(folder, name)) for name in files]
    return sorted(found)


def _pins(name: str) -> dict[str, list[str]]:
    """The versions of each package, of which there may be one for each version of Python."""
    pins: dict[str, list[str]] = {}
    for package, version in re.findall(
        r"^([\w.-]+)(?:\[[\w,-]+\])?==([^\s;]+)", (PROJECT / name).read_text(), re.MULTILINE
    ):
        pins.setdefault(canonicalize_name(package), []).append(version)
    return pins
