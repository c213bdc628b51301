"""Offers said in one sentence: what is given, on what, where, how many are left, until when."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import get_language

from customers.admin.money import money
from customers.admin.words import both, say
from offers.models import BenefitKind, Offer, OfferState, TriggerOn, TriggerPlaces
from offers.texts import in_language

STATES = {
    OfferState.DRAFT: both(en="Draft", fr="Brouillon"),
    OfferState.LIVE: both(en="Live", fr="En cours"),
    OfferState.PAUSED: both(en="Paused", fr="En pause"),
    OfferState.ENDED: both(en="Ended", fr="Terminée"),
}


def sentence(offer: Offer, *, now: datetime) -> str:
    """Return the offer in one sentence. Reads stores and capacity that queries.promotions.list_offers brings along."""
    parts = [f"{benefit_words(offer)} {target_words(offer)}", where_words(offer), left_words(offer)]
    return ", ".join(part for part in [*parts, until_words(offer, now=now)] if part)


def benefit_words(offer: Any) -> str:
    """Return what is given, such as "−20 %"; of a last-minute deal, at its present depth."""
    if getattr(offer, "deal", None) is not None:
        state = getattr(offer, "deal_state", None)
        if state is None or state.depth_bp == 0:
            return say(en="Last minute", fr="Dernière minute")
        percent = f"{state.depth_bp / 100:g}"
        return say(en=f"Last minute −{percent} %", fr=f"Dernière minute −{percent.replace('.', ',')} %")
    if offer.benefit_kind == BenefitKind.PERCENT:
        percent = f"{offer.benefit_value / 100:g}"
        return say(en=f"−{percent} %", fr=f"−{percent.replace('.', ',')} %")
    amount = money(minor=offer.benefit_value, currency=offer.currency)
    return (
        f"−{amount}"
        if offer.benefit_kind == BenefitKind.AMOUNT
        else say(en=f"{amount} for", fr=f"{amount} pour")
    )


def target_words(offer: Offer) -> str:
    """Return on what, after benefit_words: "on Nestlé"."""
    on = "" if offer.benefit_kind == BenefitKind.PRICE else say(en="on ", fr="sur ")
    if offer.target_category is not None:
        return on + offer.target_category.name
    if offer.target_brand:
        return on + offer.target_brand
    count = len(offer.target_gtins)
    if count == 1:
        return on + say(en=f"product {offer.target_gtins[0]}", fr=f"le produit {offer.target_gtins[0]}")
    return on + say(en=f"{count} products", fr=f"{count} produits")


def where_words(offer: Offer) -> str:
    if offer.all_stores:
        return say(en="in every store", fr="dans tous les magasins")
    count = len(offer.offer_stores.all())
    if count == 0:
        return say(en="in no store", fr="dans aucun magasin")
    return (
        say(en=f"in {count} stores", fr=f"dans {count} magasins")
        if count > 1
        else say(en="in 1 store", fr="dans 1 magasin")
    )


def left_words(offer: Offer) -> str:
    capacity = getattr(offer, "capacity", None)
    if capacity is None or capacity.units is None:
        return say(en="no limit", fr="sans limite")
    left = capacity.units - capacity.claimed
    if left <= 0:
        return say(en="none left", fr="épuisée")
    return say(en=f"{left} left", fr=f"{left} restants") if left > 1 else say(en="1 left", fr="1 restant")


def until_words(offer: Offer, *, now: datetime) -> str:
    """Return until when, on the staff's clock: the hour alone on the same day."""
    until, today = timezone.localtime(offer.valid_until), timezone.localtime(now).date()
    if offer.valid_until <= now:
        return say(en=f"over since {until:%d %b %H:%M}", fr=f"échue depuis le {until:%d/%m %H:%M}")
    if until.date() == today:
        return say(en=f"until {until:%H:%M}", fr=f"jusqu’à {until:%H:%M}")
    return say(en=f"until {until.day} {until:%b %Y %H:%M}", fr=f"jusqu’au {until:%d/%m/%Y %H:%M}")


def trigger_words(offer: Offer) -> str:
    """Return when a phone gets it."""
    aisle = offer.trigger_places == TriggerPlaces.AISLE
    if offer.trigger_on == TriggerOn.DWELL:
        return say(
            en="when somebody stays in the aisle" if aisle else "when somebody stays in the store",
            fr="quand on s’arrête dans le rayon" if aisle else "quand on reste dans le magasin",
        )
    return say(
        en="when somebody passes the aisle" if aisle else "when somebody enters the store",
        fr="quand on passe dans le rayon" if aisle else "quand on entre dans le magasin",
    )


def audience_words(offer: Offer) -> str:
    """Return whom it is for."""
    said = []
    if offer.never_bought:
        said.append(say(en="who never bought it", fr="qui ne l’ont jamais acheté"))
    elif offer.bought_within_days is not None:
        days = offer.bought_within_days
        said.append(
            say(en=f"who bought it in the last {days} days", fr=f"qui l’ont acheté ces {days} derniers jours")
        )
    elif offer.min_affinity_share is None:
        said.append(say(en="who bought from it before", fr="qui en ont déjà acheté"))
    if offer.min_affinity_share:
        percent = f"{100 * offer.min_affinity_share:g}"
        said.append(
            say(en=f"who spend {percent} % on it", fr=f"qui y consacrent {percent} % de leurs achats")
        )
    if offer.segments:
        said.append(say(en="in " + ", ".join(offer.segments), fr="du segment " + ", ".join(offer.segments)))
    if offer.topics:
        said.append(
            say(en="who follow " + ", ".join(offer.topics), fr="qui suivent " + ", ".join(offer.topics))
        )
    if not said:
        return say(en="for every customer", fr="pour tous les clients")
    return say(en="for customers ", fr="pour les clients ") + say(en=" and ", fr=" et ").join(said)


def title_of(texts: Any) -> str:
    """Return an offer's title in the reader's language."""
    return in_language(texts or {}, language=(get_language() or "en")[:2])
