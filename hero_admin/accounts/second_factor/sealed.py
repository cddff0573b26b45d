"""Sealed texts: encrypted with a key that is derived from the secret key."""

from base64 import urlsafe_b64encode

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def seal(secret_key: str, purpose: str, text: str) -> str:
    """Return a text that can only be read with the secret key and for this purpose."""
    return _fernet(secret_key, purpose).encrypt(text.encode()).decode()


def unseal(secret_key: str, purpose: str, sealed: str, max_seconds: int | None = None) -> str:
    """Return the text, "" if it was sealed with another key or longer ago than that."""
    try:
        return _fernet(secret_key, purpose).decrypt(sealed.encode(), max_seconds).decode()
    except InvalidToken:
        return ""


def _fernet(secret_key: str, purpose: str) -> Fernet:
    derived = HKDF(SHA256(), length=32, salt=None, info=f"hero_admin {purpose}".encode())
    return Fernet(urlsafe_b64encode(derived.derive(secret_key.encode())))
