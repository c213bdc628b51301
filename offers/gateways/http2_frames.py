"""The frames of HTTP/2 as they come in, those that say good-bye set apart.

h2 takes a GOAWAY for the end of the connection and refuses the frames after it; but the streams that the other end did
take are still answered (RFC 9113, section 6.8).
"""

import json
import re
from dataclasses import dataclass, field

HEAD_BYTES = 9  # length (3), type (1), flags (1), stream (4)
MAX_FRAME_BYTES = 1 << 14  # that we allow; h2 refuses larger ones by their head
_GOAWAY = 0x7
_REASON = re.compile(r"[A-Za-z]{1,63}")


@dataclass(frozen=True, slots=True)
class GoAway:
    """The other end takes no streams after this one."""

    last_stream_id: int
    reason: str  # the provider's own, or empty


@dataclass(slots=True)
class Frames:
    """Cuts what comes in between frames."""

    _unread: bytearray = field(default_factory=bytearray)  # of a frame that has not arrived whole

    def take(self, data: bytes) -> tuple[bytes, GoAway | None]:
        """Return the whole frames so far, for h2, and the last GOAWAY among them, taken out."""
        unread = self._unread
        unread += data
        goaway: GoAway | None = None
        start = 0
        while len(unread) - start >= HEAD_BYTES:
            size = int.from_bytes(unread[start : start + 3])
            if size > MAX_FRAME_BYTES:
                start = len(unread)
                break
            end = start + HEAD_BYTES + size
            if end > len(unread):
                break
            if unread[start + 3] == _GOAWAY and size >= 8:
                goaway = _goaway(unread[start + HEAD_BYTES : end])
                del unread[start:end]
            else:
                start = end
        whole = bytes(unread[:start])
        del unread[:start]
        return whole, goaway


def _goaway(payload: bytearray) -> GoAway:
    try:
        reason = json.loads(payload[8:])["reason"]
    except (ValueError, TypeError, KeyError, RecursionError):
        reason = ""
    if not isinstance(reason, str) or not _REASON.fullmatch(reason):
        reason = ""
    return GoAway(last_stream_id=int.from_bytes(payload[:4]) & 0x7FFFFFFF, reason=reason)
