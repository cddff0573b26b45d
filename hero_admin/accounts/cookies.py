"""Cookies: the token of a session, and the proof of a browser that has signed in before."""

import hashlib
import hmac
import secrets

from starlette.requests import Request
from starlette.responses import Response

from hero_admin.accounts.sessions import Limits, token_digest
from hero_admin.accounts.users import fold_name
from hero_admin.web.cookies import cookie_in, drop_cookie, set_cookie

SESSION, DEVICE = "session", "device"
# Longer than a leave.
DEVICE_SECONDS = 400 * 24 * 3600
# A token has 43 characters.
MAX_TOKEN_CHARACTERS = 100


def digest_in(request: Request) -> str:
    """Return the digest of the token in the request's cookie, "" if there is none."""
    token = cookie_in(request, SESSION)
    return token_digest(token) if 0 < len(token) <= MAX_TOKEN_CHARACTERS and token.isascii() else ""


def set_token(request: Request, response: Response, token: str, limits: Limits) -> None:
    seconds = int(limits.absolute.total_seconds())
    set_cookie(request, response, SESSION, token, seconds)


def drop_token(request: Request, response: Response) -> None:
    drop_cookie(request, response, SESSION)


def device_in(request: Request, secret_key: str, name: str) -> str:
    """Return the proof that this browser has signed in under a name, "" without one."""
    device, _, proof = cookie_in(request, DEVICE).partition(".")
    is_one = hmac.compare_digest(proof.encode(), _proof_of(secret_key, device, name).encode())
    return device if is_one else ""


def set_device(request: Request, response: Response, secret_key: str, name: str) -> None:
    """Set the proof that a browser has signed in to its account."""
    device = device_in(request, secret_key, name) or secrets.token_urlsafe(16)
    proof = f"{device}.{_proof_of(secret_key, device, name)}"
    set_cookie(request, response, DEVICE, proof, DEVICE_SECONDS)


def _proof_of(secret_key: str, device: str, name: str) -> str:
    text = f"device {device} {fold_name(name)}"
    return hmac.new(secret_key.encode(), text.encode(), hashlib.sha256).hexdigest()
