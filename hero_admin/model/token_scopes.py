"""Token scopes in words: why a token may not do something, and what it is for."""

from hero_admin.model.site import Site
from hero_admin.person import TokenScope
from hero_admin.web.texts import listed

READ_ONLY = "This token can only read."
NOT_FOR = "This token isn't for {other}: it only works for {names}."


def scope_refusal(
    site: Site, scope: TokenScope | None, name: str, *, is_change: bool = False
) -> str:
    """Return why a token is not for the resource of a name, or not for changes; "" if it is.

    scope: None for a person.
    """
    if scope is None:
        return ""
    if not scope.includes(name):
        found = site.named(name)
        other = found.label_plural if found else name
        return NOT_FOR.format(other=other, names=names_in(site, scope))
    return READ_ONLY if is_change and scope.is_read_only else ""


def names_in(site: Site, scope: TokenScope) -> str:
    """Return what a token is for: “heroes and teams”."""
    found = [(name, site.named(name)) for name in scope.resources or ()]
    return listed([each.label_plural if each else name for name, each in found])
