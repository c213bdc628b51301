"""When a deal stops telling people, and the sentence that says so."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from scipy.special import betaincinv

SURE = 0.95  # how sure we are that messages bring too little before we stop for it


class StopReason(StrEnum):
    BY_STAFF = "by_staff"
    OVER = "over"
    SOLD_OUT = "sold_out"
    TOO_LATE = "too_late"
    PROTECTED = "protected"
    ENOUGH_DEMAND = "enough_demand"
    NOT_WORTH_IT = "not_worth_it"


SENTENCES: Mapping[StopReason, Mapping[str, str]] = {
    StopReason.BY_STAFF: {
        "fr": "Arrêtée à la main.",
        "en": "Stopped by hand.",
    },
    StopReason.OVER: {
        "fr": "L’échéance est passée.",
        "en": "The deadline has passed.",
    },
    StopReason.SOLD_OUT: {
        "fr": "Il ne reste plus rien : tout est vendu ou retenu par un coupon.",
        "en": "Nothing is left: all is sold or held by a coupon.",
    },
    StopReason.TOO_LATE: {
        "fr": "Il reste trop peu de temps pour arriver jusqu’au produit.",
        "en": "Too little time is left to get to the product.",
    },
    StopReason.PROTECTED: {
        "fr": "Ce qui reste est gardé pour les clients qui paieront le prix normal.",
        "en": "What is left is kept for customers who will pay the normal price.",
    },
    StopReason.ENOUGH_DEMAND: {
        "fr": "Ce qui reste partira tout seul : un message de plus risquerait de faire un déçu.",
        "en": "What is left will sell by itself: one more message might only disappoint somebody.",
    },
    StopReason.NOT_WORTH_IT: {
        "fr": "Presque personne ne répond : un message rapporte moins que l’attention qu’il coûte.",
        "en": "Hardly anybody answers: a message brings less than the attention that it costs.",
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What speaks for stopping or going on."""

    minutes_left: float  # to the deadline, or to the end of the offer if that comes first
    lead_min: float  # from the message to the product: the way there and the stay that fires it
    depth_bp: int  # of the present price; 0: nothing would be sent now anyway
    free_units: int  # held by no coupon
    protected_units: int  # kept for customers of the normal price
    worth_sending: int  # N*
    gain_minor: float  # of one redeemed message, what its unit is worth otherwise taken off
    attention_minor: float  # what one message costs in attention
    redeemed: float  # Beta's first number for the response, the prior's included
    ignored: float  # Beta's second


def stop_reason(standing: Standing) -> StopReason | None:
    """Return why a deal stops now; None: it goes on. A stop ends by itself when its reason does.

    Where no discount is the best price, nothing is sent, and only what no later price can mend is a reason to stop.
    """
    if standing.minutes_left <= 0:
        return StopReason.OVER
    if standing.free_units <= 0:
        return StopReason.SOLD_OUT
    if standing.minutes_left < standing.lead_min:
        return StopReason.TOO_LATE
    if standing.depth_bp == 0:
        return None
    if standing.free_units <= standing.protected_units:
        return StopReason.PROTECTED
    if standing.worth_sending <= 0:
        return StopReason.ENOUGH_DEMAND
    return None if _may_pay(standing) else StopReason.NOT_WORTH_IT


def _may_pay(standing: Standing) -> bool:
    """Whether a message may bring what it costs, at the highest response that what was seen leaves room for."""
    highest = float(betaincinv(standing.redeemed, standing.ignored, SURE))
    return highest * standing.gain_minor > standing.attention_minor
