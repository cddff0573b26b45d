"""Unlinking: removes records from the list of those linked with one."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from hero_admin.model import records
from hero_admin.model.resource import Resource
from hero_admin.pages.requests import fetch_or_404, site_of, transaction_of
from hero_admin.pages.selected import selected_keys
from hero_admin.web.errors import Invalid
from hero_admin.web.flash import Flash
from hero_admin.web.mount import url_path
from hero_admin.web.requests import back_of, form_of, session_of
from hero_admin.web.responses import redirect
from hero_admin.writes.links import Delta, change_links


async def unlink(resource: Resource, request: Request) -> Response:
    """POST /playlists/3/tracks: removes the ticked tracks → back to the list of the others."""
    form, site = await form_of(request), site_of(request)
    name = request.path_params["relation"]
    chosen = next((each for each in site.related(resource) if each.name == name), None)
    if chosen is None or chosen.link is None:
        raise HTTPException(404)
    link, target = chosen.link, chosen.resource
    record = await fetch_or_404(resource, request)
    found = await records.fetch_records(session_of(request), target, selected_keys(target, form))
    values = tuple(each[link.far_relation.target_column] for each in found)
    transaction = transaction_of(request)
    try:
        changed = await change_links(transaction, resource, link, [record], Delta(removed=values))
    except Invalid as invalid:
        raise HTTPException(409, str(invalid)) from None
    title = target.titles.of(found[0]) if len(found) == 1 else target.counted(len(found))
    undo = transaction.operation.id if changed else ""
    return redirect(
        request, back_of(request, url_path(request.scope)), Flash("Removed", title, undo=undo)
    )
