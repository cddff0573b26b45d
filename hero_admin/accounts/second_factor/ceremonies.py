"""Ceremonies of WebAuthn: what a browser is asked, and whether its answer is right.

https://www.w3.org/TR/webauthn-3/#sctn-rp-operations
"""

import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass

from webauthn import (
    base64url_to_bytes,
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import bytes_to_base64url
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

# An answer has far less; with certificates of the device some 5 kB.
MAX_CHARACTERS = 16_000
# As long as the challenge.
TIMEOUT_MS = 300_000

logger = logging.getLogger("hero_admin.accounts.passkeys")


@dataclass(frozen=True)
class Place:
    """Where a ceremony is held: the host name, the origin of the page, and the challenge."""

    host: str
    origin: str
    challenge: bytes


@dataclass(frozen=True)
class Registration:
    """A new credential: its id, its public key, and how often it has signed."""

    credential_id: str
    public_key: bytes
    sign_count: int


def registration_options(
    place: Place, title: str, name: str, handle: bytes, existing: Iterable[str]
) -> str:
    """Return what a browser is asked for a new passkey, as JSON.

    existing: the ids of those that the user has, for which no device makes another one.
    """
    options = generate_registration_options(
        rp_id=place.host,
        rp_name=title,
        user_id=handle,
        user_name=name,
        challenge=place.challenge,
        timeout=TIMEOUT_MS,
        exclude_credentials=_descriptors(existing),
        authenticator_selection=AuthenticatorSelectionCriteria(
            # A key without a memory of its own still serves as a second factor.
            resident_key=ResidentKeyRequirement.PREFERRED,
            user_verification=UserVerificationRequirement.PREFERRED,
        ),
    )
    return options_to_json(options)


def authentication_options(place: Place, allowed: Iterable[str], *, is_verified: bool) -> str:
    """Return what a browser is asked to prove, as JSON.

    allowed: the ids of the user's passkeys, none where nobody knows who is asking. is_verified:
    whether the device has to make sure who uses it.
    """
    required, preferred = (
        UserVerificationRequirement.REQUIRED,
        UserVerificationRequirement.PREFERRED,
    )
    options = generate_authentication_options(
        rp_id=place.host,
        challenge=place.challenge,
        timeout=TIMEOUT_MS,
        allow_credentials=_descriptors(allowed),
        user_verification=required if is_verified else preferred,
    )
    return options_to_json(options)


def verified_registration(answer: str, place: Place) -> Registration | None:
    """Return the credential in a browser's answer, None if it is wrong."""
    if len(answer) > MAX_CHARACTERS:
        return None
    try:
        found = verify_registration_response(
            credential=answer,
            expected_challenge=place.challenge,
            expected_rp_id=place.host,
            expected_origin=place.origin,
        )
    # Whatever a client has sent, it is no credential.
    except Exception as error:  # noqa: BLE001 - the parsers raise what they meet
        logger.info("A passkey was not registered: %s", type(error).__name__)
        return None
    credential_id = bytes_to_base64url(found.credential_id)
    return Registration(credential_id, found.credential_public_key, found.sign_count)


def credential_of(answer: str) -> tuple[str, str]:
    """Return the id of the credential in an answer, and the user's handle, "" without one."""
    try:
        given = json.loads(answer) if len(answer) <= MAX_CHARACTERS else {}
        found = given["id"], given["response"].get("userHandle") or ""
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return "", ""
    is_text = all(isinstance(each, str) and each.isascii() for each in found)
    return found if is_text and found[0].isprintable() else ("", "")


def verified_count(
    answer: str, place: Place, public_key: bytes, sign_count: int, *, is_verified: bool
) -> int | None:
    """Return how often a passkey has signed by now, None if its answer is wrong.

    It is if the count has not grown: then there are two copies of the passkey.
    """
    try:
        found = verify_authentication_response(
            credential=answer,
            expected_challenge=place.challenge,
            expected_rp_id=place.host,
            expected_origin=place.origin,
            credential_public_key=public_key,
            credential_current_sign_count=sign_count,
            require_user_verification=is_verified,
        )
    # Whatever a client has sent, it is no proof.
    except Exception as error:  # noqa: BLE001 - the parsers raise what they meet
        logger.info("A passkey was not accepted: %s", type(error).__name__)
        return None
    return found.new_sign_count


def _descriptors(ids: Iterable[str]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(each)) for each in ids]
