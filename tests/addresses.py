"""Every address of an application, from its own table of routes."""

from collections.abc import Iterator, Mapping, Sequence

from starlette.routing import BaseRoute, Mount, Route

# What stands in an address; a test that fills the database has a record 1 of each kind.
MEANT = {"id": "1", "relation": "heroes", "operation": "1", "field": "team_id"}


def addresses(
    routes: Sequence[BaseRoute], values: Mapping[str, str] = MEANT, prefix: str = ""
) -> Iterator[str]:
    """The path of every route of the app, whatever its method, with the values filled in."""
    for route in routes:
        if isinstance(route, Mount):
            yield from addresses(route.routes or (), values, prefix + route.path)
            if not route.routes:
                yield f"{prefix}{route.path}/site.css"
        elif isinstance(route, Route):
            yield prefix + route.path_format.format_map(values)
