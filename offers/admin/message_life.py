"""A message's life in sentences for staff: what was promised, what came of each look and try, and how it ended."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join

from customers.admin.words import both, say
from customers.models import Channel
from offers.admin.lanes import PROVIDERS
from offers.gateways.port import Outcome
from offers.models import SOCKET, CouponState, MessageState, OutboxMessage, Receipt
from offers.rules.second_look import DropReason

EXACT = "j M Y, H:i:s"  # several steps happen within a minute
CHANNELS = {
    Channel.PUSH: both(en="notification", fr="notification"),
    Channel.EMAIL: both(en="e-mail", fr="e-mail"),
    Channel.SMS: both(en="SMS", fr="SMS"),
    SOCKET: both(en="the open app", fr="application ouverte"),
}
OUTCOMES: Mapping[str, Any] = {
    Outcome.ACCEPTED: both(en="taken", fr="accepté"),
    Outcome.DEAD_TOKEN: both(en="this address is dead", fr="cette adresse est morte"),
    Outcome.OUR_FAULT: both(en="refused, our fault", fr="refusé, par notre faute"),
    Outcome.TRY_LATER: both(en="not now, to be tried again", fr="pas maintenant, à réessayer"),
    Outcome.LANE_STOPPED: both(en="the provider refuses everything", fr="le fournisseur refuse tout"),
    Outcome.EXPIRED: both(en="too late, nothing was sent", fr="trop tard, rien n’est parti"),
    Outcome.OFFERED: both(en="offered to the open app", fr="proposé à l’application ouverte"),
}
# Why it was dropped (offers.rules.second_look, and whoever else takes a coupon back), or is a dead letter.
REASONS: Mapping[str, Any] = {
    DropReason.ERASED: both(en="the customer was erased", fr="le client a été effacé"),
    DropReason.EXPIRED: both(en="too late to be worth its arrival", fr="trop tard pour être utile"),
    DropReason.COUPON_NOT_ISSUED: both(en="its coupon is no longer open", fr="son coupon n’est plus valable"),
    DropReason.ALREADY_OPENED: both(
        en="the customer has opened the coupon already", fr="le client a déjà ouvert le coupon"
    ),
    DropReason.COUPON_ENDED: both(en="its coupon has run out", fr="son coupon est échu"),
    DropReason.OFFER_NOT_LIVE: both(en="the offer is not live", fr="l’offre n’est pas en cours"),
    DropReason.OFFER_ENDED: both(en="the offer is over", fr="l’offre est terminée"),
    DropReason.NO_CONSENT: both(en="the customer has not consented", fr="le client n’a pas donné son accord"),
    DropReason.CHANNEL_OFF: both(
        en="the customer wants nothing this way", fr="le client ne veut rien par cette voie"
    ),
    DropReason.PAUSED: both(en="the customer has paused offers", fr="le client a suspendu les offres"),
    DropReason.UNKNOWN_TIME_ZONE: both(
        en="the customer’s local time is not known", fr="heure locale du client inconnue"
    ),
    DropReason.QUIET_HOURS: both(en="quiet hours", fr="heures calmes"),
    DropReason.FREQUENCY_CAP: both(
        en="the customer got enough messages", fr="le client a reçu assez de messages"
    ),
    DropReason.NO_LONGER_NEAR: both(en="the customer has left the place", fr="le client a quitté les lieux"),
    DropReason.NO_DEVICE: both(en="no device can be reached", fr="aucun appareil joignable"),
    DropReason.NO_ADDRESS: both(en="there is no address", fr="il n’y a pas d’adresse"),
    DropReason.DEAD_ADDRESS: both(
        en="the address is dead, says the provider", fr="adresse morte, dit le fournisseur"
    ),
    "staff": both(en="by staff", fr="par l’équipe"),
    "deal_stopped": both(en="its deal was stopped", fr="sa dernière minute a été arrêtée"),
    "no_gateway": both(en="no provider serves this platform", fr="aucun fournisseur pour cette plateforme"),
    "malformed_terms": both(en="its terms cannot be read", fr="son contenu est illisible"),
    "our_fault": both(en="the provider refused it", fr="le fournisseur l’a refusé"),
}


def words_of(words: Mapping[str, Any], code: str) -> str:
    """Return a code in words; itself where it has none, as a provider's own has."""
    return str(words.get(code, code))


