"""What the legal guard says of an offer, as its answer shows it."""

from typing import Any

from django.conf import settings
from django.utils import timezone

from offers.legal_texts import finding_texts
from offers.models import Offer
from offers.rules.legal import check, facts_from_json, shown_references
from offers.rules.legal_values import LegalRules


def legal_json(offer: Offer) -> dict[str, Any]:
    """Return today's findings and the prices that must be shown; its facts come with queries.promotions."""
    kept = getattr(offer, "legal", None)
    if kept is None:
        return {"findings": [], "reference_prices": []}
    facts, rules, now = facts_from_json(kept.facts), LegalRules.of(settings.RAYON), timezone.now()
    return {
        "findings": [
            {
                "rule": finding.rule.value,
                "code": finding.code,
                "forbids": finding.forbids,
                "messages": finding_texts(finding, currency=offer.currency),
            }
            for finding in check(facts, rules=rules, now=now)
        ],
        "reference_prices": [
            {"gtin": one.gtin, "price_minor": one.reference_minor, "currency": offer.currency}
            for one in shown_references(facts, rules=rules, now=now)
        ],
    }
