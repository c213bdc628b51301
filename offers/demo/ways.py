"""The story's other customers: the same receipts, the same aisle, and every other way out of the house."""

import secrets
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from offers.demo.callers import Provider, StoryFailed
from offers.demo.telling import Teller
from offers.demo.walking import Person, Walk, expect, send_receipts, token_of, walk

PUSH_WITHIN_S = 15.0
FICTION = "+3363998"  # and four digits: numbers that ARCEP keeps for works of fiction


def tell_ways(
    path: Walk, provider: Provider, *, receipts: Sequence[dict[str, Any]], run: str, teller: Teller
) -> None:
    """Let one customer per way pass the aisle, and tell what reached each. Raises StoryFailed where nothing did.

    `receipts`: the buyer's, of which each gets a copy. Mail and SMS are in French, as who gets them reads. Told only where the provider's page shows every local provider.
    """
    base_urls = provider.base_urls()
    if not base_urls:
        return
    teller.ways()
    for person in _people(provider, run=run, push_service=base_urls["webpush"]):
        welcomed = replace(person, token=token_of(path.service, person))
        send_receipts(path.service, [_copy(receipt, person) for receipt in receipts])
        decision, _ = walk(path, welcomed)
        expect(decision, reason="issued", of=person.role)
        asked = time.monotonic()
        entry = provider.wait_for(person.address, of=person.role, within_s=PUSH_WITHIN_S)
        if decision["coupon"]["code"] not in str(entry["message"]):
            raise StoryFailed(f"What reached the {person.role} carries another coupon than the decision.")
        teller.way(person.role, entry, seconds=time.monotonic() - asked)


def _people(provider: Provider, *, run: str, push_service: str) -> list[Person]:
    browser = provider.subscribe(push_service)
    iphone = secrets.token_hex(32)
    mail = f"demo-mail-{run}@example.org"
    number = f"{FICTION}{secrets.randbelow(10_000):04}"
    return [
        Person(
            role="iPhone",
            ref=f"demo-iphone-{run}",
            address=iphone,
            device={"platform": "apns", "token": iphone},
        ),
        Person(
            role="browser",
            ref=f"demo-browser-{run}",
            address=browser["endpoint"],
            device={"platform": "webpush", "subscription": browser},
        ),
        Person(
            role="mailbox",
            ref=f"demo-mail-{run}",
            address=mail,
            channel="email",
            profile={"email": mail, "language": "fr"},
        ),
        Person(
            role="SMS",
            ref=f"demo-sms-{run}",
            address=number,
            channel="sms",
            profile={"phone": number, "language": "fr"},
        ),
    ]


def _copy(receipt: dict[str, Any], person: Person) -> dict[str, Any]:
    return {**receipt, "receipt": f"{receipt['receipt']}-{person.ref}", "customer": person.ref}
