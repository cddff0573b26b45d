"""The page that says what a person may do and see, and why, for owners."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from hero_admin.accounts.session_pages import fetch_user_of
from hero_admin.model.resource_rights import may
from hero_admin.model.rights_report import report_of, report_record, role_sentence
from hero_admin.pages.requests import site_of
from hero_admin.web.requests import session_of
from hero_admin.web.responses import render

MAX_KEY_CHARACTERS = 1_000
NO_RECORD = "There is no {label} with this ID, or you don't have access to it yourself."


async def rights_page(request: Request) -> Response:
    """GET /people/7/rights?resource=heroes&record=3: what a person may do, and why."""
    session, site, user = session_of(request), site_of(request), await fetch_user_of(request)
    name = request.query_params.get("resource", "")
    key = request.query_params.get("record", "").strip()[:MAX_KEY_CHARACTERS]
    chosen = site.named(name) if name else None
    if name and chosen is None:
        raise HTTPException(404)
    person = user.identity
    resources = [chosen] if chosen else list(site.resources)
    found = await report_record(session, chosen, person, key) if chosen and key else None
    is_missing = bool(chosen and key and found is None)
    context = {
        "user": user,
        "sentence": role_sentence(person),
        "reports": [report_of(session, each, person) for each in resources],
        "chosen": chosen,
        "may_read": chosen is None or may(chosen, person, "read"),
        "key": key,
        "found": found,
        "problem": NO_RECORD.format(label=chosen.label) if chosen and is_missing else "",
    }
    return render(
        request, "accounts/rights.html", context, 404 if is_missing else 200, fragments=()
    )
