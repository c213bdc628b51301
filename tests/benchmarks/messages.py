"""What the load sends, made before the clock starts: bytes with gaps for the times, which are filled in at sending."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

GAP = "@"
STAMP_CHARS = len("2026-11-22T10:03:07.123456Z")

_seconds: dict[int, bytes] = {}  # whole seconds as text, remembered


@dataclass(frozen=True, slots=True)
class Message:
    """One request or frame; `ages_s` has, for each gap, how long before sending its event happened."""

    pieces: tuple[bytes, ...]  # one more than gaps
    ages_s: tuple[int, ...]

    def at(self, now: float) -> bytes:
        """Return the bytes as sent at `now`, in seconds since the epoch."""
        second = int(now)
        fraction = b".%06dZ" % int((now - second) * 1e6)
        parts = [self.pieces[0]]
        for age_s, piece in zip(self.ages_s, self.pieces[1:], strict=True):
            parts += (_text_of(second - age_s), fraction, piece)
        return b"".join(parts)


def request(*, path: str, token: str, events: Sequence[dict[str, Any]]) -> Message:
    """Return a POST of these events, one second apart, the last one happening when it is sent."""
    body = _with_gaps({"events": [{**event, "occurred_at": GAP} for event in events]})
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {_length(body)}\r\n\r\n"
    )
    return _message(head.encode(), body)


def frame(*, seq: int, event: dict[str, Any]) -> Message:
    """Return a masked text frame of rayon.v1 with one event. Its mask is zero, which costs the client nothing."""
    body = _with_gaps({"type": "events", "seq": seq, "events": [{**event, "occurred_at": GAP}]})
    return _message(frame_head(_length(body)), body)


def frame_head(length: int, *, opcode: int = 1) -> bytes:
    """Return the head of a final frame from a client, with a mask of zero (RFC 6455, 5.2)."""
    if length < 126:
        return bytes((0x80 | opcode, 0x80 | length)) + bytes(4)
    if length < 65_536:
        return bytes((0x80 | opcode, 0x80 | 126)) + length.to_bytes(2, "big") + bytes(4)
    return bytes((0x80 | opcode, 0x80 | 127)) + length.to_bytes(8, "big") + bytes(4)


def _with_gaps(body: dict[str, Any]) -> list[bytes]:
    return json.dumps(body, separators=(",", ":")).encode().split(GAP.encode())


def _length(pieces: Sequence[bytes]) -> int:
    return sum(map(len, pieces)) + STAMP_CHARS * (len(pieces) - 1)


def _message(head: bytes, pieces: Sequence[bytes]) -> Message:
    gaps = len(pieces) - 1
    return Message(pieces=(head + pieces[0], *pieces[1:]), ages_s=tuple(range(gaps - 1, -1, -1)))


def _text_of(second: int) -> bytes:
    found = _seconds.get(second)
    if found is None:
        found = _seconds[second] = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second)).encode()
    return found
