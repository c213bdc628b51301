"""An offer's life: draft, live, paused, ended; and what stands against publishing one."""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from django.db import transaction

from offers import locks
from offers.models import Category, Objective, Offer, OfferState, OfferStore
from offers.operations.legal import legal_reasons, refresh_legal
from offers.operations.outcomes import Refused, Written, Wrong
from offers.operations.targets import refresh_targets
from offers.operations.unit_prices import unit_price_minor
from offers.operations.yields import close_deal, instant, open_deal

LANGUAGES = ("fr", "en")
WRONG_STATE = {
    OfferState.DRAFT: "The offer is a draft: publish it first.",
    OfferState.LIVE: "The offer is live already.",
    OfferState.PAUSED: "The offer is paused: resume it or end it.",
    OfferState.ENDED: "The offer has ended.",
}


def publish_offer(*, ref: str, now: datetime, only_stores: Collection[str] = ()) -> Written[Offer] | Refused:
    """Make a draft live. Refuses not_found, wrong_state, not_publishable with every reason."""
    return _move(ref=ref, only_stores=only_stores, start={OfferState.DRAFT}, apply=_go_live, now=now)


def pause_offer(*, ref: str, now: datetime, only_stores: Collection[str] = ()) -> Written[Offer] | Refused:
    """Stop giving a live offer until it is resumed; coupons that are out stay good."""
    return _move(ref=ref, only_stores=only_stores, start={OfferState.LIVE}, apply=_pause, now=now)


def resume_offer(*, ref: str, now: datetime, only_stores: Collection[str] = ()) -> Written[Offer] | Refused:
    """Make a paused offer live again, checked as at publishing."""
    return _move(ref=ref, only_stores=only_stores, start={OfferState.PAUSED}, apply=_go_live, now=now)


def end_offer(*, ref: str, now: datetime, only_stores: Collection[str] = ()) -> Written[Offer] | Refused:
    """End a live or paused offer for good; coupons that are out stay good."""
    start = {OfferState.LIVE, OfferState.PAUSED}
    return _move(ref=ref, only_stores=only_stores, start=start, apply=_end, now=now)


def take_offer(*, ref: str, only_stores: Collection[str] = (), removed_too: bool = False) -> Offer | None:
    """Return the offer, locked until the transaction ends; None if there is none, or none of these stores alone."""
    if not locks.lock_offer(ref):
        return None
    offer = Offer.objects.get(ref=ref)
    if offer.removed_at is not None and not removed_too:
        return None
    return offer if not only_stores or is_within(offer=offer, only_stores=only_stores) else None


def is_within(*, offer: Offer, only_stores: Collection[str]) -> bool:
    """Return whether the offer holds in these stores (refs) and no other."""
    if offer.all_stores:
        return False
    return not OfferStore.objects.filter(offer=offer).exclude(store__ref__in=only_stores).exists()


def reasons_against(*, offer: Offer, now: datetime) -> tuple[Wrong, ...]:
    """Return every reason against this offer being live now; empty: none."""
    found = []
    if not any(offer.title.get(language) and offer.body.get(language) for language in LANGUAGES):
        found.append(("title", "texts_missing", "A title and a body in French or in English are needed."))
    if offer.valid_until <= now:
        found.append(("valid.until", "period_over", "The offer's period is over."))
    if offer.target_category_id and not Category.objects.filter(pk=offer.target_category_id).exists():
        found.append(("target.category", "unknown_category", "The category is gone."))
    if not offer.all_stores:
        rows = OfferStore.objects.filter(offer=offer)
        if not rows.exists():
            found.append(("stores", "no_stores", "The offer holds in no store."))
        if rows.filter(store__removed_at__isnull=False).exists():
            found.append(("stores", "unknown_store", "A store of the offer has been removed."))
    if offer.deal is not None:
        found += _against_deal(offer, now=now)
    elif offer.objective == Objective.MARGIN:
        found += _against_margin(offer)
    wrongs = tuple(Wrong(field=field, code=code, message=message) for field, code, message in found)
    return wrongs + legal_reasons(offer=offer, now=now)


def set_worth(*, offer: Offer, now: datetime) -> None:
    """Find what a unit of an offer that is weighed by its margin costs without it, and start or end its deal.

    To be called where an offer has gone live, been changed or ended, before the targets are locked.
    """
    price = unit_price_minor(offer=offer) if offer.objective == Objective.MARGIN else None
    if price != offer.unit_price_minor:
        offer.unit_price_minor = price
        offer.save(update_fields=["unit_price_minor"])
    if offer.deal is not None and offer.state == OfferState.LIVE:
        open_deal(offer=offer, now=now)
    else:
        close_deal(offer=offer, now=now)


def _against_deal(offer: Offer, *, now: datetime) -> list[tuple[str, str, str]]:
    deal = offer.deal or {}
    deadline = instant(deal["deadline"])
    found = []
    if deadline <= now:
        found.append(("deal.deadline", "deadline_over", "The deal's deadline has passed."))
    if offer.valid_until - deadline > timedelta(seconds=1):
        found.append(("valid.until", "after_deadline", "The offer ends by the deal's deadline."))
    if deal["floor_price_minor"] > deal["regular_price_minor"]:
        message = "The floor is not above the regular price."
        found.append(("deal.floor_price_minor", "floor_above_price", message))
    return found


def _against_margin(offer: Offer) -> list[tuple[str, str, str]]:
    found = []
    if offer.unit_cost_minor is None:
        message = "What a unit costs is needed to weigh an offer by its margin."
        found.append(("unit_cost_minor", "unit_cost_missing", message))
    if unit_price_minor(offer=offer) is None:
        message = "No product of the target has a price in the offer's currency."
        found.append(("target", "price_unknown", message))
    return found


def _move(
    *,
    ref: str,
    only_stores: Collection[str],
    start: Collection[str],
    apply: Callable[..., Refused | None],
    now: datetime,
) -> Written[Offer] | Refused:
    with transaction.atomic():
        offer = take_offer(ref=ref, only_stores=only_stores)
        if offer is None:
            return Refused(code="not_found")
        if offer.state not in start:
            message = WRONG_STATE[OfferState(offer.state)]
            return Refused(code="wrong_state", wrongs=(Wrong(field="", code=offer.state, message=message),))
        refused = apply(offer=offer, now=now)
        if refused is not None:
            return refused
        offer.updated_at = now
        offer.save(update_fields=["state", "published_at", "updated_at"])
        set_worth(offer=offer, now=now)
        refresh_targets([offer.pk])
        refresh_legal([offer.pk], now=now)
    return Written(row=offer, is_new=False)


def _go_live(*, offer: Offer, now: datetime) -> Refused | None:
    reasons = reasons_against(offer=offer, now=now)
    if reasons:
        return Refused(code="not_publishable", wrongs=reasons)
    offer.state = OfferState.LIVE
    offer.published_at = offer.published_at or now
    return None


def _pause(*, offer: Offer, now: datetime) -> Refused | None:
    offer.state = OfferState.PAUSED
    return None


def _end(*, offer: Offer, now: datetime) -> Refused | None:
    offer.state = OfferState.ENDED
    return None
