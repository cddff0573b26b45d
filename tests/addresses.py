"""Every address of an application, from its own table of routes."""

import re
from collections.abc import Iterator, Mapping, Sequence

from starlette.routing import BaseRoute, Mount, Route

# What stands in an address; a test that fills the database has a record 1 of each kind.
MEANT = {"relation": "heroes", "field": "team_id"}


def addresses(
    routes: Sequence[BaseRoute],
    values: Mapping[str, str] = MEANT,
    other: str = "1",
    *,
    prefix: str = "",
) -> Iterator[str]:
    """The path of every route, whatever its method; a parameter without a value is `other`."""
    for route in routes:
        if isinstance(route, Mount):
            yield from addresses(route.routes or (), values, other, prefix=prefix + route.path)
            if not route.routes:
                yield f"{prefix}{route.path}/site.css"
        elif isinstance(route, Route):
            yield prefix + re.sub(r"{(\w+)}", lambda m: values.get(m[1], other), route.path_format)
