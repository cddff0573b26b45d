"""Unlinking: removes records from the list of those linked with one."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from hero_admin.model import records
from hero_admin.model.resource import Resource
from hero_admin.model.stored_values import hashable
from hero_admin.pages.requests import fetch_or_404, site_of, transaction_of
from hero_admin.pages.selected import selected_keys
from hero_admin.web.errors import Invalid
from hero_admin.web.flash import Flash
from hero_admin.web.mount import url_path
from hero_admin.web.requests import back_of, form_of, session_of
from hero_admin.web.responses import redirect
from hero_admin.web.texts import ngettext
from hero_admin.writes.deltas import Delta
from hero_admin.writes.links import change_links


async def unlink(resource: Resource, request: Request) -> Response:
    """POST /playlists/3/tracks: removes the ticked tracks → back to the list of the others."""
    form, site = await form_of(request), site_of(request)
    name = request.path_params["relation"]
    chosen = next((each for each in site.related(resource) if each.name == name), None)
    if chosen is None or chosen.link is None:
        raise HTTPException(404)
    link, target = chosen.link, chosen.resource
    record = await fetch_or_404(resource, request)
    keys, column = selected_keys(target, form), link.far_relation.target_column
    found = await records.fetch_records(session_of(request), target, keys)
    values = tuple(each[column] for each in found)
    back = back_of(request, url_path(request.scope))
    transaction = transaction_of(request)
    try:
        changed = await change_links(transaction, resource, link, [record], Delta(removed=values))
    except Invalid as invalid:
        raise HTTPException(409, str(invalid)) from None
    if not changed.removed:
        return redirect(request, back, Flash(_nothing_sentence(target, len(keys))))
    gone = set(map(hashable, changed.removed))
    removed = [each for each in found if hashable(each[column]) in gone]
    title = target.titles.of(removed[0]) if len(removed) == 1 else target.counted(len(removed))
    return redirect(request, back, Flash("Removed", title, undo=transaction.operation.id))


def _nothing_sentence(target: Resource, count: int) -> str:
    sentence = ngettext(
        "Nothing was removed: this {label} is no longer linked.",
        "Nothing was removed: these {nouns} are no longer linked.",
        count,
    )
    return sentence.format(label=target.label, nouns=target.label_plural)
