"""Selected records: those ticked in a list, or all that match it, for a bulk operation."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import FormData, QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from hero_admin.audit_log.changes import Operation
from hero_admin.audit_log.recorded_changes import count_changes
from hero_admin.forms.hidden_fields import ALL, KEYS, SEEN
from hero_admin.jobs.queue import NewJob
from hero_admin.jobs.table import JobKind
from hero_admin.listing.matching import (
    count_matching,
    fetch_matching_keys,
    fetch_still_matching,
    unknown_names,
)
from hero_admin.listing.query import ListQuery
from hero_admin.listing.query_parser import parse_query
from hero_admin.listing.references import fetch_titles
from hero_admin.model.primary_keys import Key, key_text, parse_key
from hero_admin.model.records import fetch_records
from hero_admin.model.resource import Resource
from hero_admin.model.serialization import keyed_digest, snapshot_of
from hero_admin.model.site import Site
from hero_admin.pages.requests import not_found, site_of
from hero_admin.web.errors import Overtaken
from hero_admin.web.flash import Flash
from hero_admin.web.mount import path_to
from hero_admin.web.requests import back_of, session_of
from hero_admin.web.responses import redirect
from hero_admin.writes import deletion
from hero_admin.writes.replacements import Replacement
from hero_admin.writes.transaction import Transaction

MAX_SELECTED = 1_000
MAX_TITLES = 20
# The parameters of a list's URL; longer ones are none of ours.
MAX_QUERY_CHARACTERS = 10_000
CHANGED = "Someone else has changed one of these records. Check again."


@dataclass(frozen=True)
class Selection:
    """The records that a bulk operation is about.

    keys: of those that were ticked, or of the first that match.
    count: how many there are.
    query: that of a list, if all that match it are meant; text: the same, as in its URL.
    """

    keys: Sequence[Key]
    count: int
    query: ListQuery | None = None
    text: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether `keys` has all of them, which one request can do."""
        return self.count == len(self.keys)

    # Any: JSON.
    def job(
        self, kind: JobKind, doing: str, resource: Resource, operation: Operation, **payload: Any
    ) -> NewJob:
        """Return the job that does something to all of them.

        doing: as in “Edit 1,234 heroes”. payload: what to do.
        """
        label = f"{doing} {resource.counted(self.count)}"
        return NewJob(kind, label, resource.name, self.count, operation, self.text, payload)

    # Any: the context of a template.
    def context(self, keys: Iterable[str], seen: str) -> dict[str, Any]:
        """Return what the hidden fields of a confirmation are made of.

        keys: the texts of those that exist; seen: their version.
        """
        if self.query is not None:
            return {"keys": [], "matching": self.text, "seen": str(self.count)}
        return {"keys": [*keys], "matching": None, "seen": seen}


def without_selection(resource: Resource, request: Request) -> Response | None:
    """Return a redirect to the list for a URL without keys.

    Without JavaScript, Enter in the checkbox of a row submits even an empty selection.
    """
    if "id" in request.query_params or ALL in request.query_params:
        return None
    flash = Flash(f"Select some {resource.label_plural} first.")
    return redirect(request, back_of(request, path_to(resource.name)), flash)


async def fetch_selection(
    resource: Resource, request: Request, params: FormData | QueryParams
) -> Selection:
    """Return what was selected; 400 for nothing, too many keys, or an invalid query."""
    text = params.get(ALL)
    if not isinstance(text, str):
        chosen = selected_keys(resource, params)
        return Selection(chosen, len(chosen))
    if len(text) > MAX_QUERY_CHARACTERS:
        raise HTTPException(400, "This list has too many filters.")
    query, text = matching_query(request, resource, parse_qsl(text, keep_blank_values=True))
    return await fetch_matching(resource, request, query, text)


