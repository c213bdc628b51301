"""Why a customer got an offer, or did not: one plain sentence per reason, in French and in English.

Used by the coupon's `reason`, by /v1/coupons/{code}/why, /v1/me/decisions and the admin. A sentence names nothing but
the offer's own target: a lock screen may show it.
"""

from collections.abc import Mapping

from offers.flow import Candidate, OfferTerms

OFTEN_SHARE = 0.05  # of what the customer spends; below it "already" is the honest word
FALLBACK = "fr"
MAX_CHARS = 300  # of a coupon's reason

# What came of a decision, said to the customer. Keys: API.md's reasons.
OUTCOMES: Mapping[str, Mapping[str, str]] = {
    "issued": {
        "fr": "Une offre vous a été envoyée.",
        "en": "An offer was sent to you.",
    },
    "no_offer": {
        "fr": "Aucune offre n’était en cours à cet endroit.",
        "en": "No offer was running at this place.",
    },
    "not_relevant": {
        "fr": "Les offres d’ici ne correspondent pas à ce que vous achetez.",
        "en": "The offers here do not match what you buy.",
    },
    "no_consent": {
        "fr": "Vous n’avez pas donné l’accord dont cette offre a besoin.",
        "en": "You have not given the consent that this offer needs.",
    },
    "quiet_hours": {
        "fr": "C’était pendant vos heures calmes.",
        "en": "It was during your quiet hours.",
    },
    "frequency_cap": {
        "fr": "Vous aviez déjà reçu assez de messages.",
        "en": "You had already been sent enough messages.",
    },
    "paused": {
        "fr": "L’envoi d’offres était suspendu.",
        "en": "Sending of offers was paused.",
    },
    "muted": {
        "fr": "Vous avez choisi de ne rien recevoir de cette marque ou de cette catégorie.",
        "en": "You chose to hear nothing of this brand or category.",
    },
    "holdout": {
        "fr": "Une petite part des clients ne reçoit pas cette offre, pour mesurer si elle est utile.",
        "en": "A small share of customers does not get this offer, to measure whether it is of use.",
    },
    "sold_out": {
        "fr": "Tous les coupons de cette offre étaient déjà distribués.",
        "en": "All coupons of this offer had already been given out.",
    },
    "not_worth_sending": {
        "fr": "L’offre ne vous aurait pas assez apporté pour mériter une notification.",
        "en": "The offer would not have been worth a notification to you.",
    },
    "implausible_location": {
        "fr": "La position reçue de votre téléphone n’était pas plausible.",
        "en": "The position that your phone reported was not plausible.",
    },
    "stale": {
        "fr": "L’information de votre téléphone est arrivée trop tard.",
        "en": "What your phone reported came too late.",
    },
    "moving_too_fast": {
        "fr": "Vous vous déplaciez trop vite pour être dérangé.",
        "en": "You were moving too fast to be disturbed.",
    },
    "already_issued": {
        "fr": "Vous avez déjà reçu cette offre.",
        "en": "You already got this offer.",
    },
    "legal_guard": {
        "fr": "Une règle de protection interdit de vous envoyer cette offre.",
        "en": "A rule that protects customers forbids sending you this offer.",
    },
    "store_closed": {
        "fr": "Le magasin était fermé.",
        "en": "The store was closed.",
    },
    "unknown_time_zone": {
        "fr": "Votre heure locale ou celle du magasin est inconnue.",
        "en": "Your local time or the store’s is not known.",
    },
    "no_device": {
        "fr": "Nous n’avions aucun moyen de vous joindre : ni appareil, ni adresse.",
        "en": "There was no way to reach you: no device and no address.",
    },
    "budget_exhausted": {
        "fr": "Le budget de cette offre était épuisé.",
        "en": "The budget of this offer was used up.",
    },
}

