"""Rule checks: mistakes in the rules and hooks of a resource."""

from collections.abc import Iterator

from hero_admin.model.resource import Resource
from hero_admin.model.rules import parameter_count

# What each takes: so many arguments at most.
FUNCTIONS = {
    "check": ("a function of a record, or of a record and a session", 2),
    "before": ("a function of a change, or of a change and a session", 2),
    "after_commit": ("a function of a change", 1),
}


def wrong_rules(resource: Resource) -> Iterator[str]:
    """Yield the mistakes in the functions of a resource."""
    for argument, (what, most) in FUNCTIONS.items():
        function = getattr(resource, argument)
        if function is None:
            continue
        try:
            is_right = not isinstance(function, type) and 1 <= parameter_count(function) <= most
        # Whatever is no function, or one of C that does not tell.
        except (TypeError, ValueError):
            is_right = False
        if not is_right:
            yield f"{argument}= takes {what}, and {function!r} isn't one"
        elif resource.read_only:
            yield f"{argument}= is never called where read_only=True"
