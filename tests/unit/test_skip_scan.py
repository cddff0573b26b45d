"""Leaps: only where one row of each value tells everything."""

import pytest
from starlette.datastructures import QueryParams

from hero_admin.listing.predicates import predicates_of
from hero_admin.listing.query_parser import parse_query
from hero_admin.listing.search.skip_scan import can_skip_scan
from hero_admin.model.resource import Resource
from hero_admin.model.site import Site
from tests.gadgets import Gadget, Maker
from webapp.app import admin
from webapp.teams import Team

titled = Resource(Gadget, search=(Gadget.title,))
linked = Resource(Gadget, search=(Gadget.maker_code,))
unbounded = Resource(Maker, search=(Maker.motto,))
keyed = Resource(Maker, search=(Maker.code,))
seated = Resource(Team, search=(Team.headquarters,))
heroes, teams = admin.resources


@pytest.mark.parametrize(
    ("resource", "query", "can"),
    [
        (heroes, "q=storm", True),
        (heroes, "q=storm&sort=-name&before=end", True),
        (seated, "q=storm&sort=headquarters", True),
        (titled, "q=storm&sort=title", True),
        (heroes, "q=storm&sort=age", False),
        (heroes, "q=storm&age_min=3", False),
        (heroes, "q=no%00va", False),
        (teams, "q=storm&sort=headquarters", False),
        (linked, "q=storm&sort=maker_code", False),
        (unbounded, "q=storm&sort=motto", False),
        (keyed, "q=storm&sort=code", False),
    ],
)
def test_a_list_leaps_if_it_is_sorted_by_all_that_is_asked_for(
    resource: Resource, query: str, can: bool
) -> None:
    site = Site(
        (resource, *(each for each in (heroes, teams, keyed) if each.name != resource.name))
    )
    parsed = parse_query(site, resource, f"/{resource.name}", QueryParams(query))
    assert not parsed.problems
    assert can_skip_scan(parsed, predicates_of(parsed)) == can
