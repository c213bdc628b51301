"""The well-formed body of a phone's events, decoded and checked in one compiled pass.

Nearly every body is well-formed; what is not, down to a key given twice, is left to the parser that judges event by
event (parsing.py), which would read a well-formed body to the same events.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

MAX_EVENTS = 500
MAX_GEOFENCE_CHARS = 64
RSSI_DBM = (-128, 20)  # what a radio's signed byte and common sense allow

_Whole = Annotated[int, Meta(ge=0, le=65_535)]


class WireBeacon(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    uuid: str
    major: _Whole
    minor: _Whole
    rssi_dbm: Annotated[int, Meta(ge=RSSI_DBM[0], le=RSSI_DBM[1])] | msgspec.UnsetType | None = msgspec.UNSET


class WireLocation(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    lat: Annotated[float, Meta(ge=-90.0, le=90.0)]
    lon: Annotated[float, Meta(ge=-180.0, le=180.0)]
    accuracy_m: Annotated[float, Meta(ge=0.0)]
    is_mock: bool | msgspec.UnsetType = msgspec.UNSET


class WireEvent(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    id: str
    type: Literal["enter", "exit", "dwell", "fix", "beacon"]
    occurred_at: str
    geofence: Annotated[str, Meta(min_length=1, max_length=MAX_GEOFENCE_CHARS)] | msgspec.UnsetType | None = (
        msgspec.UNSET
    )
    beacon: WireBeacon | msgspec.UnsetType | None = msgspec.UNSET
    location: WireLocation | msgspec.UnsetType | None = msgspec.UNSET


_Events = Annotated[list[WireEvent], Meta(min_length=1, max_length=MAX_EVENTS)]


class WireBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    events: _Events


class WireFrame(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="events"):
    seq: Annotated[int, Meta(ge=0, le=2**53 - 1)]
    events: _Events


_body = msgspec.json.Decoder(WireBody)
_frame = msgspec.json.Decoder(WireFrame)
_BODY_QUOTES, _FRAME_QUOTES = 2, 8  # of what stands around the events


def well_formed_body(raw: bytes) -> list[WireEvent] | None:
    """Return the events of a request's body; None where somebody must look closer."""
    try:
        events = _body.decode(raw).events
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return events if _is_plain(raw, events, quotes=_BODY_QUOTES) else None


def well_formed_frame(raw: bytes) -> WireFrame | None:
    """Return an events frame of a socket; None where somebody must look closer, or it is another frame."""
    try:
        frame = _frame.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return frame if _is_plain(raw, frame.events, quotes=_FRAME_QUOTES) else None


def _is_plain(raw: bytes, events: list[WireEvent], *, quotes: int) -> bool:
    """Return whether no text is escaped and no key is given twice: then the quotes are just those of what was read."""
    if b"\\" in raw:
        return False
    for event in events:
        quotes += 12
        if event.geofence is not msgspec.UNSET:
            quotes += 2 if event.geofence is None else 4
        seen, at = event.beacon, event.location
        if seen is not msgspec.UNSET:
            quotes += 2
            if seen is not None:
                quotes += 8 if seen.rssi_dbm is msgspec.UNSET else 10
        if at is not msgspec.UNSET:
            quotes += 2
            if at is not None:
                quotes += 6 if at.is_mock is msgspec.UNSET else 8
    return raw.count(b'"') == quotes
