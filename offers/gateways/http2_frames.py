"""HTTP/2's frames as bytes (RFC 9113, sections 4 and 6): made, and cut out of what comes in."""

import json
import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEAD_BYTES = 9  # length (3), type (1), flags (1), stream (4)
MAX_FRAME_BYTES = 1 << 14  # that we allow, and that every other end allows
MAX_STREAM_ID = (1 << 31) - 1
MAX_WINDOW_BYTES = (1 << 31) - 1

ACK = END_STREAM = 0x1
END_HEADERS = 0x4
PADDED = 0x8
PRIORITY = 0x20

_HEAD = struct.Struct(">HBBBI")
_SETTING = struct.Struct(">HI")
_NUMBER = struct.Struct(">I")
_REASON = re.compile(r"[A-Za-z]{1,63}")


class Kind(IntEnum):
    DATA = 0
    HEADERS = 1
    PRIORITY = 2
    RST_STREAM = 3
    SETTINGS = 4
    PUSH_PROMISE = 5
    PING = 6
    GOAWAY = 7
    WINDOW_UPDATE = 8
    CONTINUATION = 9


class Code(IntEnum):
    """What went wrong (section 7); those that are said or looked for here."""

    NO_ERROR = 0
    PROTOCOL_ERROR = 1
    FLOW_CONTROL_ERROR = 3
    FRAME_SIZE_ERROR = 6
    REFUSED_STREAM = 7
    CANCEL = 8
    COMPRESSION_ERROR = 9
    ENHANCE_YOUR_CALM = 11


class Setting(IntEnum):
    HEADER_TABLE_SIZE = 1
    ENABLE_PUSH = 2
    MAX_CONCURRENT_STREAMS = 3
    INITIAL_WINDOW_SIZE = 4
    MAX_FRAME_SIZE = 5
    MAX_HEADER_LIST_SIZE = 6


class ConnectionBroken(Exception):
    """The other end broke the protocol such that nothing more on the connection can be believed."""

    def __init__(self, code: Code) -> None:
        super().__init__(code.name)
        self.code = code


@dataclass(frozen=True, slots=True)
class GoAway:
    """The other end takes no streams after this one."""

    last_stream_id: int
    reason: str  # the provider's own, or empty


@dataclass(slots=True)
class Frames:
    """Cuts what comes in between frames."""

    _unread: bytes = b""  # of a frame that has not arrived whole

    def take(self, data: bytes) -> Iterator[tuple[int, int, int, bytes]]:
        """Yield the whole frames so far: kind, flags, stream, payload. Raises ConnectionBroken for one too large."""
        unread = self._unread + data if self._unread else data
        start, length = 0, len(unread)
        try:
            while length - start >= HEAD_BYTES:
                high, low, kind, flags, stream_id = _HEAD.unpack_from(unread, start)
                size = high << 8 | low
                if size > MAX_FRAME_BYTES:
                    raise ConnectionBroken(Code.FRAME_SIZE_ERROR)
                end = start + HEAD_BYTES + size
                if end > length:
                    break
                payload = unread[start + HEAD_BYTES : end]
                start = end
                yield kind, flags, stream_id & MAX_STREAM_ID, payload
        finally:
            self._unread = unread[start:]


@dataclass(slots=True)
class HeaderBlocks:
    """Puts blocks of headers together that come in several frames, which nothing may interrupt."""

    most_bytes: int
    _stream_id: int = 0  # whose block is not complete; 0: none
    _flags: int = 0
    _parts: bytearray = field(default_factory=bytearray)

    def check(self, kind: int) -> None:
        """Raise ConnectionBroken for a frame that may not come now."""
        if (kind == Kind.CONTINUATION) is not bool(self._stream_id):
            raise ConnectionBroken(Code.PROTOCOL_ERROR)

    def take(self, flags: int, stream_id: int, payload: bytes) -> tuple[int, bytes] | None:
        """Return the flags of a block's first frame, and the block, once it is complete. Raises ConnectionBroken."""
        if not self._stream_id:
            block = unpadded(flags, payload)
            if flags & PRIORITY:
                block = block[5:]
            if flags & END_HEADERS:
                return flags, block
            self._stream_id, self._flags, self._parts = stream_id, flags, bytearray(block)
        else:
            if stream_id != self._stream_id:
                raise ConnectionBroken(Code.PROTOCOL_ERROR)
            self._parts += payload
        if len(self._parts) > self.most_bytes:
            raise ConnectionBroken(Code.ENHANCE_YOUR_CALM)
        if not flags & END_HEADERS:
            return None
        self._stream_id = 0
        return self._flags, bytes(self._parts)


