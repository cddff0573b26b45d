"""Clone pages: the form for a new record, filled in from another one."""

from collections.abc import Sequence

from markupsafe import Markup
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import Response

from hero_admin.forms.control_texts import default_texts, texts_of
from hero_admin.forms.form import FormState
from hero_admin.forms.link_texts import LinkTexts
from hero_admin.listing.links import fetch_linked
from hero_admin.listing.references import fetch_references
from hero_admin.model.fields import Field
from hero_admin.model.formatting import form_text
from hero_admin.model.resource import Record, Resource
from hero_admin.model.site import Site
from hero_admin.model.stored_values import hashable
from hero_admin.pages.create import new_form
from hero_admin.pages.requests import fetch_record, site_of
from hero_admin.pages.show import deleted_page
from hero_admin.web.requests import session_of
from hero_admin.web.texts import listed

# A record with more links than this is cloned without them.
MAX_LINKS = 100
NOTE = Markup("Copied from <strong dir=auto>{title}</strong>. Nothing is saved yet.")
NOT_COPIED = " Not copied: {labels}."


async def clone_page(resource: Resource, request: Request) -> Response:
    """GET /heroes/7/clone: the form for a new hero, with the values of this one; saves nothing.

    What is masked, a file or unique is left as in an empty form.
    """
    record = await fetch_record(resource, request)
    if record is None:
        return await deleted_page(resource, request)
    session, site = session_of(request), site_of(request)
    fields = resource.schemas.create_fields
    left_out = _left_out(resource, fields)
    copied = [field for field in fields if field not in left_out]
    links, too_many = await _fetch_links(session, site, resource, record)
    references = await fetch_references(session, site, resource, record)
    title = resource.titles.of(record, {name: each.title for name, each in references.items()})
    state = FormState({**default_texts(fields), **texts_of(copied, record)}, links=links)
    note = NOTE.format(title=title)
    blank = [*(field.label for field in left_out), *too_many]
    if blank:
        note += NOT_COPIED.format(labels=listed(blank))
    return await new_form(resource, request, state, note=note)


def _left_out(resource: Resource, fields: Sequence[Field]) -> list[Field]:
    """Return the fields that a clone cannot have, or that it would give away."""
    unique = {each[0] for each in resource.unique_sets if len(each) == 1}
    return [each for each in fields if each.is_masked or each.is_bytes or each in unique]


async def _fetch_links(
    session: AsyncSession, site: Site, resource: Resource, record: Record
) -> tuple[dict[str, LinkTexts], list[str]]:
    """Fetch what is linked, as it is added in a form; and the labels of links with too many."""
    found, too_many = {}, []
    for link in site.changeable_links(resource):
        own = record[link.own.name]
        if not link.is_complete or own is None:
            continue
        linked = await fetch_linked(session, site, link, [own], MAX_LINKS)
        of_record = linked.get(hashable(own))
        if of_record is None:
            continue
        if of_record.more_text:
            too_many.append(link.label)
        else:
            texts = (form_text(link.far, value) for value, _ in of_record.records)
            found[link.name] = LinkTexts(added=tuple(texts))
    return found, too_many
