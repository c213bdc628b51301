"""The people of the story: how each is welcomed, and how each walks into the store, through HTTP alone."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from offers.demo import files
from offers.demo.callers import Service, StoryFailed
from offers.demo.telling import Teller

METRES_PER_DEGREE = 111_320.0
CONSENTS = ("geolocation", "profiling")
WALK = (
    (110, 90),
    (55, 45),
    (0, 4),
)  # (metres east of the store, seconds ago): 1.3 m/s; no other store stands there
RSSI_DBM = -58  # of a beacon an arm's length away


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    role: str
    ref: str
    address: str  # what the provider's log calls it: push token, endpoint, e-mail address, number
    channel: str = "push"
    profile: dict[str, str] = field(default_factory=dict)  # as PUT /v1/customers/{ref} takes it
    device: dict[str, Any] | None = None  # as PUT /v1/me/devices/{id} takes it
    token: str = ""  # of the customer, for the API


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """Where the people of one telling walk."""

    service: Service
    story: files.Story
    store: dict[str, Any]  # as the API shows it
    now: Callable[[], datetime]


def token_of(service: Service, person: Person) -> str:
    """Make the customer, who allows everything on one channel and has no quiet hours; return their token for the API."""
    profile = {"language": "en", "time_zone": files.TIME_ZONE, **person.profile}
    service.office("PUT", f"/v1/customers/{person.ref}", profile)
    token: str = service.office("POST", f"/v1/customers/{person.ref}/tokens", {"device_id": "phone"})["token"]
    if person.device is not None:
        device = {"app_version": "1.0", "os_version": "16", **person.device}
        service.phone(token, "PUT", "/v1/me/devices/phone", device)
    for purpose in (person.channel, *CONSENTS):
        consent = {"purpose": purpose, "granted": True, "text_version": "demo", "source": "app"}
        service.phone(token, "POST", "/v1/me/consents", consent)
    terms = {"quiet_hours": None, "channels": [person.channel]}
    service.phone(token, "PATCH", "/v1/me/preferences", terms)
    return token


def send_receipts(service: Service, receipts: Sequence[dict[str, Any]]) -> None:
    """Hand in what people bought. Raises StoryFailed where a receipt is not accepted."""
    results = service.office("POST", "/v1/purchases", {"purchases": receipts})["results"]
    accepted = sum(result["status"] == "accepted" for result in results)
    if accepted != len(receipts):
        raise StoryFailed(f"Only {accepted} of {len(receipts)} receipts were accepted.")


def walk(
    path: Walk, person: Person, *, teller: Teller | None = None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Send the fixes of the way and the aisle's beacon; return the aisle's decision and the beacon's event.

    teller: who tells each event; None: nobody.
    """
    at = path.now()
    beacon = _event("beacon", at=at, beacon={**path.story.beacon, "rssi_dbm": RSSI_DBM})
    fixes = [
        _event("fix", at=at - timedelta(seconds=ago_s), location=_east(path.store["location"], metres))
        for metres, ago_s in WALK
    ]
    results = send_events(path.service, person, fixes) + send_events(path.service, person, [beacon])
    if teller is not None:
        _tell(path, person, results, teller=teller)
    place = {"kind": "aisle", "store": path.story.store, "aisle": path.story.aisle}
    for decision in results[-1]["decisions"]:
        if decision["place"] == place:
            return decision, beacon
    raise StoryFailed(f"The {person.role}'s beacon was not answered by a decision about the aisle.")


def expect(decision: dict[str, Any], *, reason: str, of: str) -> None:
    """Raise StoryFailed where the decision has another reason."""
    if decision["reason"] != reason:
        raise StoryFailed(
            f"The {of}'s decision at the aisle says {decision['reason']}, and should say {reason}."
        )


def send_events(service: Service, person: Person, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Send events as the person's phone; return one result each. Raises StoryFailed where one is rejected."""
    answer = service.phone(person.token, "POST", "/v1/events", {"events": events})
    results: list[dict[str, Any]] = answer["results"]
    for result in results:
        if result["status"] == "rejected":
            raise StoryFailed(f"An event of the {person.role} was rejected: {result['error']}.")
    return results


def _tell(path: Walk, person: Person, results: list[dict[str, Any]], *, teller: Teller) -> None:
    decisions = path.service.phone(person.token, "GET", "/v1/me/decisions")["results"]
    words = {decision["reason"]: decision["text"] for decision in decisions}
    teller.walk_of(person.role)
    for (metres, _), result in zip(WALK, results, strict=False):
        where = f"{metres} m from the store" if metres else "in the store"
        teller.event("fix", where, result=result, words=words)
    teller.event("beacon", f"the aisle “{path.story.aisle}”", result=results[-1], words=words)


def _event(kind: str, *, at: datetime, **more: Any) -> dict[str, Any]:
    return {"id": str(uuid4()), "type": kind, "occurred_at": at.astimezone(UTC).isoformat(), **more}


def _east(location: dict[str, float], metres: int) -> dict[str, Any]:
    lon = location["lon"] + metres / (METRES_PER_DEGREE * math.cos(math.radians(location["lat"])))
    return {"lat": location["lat"], "lon": lon, "accuracy_m": 6.0, "is_mock": False}
