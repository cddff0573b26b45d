"""One-time secrets: a page with a secret of which only the digest is stored."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from hero_admin.accounts.one_time_links import LIFETIMES, Purpose
from hero_admin.accounts.users import User
from hero_admin.web.addresses import with_query
from hero_admin.web.mount import path_to
from hero_admin.web.responses import render
from hero_admin.web.texts import ngettext

WHAT_FOR = {
    Purpose.INVITE: "Send this link to {name} to set a password.",
    Purpose.RESET: "Send this link to {name} to set a new password. The old one works until then.",
}


def show_link(
    request: Request, user: User, purpose: Purpose, token: str, done_url: str
) -> Response:
    """Return the page with a link for somebody else."""
    path = with_query(path_to("welcome"), token=token)
    # Requests for other hosts are refused, so the host is safe in a link.
    address = f"{request.url.scheme}://{request.url.netloc}{path}"
    days = LIFETIMES[purpose].days
    time = ngettext("{n} day", "{n} days", days).format(n=days)
    sentences = (
        WHAT_FOR[purpose].format(name=user.name),
        f"It works once and expires after {time}. A new link cancels this one.",
        "Copy it now. You won't see it again.",
    )
    title = "Invitation" if purpose is Purpose.INVITE else "New password"
    return show_once(request, f"{title} for {user.name}", "Link", address, sentences, done_url)


def show_once(
    request: Request, title: str, label: str, secret: str, sentences: Sequence[str], done_url: str
) -> Response:
    """Return the page with a secret, which browsers do not cache."""
    context = {
        "title": title,
        "label": label,
        "secret": secret,
        "sentences": sentences,
        "done_url": done_url,
    }
    response = render(request, "accounts/once.html", context, fragments=())
    response.headers["Cache-Control"] = "no-store"
    return response
