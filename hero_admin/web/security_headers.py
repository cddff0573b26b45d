"""The security headers of every response, and whether it may be cached."""

from collections.abc import Iterator, Sequence

from starlette.datastructures import Headers
from starlette.types import Scope

from hero_admin.web.csrf import bearer_token_of
from hero_admin.web.mount import local_path

Header = tuple[bytes, bytes]

# What pages are never to do, whatever gets into one.
UNUSED_FEATURES = (
    "accelerometer autoplay browsing-topics camera clipboard-read display-capture"
    " encrypted-media fullscreen gamepad geolocation gyroscope hid identity-credentials-get"
    " idle-detection local-fonts magnetometer microphone midi otp-credentials payment"
    " picture-in-picture screen-wake-lock"
    " serial storage-access sync-xhr usb window-management xr-spatial-tracking"
)
# What the pages that sign in do, and nothing that they embed.
OWN_FEATURES = ("publickey-credentials-create", "publickey-credentials-get")
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self';"
    " connect-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none';"
    " object-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    # Not “no-referrer”: with it browsers would not even tell us that a form of ours is ours.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(
        [
            *(f"{each}=()" for each in UNUSED_FEATURES.split()),
            *(f"{each}=(self)" for each in OWN_FEATURES),
        ]
    ),
}
# As ASGI sends them.
ENCODED = tuple((name.lower().encode(), value.encode()) for name, value in HEADERS.items())
HSTS = b"max-age=31536000"
# Browsers cache nothing, unless a static file says otherwise: after signing out, Back asks again.
NO_STORE = b"no-store"
# Programs may cache what the API answers and compare its ETag. A browser, which sends a cookie,
# would show it to whoever goes back after somebody else has signed out.
REVALIDATE = b"private, no-cache"


def security_headers(
    scope: Scope, given: Sequence[Header], *, is_mounted: bool
) -> Iterator[Header]:
    """Return the headers of a response; those it was `given` decide whether it may be cached.

    is_mounted: whether HSTS, which is about the whole host, is for the application outside to send.
    """
    yield from ENCODED
    if scope["scheme"] == "https" and not is_mounted:
        yield b"strict-transport-security", HSTS
    is_api = local_path(scope).startswith("/api/")
    has_token = is_api and bearer_token_of(Headers(scope=scope)) is not None
    yield b"cache-control", REVALIDATE if has_token and _can_be_cached(given) else NO_STORE


def _can_be_cached(headers: Sequence[Header]) -> bool:
    return any(
        name == b"etag" or (name == b"content-type" and value.startswith(b"application/json"))
        for name, value in headers
    )