_WHY = {
    "brand_often": {"fr": "Vous achetez souvent {of_name}.", "en": "You often buy {name}."},
    "brand": {"fr": "Vous avez déjà acheté {of_name}.", "en": "You have bought {name} before."},
    "category_often": {
        "fr": "Vous achetez souvent dans la catégorie « {name} ».",
        "en": "You often buy from “{name}”.",
    },
    "category": {
        "fr": "Vous avez déjà acheté dans la catégorie « {name} ».",
        "en": "You have bought from “{name}” before.",
    },
    "product_often": {"fr": "Vous achetez souvent ce produit.", "en": "You often buy this product."},
    "product": {"fr": "Vous avez déjà acheté ce produit.", "en": "You have bought this product before."},
    "like_it": {
        "fr": "Vous achetez déjà des produits de la même marque.",
        "en": "You already buy products of the same brand.",
    },
    "discovery": {
        "fr": "C’est une occasion de découvrir ce produit.",
        "en": "It is an occasion to discover this product.",
    },
    "topic": {"fr": "Vous suivez un thème de cette offre.", "en": "You follow a topic of this offer."},
    "everybody": {
        "fr": "Cette offre est ouverte à tous les clients de ce magasin.",
        "en": "This offer is open to every customer of this store.",
    },
    # weighed by its margin: it went to those whom it pays to tell, whatever they bought
    "deal": {
        "fr": "C’est une offre de dernière minute, faite à une partie des clients présents.",
        "en": "It is a last-minute offer, made to some of the customers who are here.",
    },
    "some": {
        "fr": "Cette offre est faite à une partie des clients de ce magasin.",
        "en": "This offer is made to some of the customers of this store.",
    },
}


def why_none(*, reason: str, language: str) -> str:
    """Return what came of a decision, for the customer. Raises KeyError for a reason that API.md does not name."""
    return in_language(OUTCOMES[reason], language=language)


def why_issued(
    *,
    candidate: Candidate,
    terms: OfferTerms,
    topics: frozenset[str],
    uses_history: bool,
    language: str,
    notice: str = "",
) -> str:
    """Return why this customer got this offer, and after that the notice (that its price is personal).

    Purchase history is named only where it was used with consent.
    """
    name = terms.target_name
    key = _why_key(candidate=candidate, terms=terms, topics=topics, uses_history=uses_history)
    sentence = in_language(_WHY[key], language=language).format(name=name, of_name=_some(name))
    if len(f"{sentence} {notice}") > MAX_CHARS:
        sentence = in_language(_WHY["like_it"], language=language)
    return f"{sentence} {notice}".rstrip()


def in_language(texts: Mapping[str, str], *, language: str) -> str:
    """Return the text in this language, else in French, else in any; empty if there is none.

    >>> in_language({"en": "Yoghurt"}, language="fr")
    'Yoghurt'
    """
    found = texts.get(language) or texts.get(FALLBACK)
    return found or next((text for text in texts.values() if text), "")


def _why_key(*, candidate: Candidate, terms: OfferTerms, topics: frozenset[str], uses_history: bool) -> str:
    if uses_history and candidate.affinity_share > 0:
        often = "_often" if candidate.affinity_share >= OFTEN_SHARE else ""
        if terms.target_category is not None:
            return "category" + often
        if terms.target_gtins and candidate.exact_share > 0:
            return "product_often" if candidate.exact_share >= OFTEN_SHARE else "product"
        return "brand" + often if terms.target_name else "like_it"
    if uses_history and terms.never_bought:
        return "discovery"
    if topics & terms.topics:
        return "topic"
    if terms.is_deal:
        return "deal"
    return "everybody" if terms.objective == "reward" else "some"


def _some(name: str) -> str:
    """Return a brand with the French article of a part.

    >>> _some("Danone"), _some("Activia")
    ('du Danone', 'de l’Activia')
    """
    return f"de l’{name}" if name[:1].casefold() in "aeiouyàâéèêëîïôöûü" and name else f"du {name}"
