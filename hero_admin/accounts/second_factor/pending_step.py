"""The pending second step: whose password a browser has just proved, in a cookie that expires."""

import hashlib
import hmac
import secrets
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response

from hero_admin.accounts.auth import auth_of
from hero_admin.accounts.form_fields import MAX_ID
from hero_admin.accounts.users import User
from hero_admin.web.cookies import cookie_in, drop_cookie, set_cookie

STEP_COOKIE = "step"
SECONDS = 600
MAX_DIGITS = 12


def set_step(request: Request, response: Response, user: User) -> None:
    """Let a browser prove the second factor of a user, for some minutes."""
    ends_at = int(datetime.now(UTC).timestamp()) + SECONDS
    step = f"{user.id}.{ends_at}.{secrets.token_urlsafe(16)}"
    proof = _proof_of(auth_of(request).secret_key, step, user)
    set_cookie(request, response, STEP_COOKIE, f"{step}.{proof}", SECONDS)


def drop_step(request: Request, response: Response) -> None:
    drop_cookie(request, response, STEP_COOKIE)


async def fetch_step(request: Request) -> User | None:
    """Return the user of a browser's pending step, None if it has none that is still valid.

    A new password, or a disabled account, ends it.
    """
    step, _, proof = cookie_in(request, STEP_COOKIE).rpartition(".")
    user_id, *rest = step.split(".")
    if len(rest) != 2 or not all(map(_is_number, (user_id, rest[0]))):
        return None
    if int(rest[0]) < datetime.now(UTC).timestamp() or int(user_id) > MAX_ID:
        return None
    async with auth_of(request).database.session(is_read_only=True) as session:
        user = await session.get(User, int(user_id))
    if user is None or user.is_disabled:
        return None
    expected = _proof_of(auth_of(request).secret_key, step, user)
    return user if hmac.compare_digest(proof.encode(), expected.encode()) else None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS


def _proof_of(secret_key: str, step: str, user: User) -> str:
    # Of the password, too: the step is over when that is changed.
    text = f"second step {step} {user.password_hash}"
    return hmac.new(secret_key.encode(), text.encode(), hashlib.sha256).hexdigest()
