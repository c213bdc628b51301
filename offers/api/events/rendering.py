"""Results as phones read them; the one renderer of the REST door and the socket."""

from collections.abc import Sequence
from typing import Any

from customers.api.fields import rfc3339
from offers.flow import CouponIssued, DecisionMade, EventResult, Place


def render_results(results: Sequence[EventResult]) -> list[dict[str, Any]]:
    """Return one JSON object a result, in the same order."""
    return [
        {
            "id": result.event_id,
            "status": result.status,
            "error": result.error,
            "decisions": [_decision(made) for made in result.decisions],
        }
        for result in results
    ]


def _decision(made: DecisionMade) -> dict[str, Any]:
    return {
        "transition": made.transition,
        "place": render_place(made.place),
        "outcome": made.outcome,
        "reason": made.reason,
        "coupon": render_coupon(made.coupon) if made.coupon else None,
    }


def render_place(place: Place | None) -> dict[str, Any] | None:
    return {"kind": place.kind, "store": place.store_ref, "aisle": place.aisle_ref} if place else None


def render_coupon(coupon: CouponIssued) -> dict[str, Any]:
    return {
        "code": coupon.code,
        "state": coupon.state,
        "offer": coupon.offer,
        "title": coupon.title,
        "body": coupon.body,
        "image_url": coupon.image_url,
        "benefit": dict(coupon.benefit),
        "target": dict(coupon.target),
        "store": coupon.store,
        "aisle": coupon.aisle,
        "issued_at": rfc3339(coupon.issued_at),
        "valid_from": rfc3339(coupon.valid_from),
        "valid_until": rfc3339(coupon.valid_until),
        "reason": coupon.reason,
        "notice": coupon.notice or None,
        "reference_prices": list(coupon.reference_prices),
    }
