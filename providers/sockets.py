"""Where a local provider listens, and how it tells those who started it."""

import json
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any


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


def write_state(path: Path, state: Mapping[str, Any]) -> None:
    """Write what a client needs to know, and the process's id, whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps({**state, "pid": os.getpid()}) + "\n")
    partial.replace(path)
