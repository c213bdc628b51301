"""Phones' events, each judged alone: from a well-formed body (wire.py), or from parsed JSON of whatever form.

Hand-written: a serializer costs more than the decision. What it takes is what documented.py says; a test keeps
the two equal, and another the two ways in.
"""

import hashlib
import math
import re
from datetime import datetime
from typing import Any

import msgspec

from customers.api.instants import parse_instant
from customers.api.problems import Problem, invalid_problem
from offers.api.events.wire import (
    MAX_EVENTS,
    MAX_GEOFENCE_CHARS,
    RSSI_DBM,
    WireBeacon,
    WireEvent,
    WireLocation,
)
from offers.flow import Event, EventKind, Position, Sighting

KINDS: dict[str, str] = {
    "enter": "geofence",
    "exit": "geofence",
    "dwell": "geofence",
    "fix": "location",
    "beacon": "beacon",
}  # and what each kind needs
BELONGS = {"geofence": {"enter", "exit", "dwell"}, "beacon": {"beacon"}}  # what goes with no other kind

_EVENT = frozenset({"id", "type", "geofence", "beacon", "location", "occurred_at"})
_LOCATION = frozenset({"lat", "lon", "accuracy_m", "is_mock"})
_BEACON = frozenset({"uuid", "major", "minor", "rssi_dbm"})
_encode = msgspec.json.Encoder().encode
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class InvalidEvent(ValueError):
    """The event is not what the contract says."""


def events_of(body: Any) -> list[Any]:
    """Return the raw events of a request's body. Raises the problem of a body that is no list of 1 to 500 events."""
    if not isinstance(body, dict):
        raise Problem(status=400, detail="The body must be an object.")
    unknown = sorted(set(body) - {"events"})
    if unknown:
        raise invalid_problem(field=unknown[0][:64], code="unknown_field", message="There is no such field.")
    events = body.get("events")
    if not isinstance(events, list):
        code = "required" if "events" not in body else "invalid"
        raise invalid_problem(field="events", code=code, message="A list of 1 to 500 events.")
    if not 1 <= len(events) <= MAX_EVENTS:
        code = "min_length" if not events else "max_length"
        raise invalid_problem(field="events", code=code, message="1 to 500 events.")
    return events


def parse_event(raw: Any, *, customer_id: int, device_id: str) -> Event:
    """Return the event that a parsed JSON value holds. Raises InvalidEvent."""
    fields = _object(raw, known=_EVENT)
    kind = _text(fields, "type")
    if kind not in KINDS:
        raise InvalidEvent("type")
    return _event(
        customer_id=customer_id,
        device_id=device_id,
        event_id=_text(fields, "id"),
        kind=_kind(kind),
        geofence=_geofence(fields.get("geofence")),
        beacon=_beacon(fields.get("beacon")),
        position=_position(fields.get("location")),
        occurred_at=_text(fields, "occurred_at"),
    )


def event_of(wire: WireEvent, *, customer_id: int, device_id: str) -> Event:
    """Return the event of a well-formed body. Raises InvalidEvent for what its types could not tell."""
    seen, at, fence = wire.beacon, wire.location, wire.geofence
    return _event(
        customer_id=customer_id,
        device_id=device_id,
        event_id=wire.id,
        kind=wire.type,
        geofence=_geofence(fence) if isinstance(fence, str) else None,
        beacon=_wire_beacon(seen) if isinstance(seen, WireBeacon) else None,
        position=_wire_position(at) if isinstance(at, WireLocation) else None,
        occurred_at=wire.occurred_at,
    )


def _event(
    *,
    customer_id: int,
    device_id: str,
    event_id: str,
    kind: EventKind,
    geofence: str | None,
    beacon: Sighting | None,
    position: Position | None,
    occurred_at: str,
) -> Event:
    """Return the event, whole: each kind has what it needs, and nothing that would be ignored."""
    given = {"geofence": geofence, "location": position, "beacon": beacon}
    if given[KINDS[kind]] is None:
        raise InvalidEvent(KINDS[kind])
    for name, kinds in BELONGS.items():
        if given[name] is not None and kind not in kinds:
            raise InvalidEvent(name)
    at = _instant(occurred_at)
    return Event(
        customer_id=customer_id,
        device_id=device_id,
        event_id=_uuid(event_id),
        type=kind,
        geofence=geofence,
        beacon=beacon,
        position=position,
        occurred_at=at,
        digest=hashlib.sha256(_encode((kind, geofence, beacon, position, at))).digest(),
    )


def sent_id(raw: Any) -> str:
    """Return the id of an event as it was sent, for its result; empty where it is no text."""
    if isinstance(raw, WireEvent):
        return raw.id
    found = raw.get("id") if isinstance(raw, dict) else None
    return found if isinstance(found, str) else ""


def _kind(text: str) -> EventKind:
    return text  # type: ignore[return-value]  # one of KINDS


def _object(raw: Any, *, known: frozenset[str]) -> dict[str, Any]:
    if not isinstance(raw, dict) or not known.issuperset(raw):
        raise InvalidEvent("fields")
    return raw


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        raise InvalidEvent(name)
    return value


def _uuid(text: str) -> str:
    if not _UUID.fullmatch(text):
        raise InvalidEvent("uuid")
    return text.lower()


def _instant(text: str) -> datetime:
    try:
        return parse_instant(text)
    except ValueError:
        raise InvalidEvent("occurred_at") from None


def _geofence(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_GEOFENCE_CHARS or "\0" in value:
        raise InvalidEvent("geofence")
    return value


def _beacon(value: Any) -> Sighting | None:
    if value is None:
        return None
    fields = _object(value, known=_BEACON)
    rssi = fields.get("rssi_dbm")
    return Sighting(
        uuid=_uuid(_text(fields, "uuid")),
        major=_whole(fields.get("major"), low=0, high=65_535),
        minor=_whole(fields.get("minor"), low=0, high=65_535),
        rssi_dbm=None if rssi is None else _whole(rssi, low=RSSI_DBM[0], high=RSSI_DBM[1]),
    )


def _wire_beacon(seen: WireBeacon) -> Sighting:
    return Sighting(
        uuid=_uuid(seen.uuid),
        major=seen.major,
        minor=seen.minor,
        rssi_dbm=seen.rssi_dbm if isinstance(seen.rssi_dbm, int) else None,
    )


def _wire_position(at: WireLocation) -> Position:
    return Position(
        lat=_number(at.lat, low=-90.0, high=90.0),
        lon=_number(at.lon, low=-180.0, high=180.0),
        accuracy_m=_number(at.accuracy_m, low=0.0, high=math.inf),
        is_mock=at.is_mock is True,
    )


def _position(value: Any) -> Position | None:
    if value is None:
        return None
    fields = _object(value, known=_LOCATION)
    is_mock = fields.get("is_mock", False)
    if not isinstance(is_mock, bool):
        raise InvalidEvent("is_mock")
    return Position(
        lat=_number(fields.get("lat"), low=-90.0, high=90.0),
        lon=_number(fields.get("lon"), low=-180.0, high=180.0),
        accuracy_m=_number(fields.get("accuracy_m"), low=0.0, high=math.inf),
        is_mock=is_mock,
    )


def _number(value: Any, *, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidEvent("number")
    try:
        number = float(value) + 0.0  # -0.0 and 0.0 are one place
    except OverflowError:
        raise InvalidEvent("number") from None
    if not math.isfinite(number) or not low <= number <= high:
        raise InvalidEvent("number")
    return number


def _whole(value: Any, *, low: int, high: int) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InvalidEvent("number")
    return value
