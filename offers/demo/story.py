"""The story of the yoghurt: a buyer of the brand and a neighbour pass the same aisle, told through HTTP alone."""

import math
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from offers.demo import files
from offers.demo.callers import Provider, Service, StoryFailed
from offers.demo.receipts import History, histories
from offers.demo.telling import Teller

PUSH_WITHIN_S = 15.0
METRES_PER_DEGREE = 111_320.0
CONSENTS = ("push", "geolocation", "profiling")
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
    token: str  # of the customer, for the API
    phone: str  # the push address


def tell_story(*, service: Service, provider: Provider, teller: Teller, now: Callable[[], datetime]) -> None:
    """Play the story with two new customers and tell it. Raises StoryFailed where it goes another way."""
    started = time.monotonic()
    story, run = files.read_story(), secrets.token_hex(3)
    store = service.office("GET", f"/v1/stores/{story.store}")
    renamed = {story.buyer: f"demo-buyer-{run}", story.neighbour: f"demo-neighbour-{run}"}
    bought = histories(of=renamed, run=run, renamed=renamed, brand=story.brand, now=now())

    buyer = _welcome(service, role="buyer", ref=renamed[story.buyer])
    neighbour = _welcome(service, role="neighbour", ref=renamed[story.neighbour])
    _send_receipts(service, [*bought[story.buyer].receipts, *bought[story.neighbour].receipts])
    teller.opening(run=run, brand=story.brand, store=store)
    for person, ref in ((buyer, story.buyer), (neighbour, story.neighbour)):
        _introduce(teller, person, bought[ref], household=ref, brand=story.brand)

    theirs, _ = _walk(service, neighbour, story=story, store=store, teller=teller, now=now)
    _expect(theirs, reason="not_relevant", of="neighbour")
    ours, event = _walk(service, buyer, story=story, store=store, teller=teller, now=now)
    _expect(ours, reason="issued", of="buyer")
    coupon = ours["coupon"]
    teller.coupon(coupon, zone=files.TIME_ZONE)

    asked = time.monotonic()
    push = provider.wait_for_push(buyer.phone, within_s=PUSH_WITHIN_S)
    teller.push(push, phone=buyer.phone, seconds=time.monotonic() - asked)
    if push.get("data", {}).get("code") != coupon["code"]:
        raise StoryFailed("The push carries another coupon than the decision.")
    _check_nothing_else(service, provider, neighbour, teller=teller)
    _send_again(service, provider, buyer, event=event, first=ours, teller=teller)
    teller.closing(seconds=time.monotonic() - started)


def _welcome(service: Service, *, role: str, ref: str) -> Person:
    """Make a customer who allows everything, with one phone that has no quiet hours."""
    service.office("PUT", f"/v1/customers/{ref}", {"language": "en", "time_zone": files.TIME_ZONE})
    token = service.office("POST", f"/v1/customers/{ref}/tokens", {"device_id": "phone"})["token"]
    person = Person(role=role, ref=ref, token=token, phone=f"phone-of-{ref}")
    device = {"platform": "fcm", "token": person.phone, "app_version": "1.0", "os_version": "16"}
    service.phone(token, "PUT", "/v1/me/devices/phone", device)
    for purpose in CONSENTS:
        consent = {"purpose": purpose, "granted": True, "text_version": "demo", "source": "app"}
        service.phone(token, "POST", "/v1/me/consents", consent)
    service.phone(token, "PATCH", "/v1/me/preferences", {"quiet_hours": None})
    return person


def _send_receipts(service: Service, receipts: list[dict[str, Any]]) -> None:
    results = service.office("POST", "/v1/purchases", {"purchases": receipts})["results"]
    accepted = sum(result["status"] == "accepted" for result in results)
    if accepted != len(receipts):
        raise StoryFailed(f"Only {accepted} of {len(receipts)} receipts were accepted.")


def _introduce(teller: Teller, person: Person, bought: History, *, household: str, brand: str) -> None:
    teller.person(
        role=person.role,
        ref=person.ref,
        household=household,
        receipts=len(bought.receipts),
        brand=f"{bought.brand_lines} lines of {brand}"
        if bought.brand_lines
        else f"never {brand}, never a yoghurt",
    )


def _walk(
    service: Service,
    person: Person,
    *,
    story: files.Story,
    store: dict[str, Any],
    teller: Teller,
    now: Callable[[], datetime],
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Send the fixes of the way and the aisle's beacon; return the aisle's decision and the beacon's event."""
    at = now()
    beacon = _event("beacon", at=at, beacon={**story.beacon, "rssi_dbm": RSSI_DBM})
    fixes = [
        _event("fix", at=at - timedelta(seconds=ago_s), location=_east(store["location"], metres))
        for metres, ago_s in WALK
    ]
    results = _send(service, person, fixes) + _send(service, person, [beacon])
    decisions = service.phone(person.token, "GET", "/v1/me/decisions")["results"]
    words = {decision["reason"]: decision["text"] for decision in decisions}
    teller.walk_of(person.role)
    for (metres, _), result in zip(WALK, results, strict=False):
        where = f"{metres} m from the store" if metres else "in the store"
        teller.event("fix", where, result=result, words=words)
    teller.event("beacon", f"the aisle “{story.aisle}”", result=results[-1], words=words)
    place = {"kind": "aisle", "store": story.store, "aisle": story.aisle}
    for decision in results[-1]["decisions"]:
        if decision["place"] == place:
            return decision, beacon
    raise StoryFailed(f"The {person.role}'s beacon was not answered by a decision about the aisle.")


def _send(service: Service, person: Person, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = service.phone(person.token, "POST", "/v1/events", {"events": events})[
        "results"
    ]
    for result in results:
        if result["status"] == "rejected":
            raise StoryFailed(f"An event of the {person.role} was rejected: {result['error']}.")
    return results


def _event(kind: str, *, at: datetime, **more: Any) -> dict[str, Any]:
    return {"id": str(uuid4()), "type": kind, "occurred_at": at.astimezone(UTC).isoformat(), **more}


def _east(location: dict[str, float], metres: int) -> dict[str, Any]:
    lon = location["lon"] + metres / (METRES_PER_DEGREE * math.cos(math.radians(location["lat"])))
    return {"lat": location["lat"], "lon": lon, "accuracy_m": 6.0, "is_mock": False}


def _expect(decision: dict[str, Any], *, reason: str, of: str) -> None:
    if decision["reason"] != reason:
        raise StoryFailed(
            f"The {of}'s decision at the aisle says {decision['reason']}, and should say {reason}."
        )


def _check_nothing_else(service: Service, provider: Provider, neighbour: Person, *, teller: Teller) -> None:
    pushes = provider.pushes_to(neighbour.phone)
    coupons = service.phone(neighbour.token, "GET", "/v1/coupons")["results"]
    if pushes or coupons:
        raise StoryFailed("The neighbour got something.")
    teller.silence()


def _send_again(
    service: Service,
    provider: Provider,
    buyer: Person,
    *,
    event: dict[str, Any],
    first: dict[str, Any],
    teller: Teller,
) -> None:
    [again] = _send(service, buyer, [event])
    if again["status"] != "duplicate" or first not in again["decisions"]:
        raise StoryFailed(f"The same event again was {again['status']}, with another answer.")
    coupons = service.phone(buyer.token, "GET", "/v1/coupons")["results"]
    pushes = provider.pushes_to(buyer.phone)
    if (len(coupons), len(pushes)) != (1, 1):
        raise StoryFailed(
            f"The buyer has {len(coupons)} coupons and {len(pushes)} pushes instead of one of each."
        )
    teller.again()
