"""What an operation refused, in sentences that say what to do about it."""

from collections.abc import Mapping
from typing import Any

from customers.admin.words import both, say
from offers.operations.outcomes import Refused, Wrong

# Keys: Wrong.code, or where that is the offer's state, the state.
SENTENCES: Mapping[str, Any] = {
    "unknown_category": both(en="Choose a category that exists.", fr="Choisissez une catégorie qui existe."),
    "category_cycle": both(
        en="A category cannot stand under itself: choose another parent.",
        fr="Une catégorie ne peut pas être sous elle-même : choisissez un autre parent.",
    ),
    "category_too_deep": both(
        en="The tree would be over 16 levels deep: choose a higher parent.",
        fr="L’arbre aurait plus de 16 niveaux : choisissez un parent plus haut.",
    ),
    "unknown_store": both(
        en="A chosen store was removed: take it out of the list.",
        fr="Un magasin choisi a été retiré : enlevez-le de la liste.",
    ),
    "units_below_claimed": both(
        en="More coupons than that are already out: enter at least as many.",
        fr="Plus de coupons sont déjà distribués : indiquez au moins ce nombre.",
    ),
    "budget_below_spent": both(
        en="More than that is already spent: enter at least as much.",
        fr="Une somme plus grande est déjà dépensée : indiquez au moins celle-ci.",
    ),
    "texts_missing": both(
        en="Write a title and a text in French or in English.",
        fr="Écrivez un titre et un texte en français ou en anglais.",
    ),
    "period_over": both(
        en="The offer’s time is over: choose a later end.",
        fr="L’offre est échue : choisissez une fin plus tardive.",
    ),
    "no_stores": both(en="Choose at least one store.", fr="Choisissez au moins un magasin."),
    "deadline_over": both(
        en="The deadline has passed: choose a later one.",
        fr="L’échéance est passée : choisissez-en une autre.",
    ),
    "after_deadline": both(
        en="The offer would outlive its deadline: let it end by then.",
        fr="L’offre dépasserait son échéance : faites-la finir avant.",
    ),
    "floor_above_price": both(
        en="The lowest price is above the normal price: lower it.",
        fr="Le prix plancher dépasse le prix normal : baissez-le.",
    ),
    "unit_cost_missing": both(
        en="An offer weighed by its margin needs what a unit costs.",
        fr="Une offre pesée par la marge a besoin du coût d’une unité.",
    ),
    "price_unknown": both(
        en="No product of the target has a price: enter it in the catalogue.",
        fr="Aucun produit de la cible n’a de prix : saisissez-le au catalogue.",
    ),
    "not_a_deal": both(
        en="Only a last-minute deal can be stopped: pause or end this offer.",
        fr="Seule une offre de dernière minute s’arrête : mettez celle-ci en pause ou terminez-la.",
    ),
    "beacon_taken": both(
        en="A beacon belongs to another aisle: take it out there first.",
        fr="Une balise appartient à un autre rayon : enlevez-la d’abord là-bas.",
    ),
    "wrong_state": both(
        en="The offer has ended and cannot be changed: make a new one.",
        fr="L’offre est terminée et ne peut plus changer : créez-en une autre.",
    ),
    "draft": both(
        en="The offer is a draft: publish it first.", fr="L’offre est un brouillon : publiez-la d’abord."
    ),
    "live": both(en="The offer is live already.", fr="L’offre est déjà en cours."),
    "paused": both(
        en="The offer is paused: resume it or end it.",
        fr="L’offre est en pause : reprenez-la ou terminez-la.",
    ),
    "ended": both(
        en="The offer has ended for good: make a new one.", fr="L’offre est terminée : créez-en une autre."
    ),
}


def sentence_of(wrong: Wrong) -> str:
    """Return what to do about one reason; the operation's own sentence where there is no better one."""
    if wrong.messages:
        return say(en=wrong.messages["en"], fr=wrong.messages["fr"])
    return str(SENTENCES.get(wrong.code, wrong.message))


def sentences_of(refused: Refused) -> str:
    """Return everything that stands against it, as one text."""
    if refused.wrongs:
        return " ".join(dict.fromkeys(sentence_of(wrong) for wrong in refused.wrongs))
    return say(
        en="It is not there any more: reload the list.", fr="Cet élément n’existe plus : rechargez la liste."
    )
