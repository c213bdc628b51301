"""What the legal guard says of an offer, on its page."""

from datetime import datetime

from customers.admin.words import say
from offers.legal_texts import finding_texts
from offers.models import Offer
from offers.operations.legal import findings_of


def law_words(offer: Offer, *, now: datetime) -> list[str]:
    """Return one sentence per finding, those that forbid first; empty: nothing is against it."""
    said = []
    for finding in sorted(findings_of(offer, now=now), key=lambda one: not one.forbids):
        texts = finding_texts(finding, currency=offer.currency)
        sign = "⚠" if finding.forbids else "ℹ"
        said.append(f"{sign} {say(en=texts['en'], fr=texts['fr'])}")
    return said
