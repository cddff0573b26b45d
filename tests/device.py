"""A device that keeps passkeys, as a browser would ask it (WebAuthn Level 3, ES256)."""

import hashlib
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

PRESENT, VERIFIED, HAS_KEY = 0x01, 0x04, 0x40


def encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Device:
    """A device with one key; everything that it says can be another thing.

    origin: that of the page, as a browser fills it in.
    """

    def __init__(self, origin: str = "http://localhost") -> None:
        self.origin = origin
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.credential_id = secrets.token_bytes(32)
        self.count = 0
        self.flags = PRESENT | VERIFIED
        self.handle = b""

    # Any: JSON.
    def register(self, options: dict[str, Any]) -> str:
        """Answer to `navigator.credentials.create`."""
        self.handle = decoded(options["user"]["id"])
        numbers = self.key.public_key().public_numbers()
        x, y = (number.to_bytes(32, "big") for number in (numbers.x, numbers.y))
        cose = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})
        length = len(self.credential_id).to_bytes(2, "big")
        data = self._data(options["rp"]["id"], self.flags | HAS_KEY)
        data += bytes(16) + length + self.credential_id + cose
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client("webauthn.create", options["challenge"])
        return self._answer(clientDataJSON=client, attestationObject=attestation)

    # Any: JSON.
    def answer(self, options: dict[str, Any], *, has_handle: bool = True) -> str:
        """Answer to `navigator.credentials.get`."""
        self.count += 1
        data = self._data(options["rpId"], self.flags)
        client = self._client("webauthn.get", options["challenge"])
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        handle = {"userHandle": self.handle} if has_handle else {}
        return self._answer(
            clientDataJSON=client, authenticatorData=data, signature=signature, **handle
        )

    def _data(self, host: str, flags: int) -> bytes:
        hashed = hashlib.sha256(host.encode()).digest()
        return hashed + bytes([flags]) + self.count.to_bytes(4, "big")

    def _client(self, kind: str, challenge: str) -> bytes:
        said = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(said).encode()

    def _answer(self, **response: bytes) -> str:
        credential_id = encoded(self.credential_id)
        parts = {name: encoded(part) for name, part in response.items()}
        return json.dumps(
            {"id": credential_id, "rawId": credential_id, "type": "public-key", "response": parts}
        )
