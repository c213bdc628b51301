"""A phone with a socket, for tests that speak to the service as an app does."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.acceptance.service import Service


class PhoneSocket:
    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    def say(self, **frame: Any) -> None:
        self.connection.send(json.dumps(frame))

    def hear(self, *, within_s: float = 10.0) -> dict[str, Any]:
        """Return the next frame. Raises TimeoutError, or ConnectionClosed with the code."""
        frame: dict[str, Any] = json.loads(self.connection.recv(timeout=within_s))
        return frame

    def is_silent(self, *, for_s: float) -> bool:
        try:
            self.hear(within_s=for_s)
        except TimeoutError:
            return True
        return False


def stream_url(service: Service) -> str:
    return service.base_url.replace("http", "ws", 1) + "/v1/stream"


@contextmanager
def open_socket(service: Service, token: str) -> Iterator[PhoneSocket]:
    headers = {"Authorization": f"Bearer {token}"}
    with connect(
        stream_url(service),
        subprotocols=["rayon.v1"],  # type: ignore[list-item]
        additional_headers=headers,
        proxy=None,
    ) as connection:
        yield PhoneSocket(connection)