def reason_of(message: OutboxMessage) -> str | None:
    """Return why a message was dropped or given up, in words; None of any other."""
    return words_of(REASONS, message.reason) if message.reason else None


def answer_of(receipt: Receipt) -> str:
    """Return what a provider said of one try: in words, then its own code and status."""
    said = [receipt.provider_code, str(receipt.status or "")]
    told = ", ".join(part for part in said if part)
    outcome = words_of(OUTCOMES, receipt.outcome)
    return f"{outcome} ({told})" if told else outcome


def life_of(message: OutboxMessage) -> list[tuple[datetime, str]]:
    """Return the steps that a message took, each with its instant, in the order of time. One query, for the tries."""
    steps = [*_tries(message), *_answers(message), *_end(message)]
    return [(message.created_at, _promise(message)), *sorted(steps, key=lambda step: step[0])]


def shown_life(message: OutboxMessage) -> Any:
    """Return the life as a list of lines, and what the message or its coupon waits for last."""
    lines = [(_exact(at), said) for at, said in life_of(message)]
    steps = format_html_join("", '<li><span class="tabular-nums">{}</span> · {}</li>', lines)
    now = _present(message)
    return format_html("<ol>{}{}</ol>", steps, format_html("<li>{}</li>", now) if now else "")


def _promise(message: OutboxMessage) -> str:
    way, last = words_of(CHANNELS, message.channel), _exact(message.expires_at)
    return say(en=f"Promised, by {way}; too late from {last}", fr=f"Promis, par {way} ; trop tard dès {last}")


def _tries(message: OutboxMessage) -> Iterator[tuple[datetime, str]]:
    for receipt in message.receipts.order_by("id"):
        way, answer = words_of(PROVIDERS, receipt.platform), answer_of(receipt)
        yield (
            receipt.at,
            say(
                en=f"Try {receipt.attempt}: looked at again, sent by {way}: {answer}",
                fr=f"Essai {receipt.attempt} : revérifié, envoyé par {way} : {answer}",
            ),
        )


def _answers(message: OutboxMessage) -> Iterator[tuple[datetime, str]]:
    is_by_app = message.channel == SOCKET
    taken = (
        say(en="Taken by the open app", fr="Accepté par l’application ouverte")
        if is_by_app
        else say(en="Taken by the provider", fr="Accepté par le fournisseur")
    )
    known = (
        (message.accepted_at, taken),
        (message.delivered_at, say(en="Arrived", fr="Arrivé")),
        (message.opened_at, say(en="Opened by the customer", fr="Ouvert par le client")),
        (message.returned_at, say(en="Came back, says the provider", fr="Revenu, dit le fournisseur")),
    )
    yield from ((at, said) for at, said in known if at is not None)


def _end(message: OutboxMessage) -> Iterator[tuple[datetime, str]]:
    if message.finished_at is None:
        return
    reason = reason_of(message) or ""
    if message.state == MessageState.DROPPED:
        yield (
            message.finished_at,
            say(en=f"Looked at again and dropped: {reason}", fr=f"Revérifié et abandonné : {reason}"),
        )
    if message.state == MessageState.DEAD:
        yield message.finished_at, say(en=f"A dead letter: {reason}", fr=f"En échec : {reason}")


def _present(message: OutboxMessage) -> str:
    """Return what no instant is kept of: what it waits for, or that its coupon was used."""
    if message.coupon.state == CouponState.REDEEMED:
        return say(en="Redeemed at the till", fr="Utilisé en caisse")
    if message.state == MessageState.QUEUED:
        due = _exact(message.due_at)
        return say(en=f"Waits; due {due}", fr=f"En attente ; prévu {due}")
    if message.state == MessageState.SENDING:
        return say(en="Being looked at again and sent", fr="En cours de vérification et d’envoi")
    return ""


def _exact(instant: datetime) -> str:
    return date_format(timezone.localtime(instant), EXACT)
