"""From the answers to all triggers of one event to rows: one winner at most, its coupon, and a decision for each."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Q

from customers.models import Customer, Device
from offers.models import (
    Aisle,
    Capacity,
    Coupon,
    CouponCode,
    Decision,
    Exposure,
    LocationEvent,
    Offer,
    OutboxMessage,
    Store,
    Visit,
)
from offers.rules.coupon_codes import new_code
from offers.rules.holdout import Arm, arm
from tests.benchmarks.obvious.reasons import HAS_ADDRESS, Answer

TRIES = 2  # the winner and, if others took its last unit, the next


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """What asks for a decision: a step of a visit or, without one, an event that led to none."""

    event: LocationEvent | None
    transition: str = ""
    store: Store | None = None
    aisle: Aisle | None = None
    visit: Visit | None = None
    store_entered_at: datetime | None = None
    refusal: str = ""


@dataclass(frozen=True, kw_only=True)
class Ruling:
    trigger: Trigger
    reason: str
    winner: Offer | None = None


def rule(
    triggers: Sequence[Trigger],
    answers: Sequence[Sequence[Answer]],
    *,
    customer: Customer,
    now: datetime,
    params: Mapping[str, Any],
) -> None:
    """Decide on each trigger and write what follows; answers: of each trigger's offers, in the order of the triggers."""
    ranked = [sorted(ones, key=lambda one: one.rank) for ones in answers]
    eligible = [[one for one in ones if one.reason is None] for ones in ranked]
    winning = min(
        (index for index, ones in enumerate(eligible) if ones),
        key=lambda index: (eligible[index][0].rank, index),
        default=None,
    )
    for index, trigger in enumerate(triggers):
        if trigger.refusal:
            ruling = Ruling(trigger=trigger, reason=trigger.refusal)
        elif not ranked[index]:
            ruling = Ruling(trigger=trigger, reason="no_offer")
        elif index == winning:
            ruling = _give(trigger, eligible[index], customer=customer, params=params)
        else:
            # an eligible offer that another place's winner beat: one message is enough
            ruling = Ruling(trigger=trigger, reason=ranked[index][0].reason or "frequency_cap")
        _write(ruling, ranked[index], customer=customer, now=now, params=params)


def _give(
    trigger: Trigger, eligible: Sequence[Answer], *, customer: Customer, params: Mapping[str, Any]
) -> Ruling:
    for one in eligible[:TRIES]:
        offer = one.offer
        salts = ((offer.ref, offer.holdout_share), ("every offer", params["global_holdout_share"]))
        if any(
            arm(customer=customer.ref, salt=salt, holdout_share=share) is Arm.HOLDOUT for salt, share in salts
        ):
            return Ruling(trigger=trigger, reason="holdout", winner=offer)
        has_room = Q(units__isnull=True) | Q(claimed__lt=F("units"))
        if Capacity.objects.filter(has_room, offer=offer).update(claimed=F("claimed") + 1):
            return Ruling(trigger=trigger, reason="issued", winner=offer)
    return Ruling(trigger=trigger, reason="sold_out")


def _write(
    ruling: Ruling,
    ranked: Sequence[Answer],
    *,
    customer: Customer,
    now: datetime,
    params: Mapping[str, Any],
) -> None:
    trigger, offer = ruling.trigger, ruling.winner
    coupon = None
    if offer is not None and ruling.reason == "issued":
        coupon = _write_coupon(offer, trigger, customer=customer, now=now)
        _write_message(coupon, trigger, now=now, params=params)
    decision = Decision.objects.create(
        customer=customer,
        event=trigger.event,
        event_uid=trigger.event.event_id if trigger.event else None,
        visit=trigger.visit,
        store=trigger.store,
        aisle=trigger.aisle,
        transition=trigger.transition,
        outcome="issued" if coupon else "none",
        reason=ruling.reason,
        offer=offer,
        coupon=coupon,
        candidates=[
            {
                "offer": one.offer.ref,
                "revision": one.offer.revision,
                "reason": ruling.reason if one.offer == offer else one.reason or "frequency_cap",
            }
            for one in ranked
        ],
        decided_at=now,
    )
    if offer is not None:
        Exposure.objects.create(
            customer=customer,
            offer=offer,
            revision=offer.revision,
            arm="treated" if coupon else "holdout",
            decision=decision,
            coupon=coupon,
            store=trigger.store,
            store_visit_entered_at=trigger.store_entered_at or now,
            exposed_at=now,
        )


def _write_coupon(offer: Offer, trigger: Trigger, *, customer: Customer, now: datetime) -> Coupon:
    coupon = Coupon.objects.create(
        customer=customer,
        offer=offer,
        revision=offer.revision,
        code=new_code(secrets.token_bytes),
        terms={
            "title": offer.title.get(customer.language, ""),
            "body": offer.body.get(customer.language, ""),
            "image_url": offer.image_url,
            "benefit": {
                "kind": offer.benefit_kind,
                "value_bp": offer.benefit_value,
                "currency": offer.currency,
            },
            "target": {"gtins": offer.target_gtins, "category": None, "brand": offer.target_brand},
        },
        reason="Vous achetez souvent cette marque.",
        store=trigger.store,
        aisle=trigger.aisle,
        issued_at=now,
        valid_from=now,
        valid_until=min(offer.valid_until, now + timedelta(minutes=offer.minutes_after_issue)),
    )
    CouponCode.objects.create(code=coupon.code, customer=customer, coupon=coupon)
    return coupon


def _write_message(coupon: Coupon, trigger: Trigger, *, now: datetime, params: Mapping[str, Any]) -> None:
    devices = Device.objects.filter(HAS_ADDRESS, customer=coupon.customer, active=True)
    own = devices.filter(device_id=trigger.event.device_id).first() if trigger.event else None
    freshness = timedelta(seconds=params["message_freshness_s"])
    OutboxMessage.objects.create(
        customer=coupon.customer,
        coupon=coupon,
        device=own or devices.order_by("-last_seen_at", "-pk").first(),
        created_at=now,
        due_at=now,
        expires_at=min(coupon.valid_until, now + freshness),
    )
