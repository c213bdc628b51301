"""The story of the yoghurt: a buyer of the brand and a neighbour pass the same aisle, told through HTTP alone."""

import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from offers.demo import files
from offers.demo.callers import Provider, Service, StoryFailed
from offers.demo.receipts import History, histories
from offers.demo.telling import Teller
from offers.demo.walking import Person, Walk, expect, send_events, send_receipts, token_of, walk
from offers.demo.ways import PUSH_WITHIN_S, tell_ways


def tell_story(*, service: Service, provider: Provider, teller: Teller, now: Callable[[], datetime]) -> None:
    """Play the story with new customers and tell it. Raises StoryFailed where it goes another way."""
    started = time.monotonic()
    story, run = files.read_story(), secrets.token_hex(3)
    store = service.office("GET", f"/v1/stores/{story.store}")
    path = Walk(service=service, story=story, store=store, now=now)
    renamed = {story.buyer: f"demo-buyer-{run}", story.neighbour: f"demo-neighbour-{run}"}
    bought = histories(of=renamed, run=run, renamed=renamed, brand=story.brand, now=now())

    buyer = _welcome(service, role="buyer", ref=renamed[story.buyer])
    neighbour = _welcome(service, role="neighbour", ref=renamed[story.neighbour])
    send_receipts(service, [*bought[story.buyer].receipts, *bought[story.neighbour].receipts])
    teller.opening(run=run, brand=story.brand, store=store)
    for person, ref in ((buyer, story.buyer), (neighbour, story.neighbour)):
        _introduce(teller, person, bought[ref], household=ref, brand=story.brand)

    theirs, _ = walk(path, neighbour, teller=teller)
    expect(theirs, reason="not_relevant", of="neighbour")
    ours, event = walk(path, buyer, teller=teller)
    expect(ours, reason="issued", of="buyer")
    coupon = ours["coupon"]
    teller.coupon(coupon, zone=files.TIME_ZONE)

    asked = time.monotonic()
    push = provider.wait_for(buyer.address, of="buyer's phone", within_s=PUSH_WITHIN_S)["message"]
    teller.push(push, phone=buyer.address, seconds=time.monotonic() - asked)
    if push.get("data", {}).get("code") != coupon["code"]:
        raise StoryFailed("The push carries another coupon than the decision.")
    _check_nothing_else(service, provider, neighbour, teller=teller)
    _send_again(service, provider, buyer, event=event, first=ours, teller=teller)
    tell_ways(path, provider, receipts=bought[story.buyer].receipts, run=run, teller=teller)
    teller.closing(seconds=time.monotonic() - started)


def _welcome(service: Service, *, role: str, ref: str) -> Person:
    """Make a customer with an Android phone."""
    phone = f"phone-of-{ref}"
    person = Person(role=role, ref=ref, address=phone, device={"platform": "fcm", "token": phone})
    return replace(person, token=token_of(service, person))


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


def _check_nothing_else(service: Service, provider: Provider, neighbour: Person, *, teller: Teller) -> None:
    pushes = provider.reached(neighbour.address)
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
    [again] = send_events(service, buyer, [event])
    if again["status"] != "duplicate" or first not in again["decisions"]:
        raise StoryFailed(f"The same event again was {again['status']}, with another answer.")
    coupons = service.phone(buyer.token, "GET", "/v1/coupons")["results"]
    pushes = provider.reached(buyer.address)
    if (len(coupons), len(pushes)) != (1, 1):
        raise StoryFailed(
            f"The buyer has {len(coupons)} coupons and {len(pushes)} pushes instead of one of each."
        )
    teller.again()
