"""Allowed hosts: the names that this server answers to."""

import re

from starlette.types import Scope

from hero_admin.settings import Settings
from hero_admin.web.mount import local_path

# Names of this machine, which no other site can have.
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
HOST = re.compile(r"([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?", re.ASCII | re.IGNORECASE)
# Load balancers use the IP address.
ANY_HOST_PATHS = ("/healthz", "/readyz")
UNKNOWN_HOST = "Unknown host name. WEBAPP_ALLOWED_HOSTS lists the ones this server answers to."


def known_hosts(settings: Settings) -> tuple[str, ...]:
    """Return the names of the loopback, of WEBAPP_HOST and those of WEBAPP_ALLOWED_HOSTS.

    A leading dot includes all subdomains.
    """
    listed = [name for name in settings.allowed_hosts.split(",") if name]
    own = [] if settings.is_on_all_addresses else [settings.host.lower()]
    own = [f"[{name}]" if ":" in name else name for name in own]
    return tuple(dict.fromkeys([*LOOPBACK, *own, *listed]))


def is_known_host(scope: Scope, hosts: tuple[str, ...]) -> bool:
    """Whether the one Host header of a request names an allowed host, with any port.

    Without `hosts` all are allowed.
    """
    if not hosts or local_path(scope) in ANY_HOST_PATHS:
        return True
    given = [value for name, value in scope["headers"] if name == b"host"]
    match = HOST.fullmatch(given[0].decode("latin-1")) if len(given) == 1 else None
    if match is None:
        return False
    name = match[1].lower()
    return name in hosts or any(name.endswith(host) for host in hosts if host.startswith("."))
