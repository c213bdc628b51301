"""A local APNs: what it answers to a notification, and a control door for scripts and the wire log."""

import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from .apns_errors import Refusal, refusal
from .apns_messages import check_address, check_headers, check_payload, check_token
from .apns_scripts import ACCEPT, ApnsAnswer, parse_apns_answers
from .apns_tokens import LastToken, TokenChecks
from .controls import PREFIX, Controls
from .http import Request
from .http2 import Peer, Peers, Reply
from .phones import BadScript, Scripts, WireLog

MANY_STREAMS = 1000


@dataclass(slots=True)
class ApnsPeer(Peer):
    """A connection; it is trusted once a valid token was seen."""

    last_token: LastToken = field(default_factory=LastToken)


@dataclass(slots=True)
class ApnsApp:
    """One team's app at APNs."""

    tokens: TokenChecks
    topic: str
    log: WireLog = field(default_factory=WireLog)
    scripts: Scripts[ApnsAnswer] = field(default_factory=lambda: Scripts(ACCEPT))
    is_alone_first: bool = True  # one stream at a time until a valid token was seen, as APNs has it
    clock_ahead_s: float = 0.0
    streams: int = MANY_STREAMS
    peers: Peers[ApnsPeer] = field(default_factory=lambda: Peers(ApnsPeer))

    def __post_init__(self) -> None:
        self.tokens.clock = self._clock
        self.log.clock = self._clock

    def reply(self, pairs: list[tuple[bytes, bytes]], body: bytes, peer: ApnsPeer) -> Reply:
        """Return the answer to one request."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in pairs}
        path = headers[":path"]
        if path.startswith(PREFIX):
            return self._control(headers[":method"], path, body, peer=peer)
        message: dict[str, Any] = {"token": unquote(path.rpartition("/")[2])}
        message["headers"] = {name: value for name, value in headers.items() if name.startswith("apns-")}
        apns_id = headers.get("apns-id", "")
        try:
            self._check(headers, pairs, body, peer=peer, message=message)
        except Refusal as error:
            self._log(message, peer, status=error.status, code=error.code, why=error.why)
            return _refused(error, apns_id)
        script = self.scripts.take(message["token"])
        if script.breaks is not None:
            self._log(message, peer, status=None, code=script.breaks, delivered=script.is_processed)
            return Reply(0, [], b"", script)
        if script.refusal is not None:
            self._log(message, peer, status=script.refusal.status, code=script.refusal.code)
            return _refused(script.refusal, apns_id, script=script)
        self._log(message, peer, status=200, code="OK", delivered=True)
        return Reply(200, [("apns-id", apns_id)], b"", script)

    def _check(
        self,
        headers: dict[str, str],
        pairs: list[tuple[bytes, bytes]],
        body: bytes,
        *,
        peer: ApnsPeer,
        message: dict[str, Any],
    ) -> None:
        """Return for what APNs takes, its payload added to `message`; raises Refusal."""
        token = check_address(headers[":method"], headers[":path"])
        if len(headers) != len(pairs):
            raise refusal("DuplicateHeaders")
        self.tokens.check(headers.get("authorization"), peer.last_token)
        peer.is_trusted = True
        check_headers(headers, topic=self.topic)
        message["payload"] = check_payload(body, push_type=headers["apns-push-type"])
        check_token(token)

    def _log(
        self,
        message: dict[str, Any],
        peer: ApnsPeer,
        *,
        status: int | None,
        code: str,
        delivered: bool = False,
        why: str = "",
    ) -> None:
        self.log.add(
            message=message, status=status, code=code, delivered=delivered, why=why, connection=peer.number
        )

    def _clock(self) -> float:
        return time.time() + self.clock_ahead_s

    def _control(self, method: str, path: str, body: bytes, *, peer: ApnsPeer) -> Reply:
        url = urlsplit(path)
        query = dict(parse_qsl(url.query))
        request = Request(method=method, path=url.path, query=query, headers={}, body=body, cut=peer.cut)
        response = self._controls(peer).answer(request)
        headers = [("content-type", response.content_type)]
        return Reply(response.status, headers, response.body, ACCEPT)

    def _controls(self, peer: ApnsPeer) -> Controls[ApnsAnswer]:
        return Controls(
            log=self.log,
            scripts=self.scripts,
            parse=parse_apns_answers,
            more={
                ("POST", "/_control/settings"): self._change,
                ("DELETE", "/_control/connections"): lambda _: self.peers.cut_all(but=peer),
            },
        )

    def _change(self, request: Request) -> dict[str, Any]:
        """Change how strict the server is, and its clock; return how many connections and tokens there have been."""
        raw = request.json()
        if not isinstance(raw, dict) or not {"counts_updates", "is_alone_first", "clock_ahead_s"} >= set(raw):
            raise BadScript("settings are counts_updates, is_alone_first and clock_ahead_s")
        self.tokens.counts_updates = bool(raw.get("counts_updates", self.tokens.counts_updates))
        self.is_alone_first = bool(raw.get("is_alone_first", self.is_alone_first))
        self.clock_ahead_s = float(raw.get("clock_ahead_s", self.clock_ahead_s))
        return {"connections": self.peers.joined, "tokens": self.tokens.verified}


def _refused(refused: Refusal, apns_id: str, *, script: ApnsAnswer = ACCEPT) -> Reply:
    headers = [("apns-id", apns_id)]
    if script.retry_after is not None:
        headers.append(("retry-after", script.retry_after))
    return Reply(refused.status, headers, refused.body(), script)
