"""The local FCM over HTTP/2: a stream is one call of the application."""

from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from .fcm_app import FcmApp
from .http import Request
from .http2 import Peer, Peers, Reply

STREAMS = 100  # at once; the least that a server should allow (RFC 9113, 6.5.2)


@dataclass(slots=True)
class FcmStreams:
    """What all HTTP/2 connections to one local FCM share."""

    app: FcmApp
    streams: int = STREAMS
    is_alone_first: bool = False
    peers: Peers[Peer] = field(default_factory=lambda: Peers(Peer))

    def reply(self, pairs: list[tuple[bytes, bytes]], body: bytes, peer: Peer) -> Reply:
        """Return the answer to one request."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in pairs}
        path, _, query = headers[":path"].partition("?")
        request = Request(
            method=headers[":method"],
            path=path,
            query=dict(parse_qsl(query)),
            headers=headers,
            body=body,
            cut=peer.cut,
            connection=peer.number,
        )
        response, script = self.app.answer(request)
        return Reply(
            response.status,
            [*response.headers.items(), ("content-type", response.content_type)],
            response.body,
            script,
        )
