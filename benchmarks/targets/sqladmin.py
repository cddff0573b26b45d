"""sqladmin."""

import httpx

from benchmarks.facts import Facts
from benchmarks.mixed import Ask, Sort
from benchmarks.targets.starting import PEERS_HOME, url, uvicorn
from benchmarks.targets.target import Paths, Target

HOME = "/admin/hero/list"
COLUMNS: dict[Sort, str] = {"name": "name", "age": "age", "team_id": "team.name"}


def _paths(_: httpx.Client, facts: Facts) -> Paths:
    return {
        "list": HOME,
        "list-compressed": HOME,
        "list-changed": HOME,
        "sort-name": url(HOME, sortBy="name", sort="asc"),
        "sort-team": url(HOME, sortBy="team.name", sort="asc"),
        "search-common": url(HOME, search=facts.common),
        "search-rare": url(HOME, search=facts.rare),
        "search-absent": url(HOME, search=facts.absent),
        "page-1000": url(HOME, page=facts.deep_page),
        "page-last": url(HOME, page=facts.pages),
    }


def _mixed(ask: Ask) -> str:
    order = "desc" if ask.is_descending else "asc"
    searched = {"search": ask.text} if ask.text else {}
    return url(HOME, sortBy=COLUMNS[ask.sort], sort=order, page=ask.page, **searched)


SQLADMIN = Target(
    name="sqladmin",
    title="sqladmin",
    kind="peer",
    home=HOME,
    requirements=PEERS_HOME / "sqladmin" / "requirements.txt",
    command=lambda place: uvicorn(PEERS_HOME / "sqladmin", place),
    paths=_paths,
    mixed=_mixed,
    edit_path="/admin/hero/edit/{id}",
    new_path="/admin/hero/create",
    export_path="/admin/hero/export/csv",
)