def frame(kind: Kind, *, flags: int = 0, stream_id: int = 0, payload: bytes = b"") -> bytes:
    """Return a frame."""
    size = len(payload)
    return _HEAD.pack(size >> 8, size & 0xFF, kind, flags, stream_id) + payload


def headers_frames(stream_id: int, block: bytes) -> bytes:
    """Return the frames of a block of headers, after which data follow."""
    if len(block) <= MAX_FRAME_BYTES:
        return frame(Kind.HEADERS, flags=END_HEADERS, stream_id=stream_id, payload=block)
    parts = [block[at : at + MAX_FRAME_BYTES] for at in range(0, len(block), MAX_FRAME_BYTES)]
    kinds = [Kind.HEADERS] + [Kind.CONTINUATION] * (len(parts) - 1)
    flags = [0] * (len(parts) - 1) + [END_HEADERS]
    return b"".join(
        frame(kind, flags=flag, stream_id=stream_id, payload=part)
        for kind, flag, part in zip(kinds, flags, parts, strict=True)
    )


def settings_frame(values: Mapping[Setting, int]) -> bytes:
    return frame(Kind.SETTINGS, payload=b"".join(_SETTING.pack(*pair) for pair in values.items()))


def number_frame(kind: Kind, value: int, *, stream_id: int = 0) -> bytes:
    """Return a RST_STREAM or a WINDOW_UPDATE."""
    return frame(kind, stream_id=stream_id, payload=_NUMBER.pack(value))


def goaway_frame(code: Code) -> bytes:
    return frame(Kind.GOAWAY, payload=bytes(4) + _NUMBER.pack(code))


def number_in(payload: bytes) -> int:
    """Return what a RST_STREAM or a WINDOW_UPDATE says, without its reserved bit; raises ConnectionBroken."""
    if len(payload) != _NUMBER.size:
        raise ConnectionBroken(Code.FRAME_SIZE_ERROR)
    value: int = _NUMBER.unpack(payload)[0]
    return value


def settings_in(payload: bytes) -> dict[int, int]:
    """Return the settings by number, of two values the last; raises ConnectionBroken."""
    if len(payload) % _SETTING.size:
        raise ConnectionBroken(Code.FRAME_SIZE_ERROR)
    return dict(_SETTING.iter_unpack(payload))


def goaway_in(payload: bytes) -> GoAway:
    """Return what a GOAWAY says; the reason only if it looks like one. Raises ConnectionBroken."""
    if len(payload) < 8:
        raise ConnectionBroken(Code.FRAME_SIZE_ERROR)
    try:
        reason = json.loads(payload[8:])["reason"]
    except (ValueError, TypeError, KeyError, RecursionError):
        reason = ""
    if not isinstance(reason, str) or not _REASON.fullmatch(reason):
        reason = ""
    return GoAway(last_stream_id=int.from_bytes(payload[:4]) & MAX_STREAM_ID, reason=reason)


def unpadded(flags: int, payload: bytes) -> bytes:
    """Return the payload of DATA or HEADERS without padding; raises ConnectionBroken."""
    if not flags & PADDED:
        return payload
    if not payload or payload[0] >= len(payload):
        raise ConnectionBroken(Code.PROTOCOL_ERROR)
    return payload[1 : len(payload) - payload[0]]
