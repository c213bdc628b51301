"""What was learned, in words for staff: the parts of a next basket's chance, and the weights of a response model."""

from collections.abc import Mapping
from typing import Any

from customers.admin.words import both, say

LEAST_PART = 0.1  # log-odds: less does not speak for a product

EVIDENCE: Mapping[str, Any] = {
    "own": both(en="bought before", fr="déjà acheté"),
    "alike": both(en="bought by similar customers", fr="acheté par des clients semblables"),
    "together": both(en="goes with what they buy", fr="va avec ses achats"),
    "popular": both(en="popular", fr="populaire"),
}
COLUMNS: Mapping[str, Any] = {
    "constant": both(en="buying anyway, at all", fr="achat sans envoi, de base"),
    "personal_rate": both(en="answered before", fr="a déjà répondu"),
    "offer_rate": both(en="others answered this offer", fr="d’autres ont répondu à cette offre"),
    "affinity": both(en="spends on it", fr="part de ses dépenses"),
    "basket_chance": both(en="in the next basket anyway", fr="de toute façon au prochain panier"),
    "basket_unknown": both(en="next basket not asked for", fr="prochain panier non demandé"),
    "due": both(en="due to be bought again", fr="bientôt à racheter"),
    "distance": both(en="kilometres away", fr="kilomètres de distance"),
    "push_stranger": both(en="a push to who buys nothing of it", fr="un envoi à qui n’en achète pas"),
    "push_depth": both(en="depth of the discount × elasticity", fr="ampleur de la remise × élasticité"),
    "push_discounts": both(en="depth, for who likes discounts", fr="remise, pour qui les aime"),
    "push_distance": both(en="kilometres, with a push", fr="kilomètres, avec un envoi"),
    "push_urgency": both(en="little time left", fr="peu de temps restant"),
    "push_ignored": both(en="messages ignored in a row", fr="messages ignorés de suite"),
}


def evidence_words(**parts: float) -> str:
    """Return what speaks for a product, the strongest first; parts: log-odds by their name in EVIDENCE."""
    strong = sorted((name for name in parts if parts[name] >= LEAST_PART), key=lambda name: -parts[name])
    return ", ".join(str(EVIDENCE[name]) for name in strong)


def weight_words(name: str, weight: float) -> tuple[str, str]:
    """Return a weight's column in words, and which way it moves the chance."""
    if not weight:
        return str(COLUMNS.get(name, name)), say(en="no effect", fr="sans effet")
    way = say(en="raises", fr="augmente") if weight > 0 else say(en="lowers", fr="diminue")
    return str(COLUMNS.get(name, name)), way
