"""Why a decision came out as it did, in words for staff: about the customer, not to them."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import get_language

from customers.admin.words import both, say
from offers.legal_texts import rule_name

REASONS: Mapping[str, Any] = {
    "issued": both(en="Sent", fr="Envoyée"),
    "no_offer": both(en="No offer was running here", fr="Aucune offre en cours ici"),
    "not_relevant": both(en="Not for this customer", fr="Pas pour ce client"),
    "no_consent": both(en="The customer has not consented", fr="Le client n’a pas donné son accord"),
    "quiet_hours": both(en="Quiet hours", fr="Heures calmes"),
    "frequency_cap": both(en="Enough messages already", fr="Déjà assez de messages"),
    "paused": both(en="Sending was paused", fr="Envois suspendus"),
    "muted": both(en="The customer muted it", fr="Coupé par le client"),
    "holdout": both(en="Held out to measure", fr="Mis à part pour mesurer"),
    "sold_out": both(en="All coupons were out", fr="Tous les coupons distribués"),
    "not_worth_sending": both(en="Not worth a notification", fr="Ne vaut pas une notification"),
    "implausible_location": both(en="Implausible position", fr="Position peu plausible"),
    "stale": both(en="The event came too late", fr="Événement arrivé trop tard"),
    "moving_too_fast": both(en="Moving too fast", fr="En déplacement trop rapide"),
    "already_issued": both(en="Had this offer already", fr="Avait déjà cette offre"),
    "legal_guard": both(en="A legal rule forbids it", fr="Une règle légale l’interdit"),
    "store_closed": both(en="The store was closed", fr="Magasin fermé"),
    "unknown_time_zone": both(en="Local time not known", fr="Heure locale inconnue"),
    "no_device": both(en="No device or address to send to", fr="Aucun appareil ni adresse joignable"),
    "budget_exhausted": both(en="The budget was used up", fr="Budget épuisé"),
}
TRANSITIONS: Mapping[str, Any] = {
    "enter": both(en="Arrived", fr="Arrivée"),
    "dwell": both(en="Stayed", fr="Arrêt"),
    "exit": both(en="Left", fr="Départ"),
    "": both(en="Event", fr="Événement"),
}


def reason_words(reason: str) -> str:
    """Return a reason in words; its code where a newer one has none yet."""
    return str(REASONS.get(reason, reason))


def candidate_words(candidate: Mapping[str, Any], *, is_winner: bool) -> str:
    """Return why one candidate won or lost, with the numbers that were compared."""
    reason = str(candidate.get("reason", ""))
    if reason == "issued" and not is_winner:
        return say(
            en="Would have done, but another offer was better", fr="Convenait, mais une autre était meilleure"
        )
    rule = rule_name(str(candidate.get("rule", "")), language=(get_language() or "en")[:2])
    return ". ".join(part for part in (reason_words(reason), rule, _numbers(reason, candidate)) if part)


def _numbers(reason: str, candidate: Mapping[str, Any]) -> str:
    share = candidate.get("affinity_share")
    if reason in ("not_relevant", "issued", "holdout") and isinstance(share, int | float):
        return _share(share=share, least=candidate.get("min_affinity_share"))
    if reason == "already_issued" and "issued_before" in candidate:
        had, may = candidate["issued_before"], candidate.get("per_customer")
        return say(en=f"{had} issued of {may} allowed", fr=f"{had} sur {may} permis")
    if reason == "sold_out":
        return say(en="0 left", fr="0 restant")
    if reason == "not_worth_sending" and isinstance(candidate.get("delta_minor"), int | float):
        return _worth(candidate)
    return ""


def _worth(candidate: Mapping[str, Any]) -> str:
    """Return what a message would have been worth, or what else stood against it."""
    delta = candidate["delta_minor"]
    if delta > 0 and candidate.get("send_now") == 0:
        return say(en="nobody is told of the deal for now", fr="personne n’en est prévenu pour l’instant")
    if delta > 0:
        return say(en="there is no discount to give", fr="aucune remise à donner")
    amount = f"{delta / 100:.2f}".replace("-", "−")
    return say(
        en=f"a message would bring {amount} in margin",
        fr=f"un message rapporterait {amount.replace('.', ',')} de marge",
    )


def _share(*, share: float, least: Any) -> str:
    percent = f"{100 * share:.1f}"
    if least is None:
        return say(
            en=f"{percent} % of their spending goes there, any share is enough",
            fr=f"{percent.replace('.', ',')} % de ses achats, toute part suffit",
        )
    wanted = f"{100 * least:g}"
    return say(
        en=f"{percent} % of their spending goes there, {wanted} % are asked for",
        fr=f"{percent.replace('.', ',')} % de ses achats, {wanted} % demandés",
    )
