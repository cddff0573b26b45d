"""Proofs by passkeys: what browsers are asked, and whose passkey has answered."""

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import select
from sqlmodel import col
from starlette.requests import Request
from starlette.responses import Response

from hero_admin.accounts.second_factor.challenges import (
    Challenge,
    challenge_in,
    claim_challenge,
    make_challenge,
    set_challenge,
)
from hero_admin.accounts.second_factor.passkeys import Passkey, handle_text, host_of, origin_of
from hero_admin.accounts.users import User
from hero_admin.web.requests import session_of


class Ceremony(StrEnum):
    """What a passkey proves: alone who signs in, a second factor, or who is at an open session."""

    SIGN_IN = "sign-in"
    SECOND_STEP = "second step"
    CONFIRM = "confirm"

    @property
    def is_verified(self) -> bool:
        """Whether the device has to make sure who uses it, as no password does."""
        return self is not Ceremony.SECOND_STEP


def ask_passkey(
    request: Request, purpose: Ceremony, user_id: int | None, passkeys: Sequence[Passkey]
) -> Response:
    """Return what the browser is asked, with a new challenge."""
    # Only here: WebAuthn is a tenth of a start.
    from hero_admin.accounts.second_factor import ceremonies  # noqa: PLC0415

    challenge, host = make_challenge(request, purpose, user_id), host_of(request)
    place = ceremonies.Place(host, origin_of(request), challenge.signed)
    allowed = [each.credential_id for each in passkeys if each.host == host]
    options = ceremonies.authentication_options(place, allowed, is_verified=purpose.is_verified)
    return answer_options(request, options, challenge)


def answer_options(request: Request, options: str, challenge: Challenge) -> Response:
    """Return options of a ceremony, with the challenge in a cookie."""
    response = Response(options, media_type="application/json")
    set_challenge(request, response, challenge)
    return response


async def prove_passkey(
    request: Request, answer: str, purpose: Ceremony, user_id: int | None = None
) -> User | None:
    """Return the user whose passkey has answered the browser's challenge, None if none has.

    user_id: whose passkey it has to be; None for anybody's.
    """
    # As above.
    from hero_admin.accounts.second_factor import ceremonies  # noqa: PLC0415

    session, challenge = session_of(request), challenge_in(request, purpose, user_id)
    credential_id, handle = ceremonies.credential_of(answer)
    if challenge is None or not credential_id:
        return None
    matching = select(Passkey).where(
        col(Passkey.credential_id) == credential_id, col(Passkey.host) == host_of(request)
    )
    known = await session.scalar(matching)
    if known is None or user_id not in (None, known.user_id):
        return None
    # The account first, in the order in which changes lock both.
    owner = select(User).where(col(User.id) == known.user_id).with_for_update()
    user = await session.scalar(owner.execution_options(populate_existing=True))
    locked = matching.with_for_update().execution_options(populate_existing=True)
    passkey = await session.scalar(locked)
    if user is None or user.is_disabled or passkey is None:
        return None
    if handle and handle != handle_text(user):
        return None
    place = ceremonies.Place(passkey.host, origin_of(request), challenge.signed)
    count = ceremonies.verified_count(
        answer,
        place,
        passkey.public_key,
        passkey.sign_count,
        is_verified=purpose.is_verified,
    )
    if count is None or not await claim_challenge(session, challenge):
        return None
    passkey.sign_count, passkey.last_used_at = count, datetime.now(UTC)
    await session.flush()
    return user
