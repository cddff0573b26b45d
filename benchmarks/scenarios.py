"""Scenarios: what is asked of every target that has it."""

from dataclasses import dataclass
from typing import Literal

from benchmarks.mixed import KINDS, Kind

Name = Literal[
    "mixed",
    "mixed-pages",
    "mixed-filters",
    "mixed-searches",
    "list",
    "list-compressed",
    "list-changed",
    "sort-name",
    "sort-team",
    "search-common",
    "search-rare",
    "search-absent",
    "page-1000",
    "page-last",
    "edit",
    "save",
    "create",
    "create-beside-8",
    "create-beside-60",
    "crowd",
]

# Clients of the scenario in which everybody does something else.
CROWD = 64


@dataclass(frozen=True)
class Scenario:
    """One kind of request; the quick run leaves out those that are not `is_quick`.

    `is_changed`: somebody else saves before each, so that nothing is known from the last time. One
    at a time only, as whoever asks waits for that. `kinds`: those of the mixed addresses that are
    asked, each another, while somebody saves every second. `readers`: so many ask for mixed
    addresses meanwhile. `is_crowd`: many at once, of whom each fifth request is a save.
    """

    name: Name
    title: str
    is_quick: bool = False
    is_write: bool = False
    is_changed: bool = False
    kinds: tuple[Kind, ...] = ()
    readers: int = 0
    is_crowd: bool = False


SCENARIOS = (
    Scenario("mixed", "Mixed: each time another list", is_quick=True, kinds=KINDS),
    Scenario("mixed-pages", "Mixed, only sorts and places", kinds=("sort", "place")),
    Scenario("mixed-filters", "Mixed, only filters", kinds=("filter",)),
    Scenario("mixed-searches", "Mixed, only searches", kinds=("search",)),
    Scenario("list", "List, as it opens", is_quick=True),
    Scenario("list-compressed", "List, compressed as browsers ask for it"),
    Scenario("list-changed", "List, each time after a change", is_changed=True),
    Scenario("sort-name", "List sorted by name"),
    Scenario("sort-team", "List sorted by team"),
    Scenario("search-common", "Search for what is common", is_quick=True, is_changed=True),
    Scenario("search-rare", "Search for what is rare", is_changed=True),
    Scenario("search-absent", "Search for what is not there", is_changed=True),
    Scenario("page-1000", "Page 1,000"),
    Scenario("page-last", "Last page"),
    Scenario("edit", "Edit form", is_quick=True),
    Scenario("save", "Save a change", is_quick=True, is_write=True),
    Scenario("create", "Create a hero", is_quick=True, is_write=True),
    Scenario("create-beside-8", "Create a hero, beside 8 readers", is_write=True, readers=8),
    Scenario(
        "create-beside-60",
        "Create a hero, beside 60 readers",
        is_quick=True,
        is_write=True,
        readers=60,
    ),
    Scenario("crowd", "64 at once, a fifth of them save", is_quick=True, is_crowd=True),
)