async def fetch_matching(
    resource: Resource, request: Request, query: ListQuery, text: str
) -> Selection:
    """Return all that match a query."""
    session = session_of(request)
    count = await count_matching(session, query)
    keys = await fetch_matching_keys(session, query, min(count, MAX_SELECTED) or 1)
    if len(keys) < MAX_SELECTED:
        count = len(keys)
    some = keys if count <= MAX_SELECTED else keys[:MAX_TITLES]
    selection = Selection(some, count, query, text)
    _refuse_without_jobs(site_of(request), resource, selection)
    return selection


def matching_query(
    request: Request, resource: Resource, pairs: list[tuple[str, str]]
) -> tuple[ListQuery, str]:
    """Return the query of a list of which all records are meant, and its text; raises 400.

    A list would ignore an unknown filter: here that would be about all records.
    """
    query = parse_query(site_of(request), resource, "", QueryParams(pairs))
    sentences = [problem.sentence for problem in query.problems]
    sentences += [f"Unknown filter: {name}." for name in unknown_names(query, pairs)]
    if sentences:
        raise HTTPException(400, " ".join(sentences))
    return query, urlencode(pairs)


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


def _refuse_without_jobs(site: Site, resource: Resource, selection: Selection) -> None:
    """Raise 400 for more records than a request can change, where there are no jobs."""
    if not selection.is_whole and not site.has_history:
        raise HTTPException(
            400,
            f"{resource.counted(selection.count)} match, and at most {MAX_SELECTED:,} can be"
            " changed at once here, where no history is kept. Narrow the list down.",
        )


async def fetch_ordered_titles(
    session: AsyncSession, resource: Resource, keys: Sequence[Key]
) -> list[tuple[str, str]]:
    """Fetch the keys, as texts, and the titles of records, in the order of `keys`."""
    titles = await fetch_titles(session, resource, keys)
    order = {key_text(resource, key): position for position, key in enumerate(keys)}
    return sorted(titles, key=lambda found: order[found[0]])


def note_of(selection: Selection, params: FormData | QueryParams) -> str:
    """Return a sentence if another number of records matched when the question was asked."""
    seen = params.get(SEEN, "")
    if selection.query is None or not isinstance(seen, str) or not seen.isdecimal():
        return ""
    if int(seen[:12]) == selection.count:
        return ""
    return f"{int(seen[:12]):,} matched when you were asked."


async def fetch_version(
    session: AsyncSession, site: Site, resource: Resource, names: Iterable[str]
) -> str:
    """Return a version of records, by the texts of their keys, for their confirmation.

    It is the number of their changes; "0" without a history. Whoever may not read all fields gets a
    digest of what they see, as they would notice the changes of others.
    """
    if not site.has_history:
        return "0"
    if not resource.unseen:
        return str(await count_changes(session, resource.name, names))
    keys = [key for name in names if (key := parse_key(resource, name))]
    seen = [field.name for field in resource.fields if not field.is_masked]
    records = await fetch_records(session, resource, keys)
    values = [snapshot_of(resource, {name: each[name] for name in seen}) for each in records]
    return keyed_digest(resource.name, values)


async def lock_selection(
    transaction: Transaction,
    resource: Resource,
    selection: Selection,
    params: FormData | QueryParams,
    replacements: Mapping[str, Replacement] | None = None,
    *,
    can_be_referenced: bool = False,
) -> None:
    """Lock records; raise Overtaken if one has changed since the confirmation was shown.

    params: of the confirmation; without its count of changes nothing is checked.
    """
    session, site, keys = transaction.session, transaction.site, selection.keys
    there = await deletion.lock(
        session, resource, keys, replacements, can_be_referenced=can_be_referenced
    )
    gone = len(keys) - there
    if gone:
        raise Overtaken({"": deletion.gone_sentence(resource, gone, len(keys))})
    if selection.query is not None:
        matching = await fetch_still_matching(session, selection.query, keys)
        if len(matching) < len(keys):
            raise Overtaken({"": CHANGED})
        return
    seen = params.get(SEEN, "")
    names = [key_text(resource, key) for key in keys]
    if seen and seen != await fetch_version(session, site, resource, names):
        raise Overtaken({"": CHANGED})
