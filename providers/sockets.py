"""Where a local provider listens."""

import socket


def bound_socket(host: str, port: int) -> socket.socket:
    """Return a socket that listens; port 0 is any free one. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        bound.listen(2048)
    except OSError:
        bound.close()
        raise
    return bound


def shown_host(host: str) -> str:
    """Return the name under which a client on this machine reaches what listens on `host`."""
    return "127.0.0.1" if host in ("0.0.0.0", "::", "") else host


def authority(bound: socket.socket, *, host: str) -> str:
    """Return `host:port` of a bound socket as a URL has it."""
    shown = shown_host(host)
    shown = f"[{shown}]" if ":" in shown else shown
    return f"{shown}:{bound.getsockname()[1]}"
