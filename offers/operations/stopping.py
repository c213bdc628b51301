"""Stopping a last-minute deal by hand."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from offers.models import DealState, Offer, OfferState
from offers.operations.outcomes import Refused, Written, Wrong
from offers.operations.publishing import WRONG_STATE, take_offer
from offers.operations.yields import drop_stopped
from offers.operations.yields.writing import set_waves, shown_with
from offers.rules.yields.stopping import StopReason


def stop_deal(*, ref: str, now: datetime, only_stores: Collection[str] = ()) -> Written[Offer] | Refused:
    """Stop telling people of a live deal: what waits to be sent is dropped, coupons that are out stay good.

    It goes on when the offer is published anew: paused and resumed, or changed. Refuses not_found, not_a_deal,
    wrong_state. Must not run inside a transaction: messages are locked before capacities.
    """
    with transaction.atomic():
        offer = take_offer(ref=ref, only_stores=only_stores)
        if offer is None:
            return Refused(code="not_found")
        if offer.deal is None:
            message = "Only a last-minute deal is stopped; pause or end the offer."
            return Refused(code="not_a_deal", wrongs=(Wrong(field="", code="not_a_deal", message=message),))
        if offer.state != OfferState.LIVE:
            message = WRONG_STATE[OfferState(offer.state)]
            return Refused(code="wrong_state", wrongs=(Wrong(field="", code=offer.state, message=message),))
        shown = DealState.objects.values_list("shown", flat=True).get(offer=offer)
        DealState.objects.filter(offer=offer).update(
            is_open=False,
            is_stopped=True,
            stop_reason=StopReason.BY_STAFF,
            send_now=0,
            shown=shown_with(shown, None, now=now),
        )
        set_waves({offer.pk: (0, 0)})
    drop_stopped(now=now)
    return Written(row=offer, is_new=False)
