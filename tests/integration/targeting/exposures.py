"""Exposures as the decision writes them, with purchases after some of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from customers.models import Customer, Purchase, PurchaseLine
from offers.models import Decision, Exposure, Offer, Store


@dataclass(frozen=True, kw_only=True)
class Shown:
    offer: Offer
    candidates: Sequence[Mapping[str, Any]]
    customer: Customer
    at: datetime
    arm: str = "treated"
    has_bought: bool = False
    gtin: str = "1"  # of what was bought


def expose(shown: Sequence[Shown], *, store: Store) -> list[Exposure]:
    """Write one decision and exposure each; a purchase follows an hour later where there was one."""
    decisions = Decision.objects.bulk_create(
        Decision(
            customer=one.customer,
            outcome="issued" if one.arm == "treated" else "none",
            reason="issued" if one.arm == "treated" else "holdout",
            offer=one.offer,
            candidates=list(one.candidates),
            decided_at=one.at,
        )
        for one in shown
    )
    exposures = Exposure.objects.bulk_create(
        Exposure(
            customer=one.customer,
            offer=one.offer,
            revision=1,
            arm=one.arm,
            decision=decision,
            store=store,
            store_visit_entered_at=one.at,
            exposed_at=one.at,
        )
        for one, decision in zip(shown, decisions, strict=True)
    )
    buying = [one for one in shown if one.has_bought]
    receipts = Purchase.objects.bulk_create(
        Purchase(
            customer=one.customer,
            store_ref=store.ref,
            receipt=f"R{number}",
            purchased_at=one.at + timedelta(hours=1),
            currency="EUR",
            digest=b"",
            received_at=one.at,
        )
        for number, one in enumerate(buying)
    )
    PurchaseLine.objects.bulk_create(
        PurchaseLine(
            purchase=receipt,
            customer=one.customer,
            position=0,
            gtin=one.gtin,
            quantity=1,
            unit_price_minor=100,
        )
        for receipt, one in zip(receipts, buying, strict=True)
    )
    return exposures


def make_people(*, count: int, now: datetime) -> list[Customer]:
    """Make customers who allow everything, without phones."""
    values: dict[str, Any] = {
        "granted": ["push", "geolocation", "profiling"],
        "created_at": now,
        "updated_at": now,
    }
    return Customer.objects.bulk_create([Customer(ref=f"p{number}", **values) for number in range(count)])
