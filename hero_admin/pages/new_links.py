"""New links: a record is linked with the one from whose page it is created."""

from collections.abc import Iterator

from starlette.requests import Request

from hero_admin.forms.link_texts import link_control
from hero_admin.listing.query import Scope
from hero_admin.model.field_names import ADD, LINK
from hero_admin.model.formatting import exact_text
from hero_admin.model.links import ManyToMany
from hero_admin.model.records import fetch_where
from hero_admin.model.resource import Record, Resource
from hero_admin.model.site import Site
from hero_admin.pages.requests import site_of
from hero_admin.web.errors import Invalid
from hero_admin.web.texts import capitalised
from hero_admin.writes.deltas import Delta
from hero_admin.writes.links import change_links
from hero_admin.writes.transaction import Transaction


def linking_param(site: Site, resource: Resource, scope: Scope) -> dict[str, str]:
    """Return the parameter by which a new record is linked; {} where it can't be by its form."""
    link = scope.link
    if link is None or not link.is_complete or site.of(link.association).read_only:
        return {}
    text = exact_text(scope.field, scope.value)
    if link in resource.many_to_many:
        return {link_control(link): text}
    return {_control(site.of(link.target), site.opposite(link)): text}


def linking_params(resource: Resource, request: Request) -> dict[str, str]:
    """Return those parameters of a form that link with records whose link it doesn't have."""
    controls = (_control(owner, link) for owner, link in _links_to(site_of(request), resource))
    return {name: request.query_params.get(name, "") for name in controls}


async def link_new(
    transaction: Transaction, resource: Resource, record: Record, request: Request
) -> None:
    """Link a new record as the URL of its form says; raises Invalid if the other one is gone."""
    params = linking_params(resource, request)
    for owner, link in _links_to(site_of(request), resource):
        text = params[_control(owner, link)]
        if not text:
            continue
        try:
            value = link.own.clean(link.own.input(text))
        except ValueError as error:
            raise Invalid({"": f"{capitalised(owner.label)}: {error}"}) from None
        is_other = link.own.exact == value
        others = await fetch_where(transaction.session, owner, is_other, is_locked=True)
        if not others:
            raise Invalid({"": f"The {owner.label} {text} no longer exists."})
        delta = Delta(added=(record[link.far_relation.target_column],))
        try:
            await change_links(transaction, owner, link, others, delta)
        except Invalid as invalid:
            raise Invalid({"": " ".join(invalid.sentences.values())}) from None


def _links_to(site: Site, resource: Resource) -> Iterator[tuple[Resource, ManyToMany]]:
    """Yield the links of others to these records that these do not have themselves."""
    for owner in site.resources:
        for link in site.changeable_links(owner):
            is_own = site.opposite(link) in resource.many_to_many
            if link.target is resource.model and link.is_complete and not is_own:
                yield owner, link


def _control(owner: Resource, link: ManyToMany) -> str:
    return f"{LINK}{owner.name}.{link.name}{ADD}"
