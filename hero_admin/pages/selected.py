"""Selected records: those ticked in a list, for a bulk operation."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import FormData, QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from hero_admin.audit_log.changes import count_changes
from hero_admin.forms.hidden_fields import KEYS, SEEN
from hero_admin.model.primary_keys import Key, key_text, parse_key
from hero_admin.model.resource import Resource
from hero_admin.model.site import Site
from hero_admin.pages.requests import not_found
from hero_admin.web.errors import Overtaken
from hero_admin.web.flash import Flash
from hero_admin.web.mount import path_to
from hero_admin.web.requests import back_of
from hero_admin.web.responses import redirect
from hero_admin.writes import deletion
from hero_admin.writes.replacements import Replacement
from hero_admin.writes.transaction import Transaction

MAX_SELECTED = 1_000


def selection_of(resource: Resource, request: Request) -> list[Key] | Response:
    """Return the keys in a URL; without any, a redirect to the list.

    Without JavaScript, Enter in the checkbox of a row submits even an empty selection.
    """
    if "id" in request.query_params:
        return selected_keys(resource, request.query_params)
    flash = Flash(f"Select some {resource.label_plural} first.")
    return redirect(request, back_of(request, path_to(resource.name)), flash)


def selected_keys(resource: Resource, params: FormData | QueryParams) -> list[Key]:
    """Return the keys of the ticked records; raises 400 for none or too many."""
    sent = params.getlist(KEYS) or params.getlist("id")
    texts = list(dict.fromkeys(text for text in sent if isinstance(text, str)))
    if not texts:
        raise HTTPException(400, f"Select some {resource.label_plural} first.")
    if len(texts) > MAX_SELECTED:
        raise HTTPException(
            400, f"Select at most {MAX_SELECTED:,} {resource.label_plural} at once."
        )
    keys = [parse_key(resource, text) for text in texts]
    if any(key is None for key in keys):
        raise not_found(resource)
    return [key for key in keys if key is not None]


async def count_seen(
    session: AsyncSession, site: Site, resource: Resource, keys: Iterable[str]
) -> int:
    """Count the changes of records, for their confirmation; 0 without a history."""
    return await count_changes(session, resource.name, keys) if site.has_history else 0


async def lock_unchanged(
    transaction: Transaction,
    resource: Resource,
    keys: Sequence[Key],
    params: FormData | QueryParams,
    replacements: Mapping[str, Replacement] | None = None,
    *,
    can_be_referenced: bool = False,
) -> None:
    """Lock records; raise Overtaken if one has changed since the confirmation was shown.

    params: of the confirmation; without its count of changes nothing is checked.
    """
    session, site = transaction.session, transaction.site
    there = await deletion.lock(
        session, resource, keys, replacements, can_be_referenced=can_be_referenced
    )
    gone = len(keys) - there
    if gone:
        raise Overtaken({"": deletion.gone_sentence(resource, gone, len(keys))})
    seen = params.get(SEEN, "")
    count = await count_seen(session, site, resource, [key_text(resource, key) for key in keys])
    if seen and seen != str(count):
        raise Overtaken({"": "Someone else has changed one of these records. Check again."})
