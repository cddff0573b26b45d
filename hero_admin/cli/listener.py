"""The socket that the server listens on, opened before anything else."""

import errno
import os
import socket

WAITING_CONNECTIONS = 2048
# What a browser opens for an address that stands for all.
ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - it is what is looked out for


class ListenError(Exception):
    """The address cannot be listened on: one sentence that says why."""


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on an address; port 0 takes a free one. Raises ListenError."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        # A name such as localhost has several; every machine has IPv4.
        family, _, _, _, address = min(found, key=lambda info: info[0])
        return socket.create_server(address, family=family, backlog=WAITING_CONNECTIONS)
    except (socket.gaierror, UnicodeError):
        raise ListenError(f"There is no address “{host}”: choose another --host.") from None
    except PermissionError:
        raise ListenError(f"This user may not use port {port}: choose another --port.") from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ListenError(
                f"Port {port} of {host} is in use: stop what uses it, or choose another --port."
            ) from None
        raise ListenError(
            f"The server cannot listen on port {port} of {host}: {os.strerror(error.errno or 0)}."
        ) from None


def address_of(listener: socket.socket) -> str:
    """Return what to open in a browser on this machine."""
    host, port, *_ = listener.getsockname()
    host = ANY_ADDRESS.get(host, host)
    host = f"[{host}]" if ":" in host else host
    return f"http://{host}:{port}"
