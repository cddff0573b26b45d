"""starlette-admin."""

import httpx

from benchmarks.facts import Facts
from benchmarks.mixed import Ask, Sort
from benchmarks.targets.starting import PEERS_HOME, url, uvicorn
from benchmarks.targets.target import Paths, Target

HOME = "/admin/hero/list"
COLUMNS: dict[Sort, str] = {"name": "name", "age": "age", "team_id": "team"}


def _paths(_: httpx.Client, facts: Facts) -> Paths:
    return {
        "list": HOME,
        "list-compressed": HOME,
        "list-changed": HOME,
        "sort-name": url(HOME, sort="name__asc"),
        "sort-team": url(HOME, sort="team__asc"),
        "search-common": url(HOME, q=facts.common),
        "search-rare": url(HOME, q=facts.rare),
        "search-absent": url(HOME, q=facts.absent),
        "page-1000": url(HOME, page=facts.deep_page),
        "page-last": url(HOME, page=facts.pages),
    }


def _mixed(ask: Ask) -> str:
    order = f"{COLUMNS[ask.sort]}__{'desc' if ask.is_descending else 'asc'}"
    searched = {"q": ask.text} if ask.text else {}
    return url(HOME, sort=order, page=ask.page, **searched)


STARLETTE_ADMIN = Target(
    name="starlette-admin",
    title="starlette-admin",
    kind="peer",
    home=HOME,
    requirements=PEERS_HOME / "starlette_admin" / "requirements.txt",
    command=lambda place: uvicorn(PEERS_HOME / "starlette_admin", place),
    paths=_paths,
    mixed=_mixed,
    edit_path="/admin/hero/edit?pk={id}",
    new_path="/admin/hero/create",
)
