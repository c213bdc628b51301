"""The few lines of HTTP a local provider needs on top of ASGI."""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from uvicorn.protocols.http.h11_impl import H11Protocol

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

MAX_BODY_BYTES = 1 << 20


class BodyTooLarge(Exception):
    """The request's body is over MAX_BODY_BYTES."""


class CuttableProtocol(H11Protocol):
    """HTTP/1.1 whose applications can cut the connection, as a failing provider does: `scope["state"]["cut"]`."""

    def connection_made(self, transport: Any) -> None:
        self.app_state = {**self.app_state, "cut": transport.abort}
        super().connection_made(transport)


@dataclass(frozen=True, slots=True)
class Request:
    """One request, its body read whole."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    cut: Callable[[], None]  # closes the connection without an answer
    connection: int = 0  # number of the HTTP/2 connection it came over; 0: HTTP/1.1

    def json(self) -> Any:
        """Return the parsed body; raises ValueError."""
        return json.loads(self.body)

    def form(self) -> dict[str, str]:
        """Return the url-encoded form fields."""
        return dict(parse_qsl(self.body.decode("latin-1")))


@dataclass(frozen=True, slots=True)
class Response:
    """One answer."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json; charset=UTF-8"
    headers: dict[str, str] = field(default_factory=dict)

    async def send_to(self, send: Send) -> None:
        headers = {
            **self.headers,
            "content-type": self.content_type,
            "content-length": str(len(self.body)),
        }
        pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": pairs})
        await send({"type": "http.response.body", "body": self.body})


def json_response(value: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return `value` as a JSON answer."""
    body = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
    return Response(status=status, body=body, headers=headers or {})


async def read_request(scope: Scope, receive: Receive) -> Request:
    """Return the request of an ASGI call; raises BodyTooLarge, ConnectionError when the client is gone."""
    body = bytearray()
    more = True
    while more:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise ConnectionError
        body += event.get("body", b"")
        if len(body) > MAX_BODY_BYTES:
            raise BodyTooLarge
        more = event.get("more_body", False)
    return Request(
        method=scope["method"],
        path=scope["path"],
        query=dict(parse_qsl(scope["query_string"].decode("latin-1"))),
        headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
        body=bytes(body),
        cut=scope.get("state", {}).get("cut", _cannot_cut),
    )


async def respond(
    scope: Scope,
    receive: Receive,
    send: Send,
    *,
    answer: Callable[[Request], Awaitable[Response | None]],
    too_large: Response,
) -> None:
    """Answer an ASGI call; `answer` gives None where it has answered itself or cut the connection."""
    if scope["type"] != "http":
        return
    try:
        request = await read_request(scope, receive)
    except ConnectionError:
        return
    except BodyTooLarge:
        response: Response | None = too_large
    else:
        response = await answer(request)
    if response is not None:
        await response.send_to(send)


def _cannot_cut() -> None:
    raise RuntimeError("the connection can only be cut under CuttableProtocol")
