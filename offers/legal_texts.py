"""What the legal guard says, in French and in English: to staff about an offer, to customers about their coupon."""

from collections.abc import Mapping
from typing import Any

from offers.rules.legal_values import Finding, Rule
from offers.texts import in_language

# The name of each rule, as staff see it.
NAMES: Mapping[Rule, Mapping[str, str]] = {
    Rule.PROMOTION_CAP: {"fr": "Plafond des promotions", "en": "Cap on promotions"},
    Rule.LOWEST_PRICE: {"fr": "Prix le plus bas des 30 jours", "en": "Lowest price of 30 days"},
    Rule.BELOW_COST: {"fr": "Revente à perte", "en": "Sale below cost"},
    Rule.FREE_WORD: {"fr": "Le mot « gratuit »", "en": "The word “free”"},
    Rule.SENSITIVE_TARGET: {"fr": "Ciblage sensible", "en": "Sensitive targeting"},
    Rule.MINORS: {"fr": "Moins de 15 ans", "en": "Under 15"},
}
_GOODS = {
    "food": {"fr": "les denrées alimentaires", "en": "food"},
    "household": {"fr": "les autres produits de grande consommation", "en": "other everyday goods"},
}
_PERISHABLE = {
    "fr": "Seuls des produits périssables, menacés d’altération rapide et annoncés uniquement en magasin, y échappent.",
    "en": "Only perishable goods about to spoil, announced inside the store alone, are exempt.",
}
_SENTENCES: Mapping[str, Mapping[str, str]] = {
    "over_the_cap": {
        "fr": "La remise atteint {share} du prix{price} ; {goods} admettent {max_share} au plus. {perishable}",
        "en": "The reduction reaches {share} of the price{price}; {goods} may be reduced by {max_share}. {perishable}",
    },
    "price_unknown": {
        "fr": "Faute d’un prix connu, la part de la remise n’a pu être vérifiée : renseignez les prix des produits visés.",
        "en": "Without a known price the share of the reduction could not be checked: enter the prices of its products.",
    },
    "raised_before": {
        "fr": "Le prix du produit {gtin} est {price} ; le plus bas des 30 jours avant la remise était {reference}. La remise "
        "doit partir du plus bas.",
        "en": "The price of product {gtin} is {price}; the lowest of the 30 days before the reduction was {reference}. The "
        "reduction must start from the lowest.",
    },
    "below_cost": {
        "fr": "Il resterait {left} à payer, moins que le seuil de revente à perte de {floor} (coût {cost}). {perishable}",
        "en": "{left} would be left to pay, below the least lawful price of {floor} (cost {cost}). {perishable}",
    },
    "called_free": {
        "fr": "Les textes disent « {word} » : retirez ce mot. « Offert » est permis.",
        "en": "The texts say “{word}”: take the word out. The French “offert” is allowed.",
    },
    "targets_health": {
        "fr": "L’offre vise des produits de santé : elle dirait quelque chose de la santé de qui la reçoit.",
        "en": "The offer targets health goods: it would tell something of the health of those who get it.",
    },
    "targets_pharmacy": {
        "fr": "L’offre vise des produits de pharmacie : elle dirait quelque chose de la santé de qui la reçoit.",
        "en": "The offer targets pharmacy goods: it would tell something of the health of those who get it.",
    },
    "targets_religion": {
        "fr": "L’offre vise des produits liés à une religion : elle dirait quelque chose de la foi de qui la reçoit.",
        "en": "The offer targets goods tied to a religion: it would tell something of the faith of those who get it.",
    },
}
_SYMBOLS = {"EUR": "€", "GBP": "£", "USD": "$"}
PERSONAL_PRICE: Mapping[str, str] = {
    "fr": "Prix personnel ; le prix de base est le même pour tous.",
    "en": "A personal price; the base price is the same for everybody.",
}


def finding_texts(finding: Finding, *, currency: str) -> dict[str, str]:
    """Return what stands against the offer and what to do, by language; the rule's name first."""
    return {
        language: _finding_text(finding, currency=currency, language=language) for language in ("fr", "en")
    }


def rule_name(rule: str, *, language: str) -> str:
    """Return a rule's name; its code where a newer one has none yet."""
    return in_language(NAMES[Rule(rule)], language=language) if rule in set(Rule) else rule


def personal_price(*, is_personal: bool, language: str) -> str:
    """Return the notice that a price is personal; empty for one that is not."""
    return in_language(PERSONAL_PRICE, language=language) if is_personal else ""


def _finding_text(finding: Finding, *, currency: str, language: str) -> str:
    numbers = finding.numbers
    price = numbers.get("price_minor")
    of_price = {"fr": " (le moins favorable : {})", "en": " (at worst: {})"}[language]
    said: dict[str, Any] = {
        "share": _percent(numbers.get("share"), language=language),
        "max_share": _percent(numbers.get("max_share"), language=language),
        "goods": _GOODS.get(str(numbers.get("goods")), {}).get(language, ""),
        "perishable": _PERISHABLE[language],
        "gtin": numbers.get("gtin"),
        "word": numbers.get("word"),
    }
    for name in ("price", "reference", "left", "floor", "cost"):
        said[name] = _money(numbers.get(f"{name}_minor"), currency=currency, language=language)
    if finding.code == "over_the_cap":
        said["price"] = of_price.format(said["price"]) if price is not None else ""
    sentence = _SENTENCES[finding.code][language].format(**said).strip()
    colon = {"fr": " : ", "en": ": "}[language]
    return f"{NAMES[finding.rule][language]}{colon}{sentence}"


def _percent(share: Any, *, language: str) -> str:
    if share is None:
        return ""
    percent = f"{100 * share:.4g}"
    return f"{percent.replace('.', ',')} %" if language == "fr" else f"{percent}%"


def _money(minor: Any, *, currency: str, language: str) -> str:
    if minor is None:
        return ""
    amount = f"{minor / 100:.2f}"
    if language == "fr":
        return f"{amount.replace('.', ',')} {_SYMBOLS.get(currency, currency)}"
    return f"{_SYMBOLS[currency]}{amount}" if currency in _SYMBOLS else f"{amount} {currency}"
