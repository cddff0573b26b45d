"""The shop's own sign-in: a form, a signed cookie, and whose it is."""

import asyncio
import hmac
import os
import secrets
import time
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from sqlmodel import select

from record_shop.database import sessions
from record_shop.models import Staff
from record_shop.pages import render
from record_shop.passwords import check_password, hash_password

COOKIE = "record_shop"
SECONDS = 12 * 60 * 60
# Without one in the environment, a restart signs everybody out.
KEY = os.environ.get("RECORD_SHOP_SECRET_KEY", secrets.token_hex()).encode()
NOBODY = hash_password(secrets.token_hex())

router = APIRouter()


async def staff_of(request: Request) -> Staff | None:
    """Return who is signed in, as they are in the database now."""
    value, _, signature = request.cookies.get(COOKIE, "").rpartition(".")
    if not hmac.compare_digest(sign(value).encode(), signature.encode()):
        return None
    staff_id, ends_at = map(int, value.split("."))
    if ends_at < time.time():
        return None
    async with sessions() as session:
        return await session.get(Staff, staff_id)


@router.get("/login")
async def sign_in_page(request: Request, next: str = "/") -> Response:
    """GET /login: the form."""
    return render(request, "sign_in.html", next=next)


@router.post("/login")
async def sign_in(
    request: Request,
    email: Annotated[str, Form()],
    password: Annotated[str, Form()],
    next: Annotated[str, Form()] = "/",
) -> Response:
    """POST /login: to the page that asked for it, or the form again."""
    async with sessions() as session:
        staff = await session.scalar(select(Staff).where(Staff.email == email.strip().lower()))
    # It takes as long to find nobody.
    password_hash = staff.password_hash if staff else NOBODY
    is_right = await asyncio.to_thread(check_password, password, password_hash)
    if staff is None or not is_right:
        return render(request, "sign_in.html", 422, next=next, email=email, is_wrong=True)
    is_local = next.startswith("/") and not next.startswith(("//", "/\\"))
    response = RedirectResponse(next if is_local else "/", 303)
    value = f"{staff.id}.{int(time.time()) + SECONDS}"
    is_https = request.url.scheme == "https"
    cookie = f"{value}.{sign(value)}"
    response.set_cookie(COOKIE, cookie, SECONDS, httponly=True, samesite="lax", secure=is_https)
    return response


@router.post("/logout")
async def sign_out() -> Response:
    """POST /logout: to the shop, signed out."""
    response = RedirectResponse("/", 303)
    response.delete_cookie(COOKIE)
    return response


def sign(value: str) -> str:
    return hmac.new(KEY, value.encode(), "sha256").hexdigest()
