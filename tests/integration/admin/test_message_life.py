"""A message's life as an operator reads it, in both languages."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from offers.admin.message_life import OUTCOMES, REASONS, life_of, reason_of, shown_life
from offers.gateways.port import Outcome
from offers.models import OutboxMessage, Receipt
from offers.operations.staff import OPERATORS
from offers.operations.yields import DROP_REASON
from offers.rules.second_look import DropReason
from tests.integration.admin.rows import a_coupon, a_message

pytestmark = pytest.mark.django_db

SignIn = Callable[[str], Client]
MINUTE = timedelta(minutes=1)


def a_try(message: OutboxMessage, *, at: datetime, **changed: Any) -> Receipt:
    values = {"platform": "apns", "attempt": 1, "outcome": "accepted", "at": at}
    return Receipt.objects.create(message=message, customer=message.customer, **{**values, **changed})


def told(message: OutboxMessage, *, language: str) -> list[str]:
    with translation.override(language):
        return [said for _, said in life_of(message)]


def test_a_message_that_arrived_tells_each_step_in_the_order_of_time(now: datetime) -> None:
    message = a_message(now=now, state="sent", lane="apns", attempts=2, accepted_at=now + 3 * MINUTE)
    message.delivered_at, message.opened_at = now + 4 * MINUTE, now + 5 * MINUTE
    message.returned_at = now + 6 * MINUTE
    message.finished_at = now + 3 * MINUTE
    a_try(message, at=now + MINUTE, outcome="try_later", provider_code="TooManyRequests", status=429)
    a_try(message, at=now + 2 * MINUTE, attempt=2, status=200)

    english, french = told(message, language="en"), told(message, language="fr")

    assert english[0].startswith("Promised, by notification; too late from ")
    assert english[1:] == [
        "Try 1: looked at again, sent by iPhone (APNs): not now, to be tried again (TooManyRequests, 429)",
        "Try 2: looked at again, sent by iPhone (APNs): taken (200)",
        "Taken by the provider",
        "Arrived",
        "Opened by the customer",
        "Came back, says the provider",
    ]
    assert french[0].startswith("Promis, par notification ; trop tard dès ")
    assert french[1:] == [
        "Essai 1 : revérifié, envoyé par iPhone (APNs) : pas maintenant, à réessayer (TooManyRequests, 429)",
        "Essai 2 : revérifié, envoyé par iPhone (APNs) : accepté (200)",
        "Accepté par le fournisseur",
        "Arrivé",
        "Ouvert par le client",
        "Revenu, dit le fournisseur",
    ]


@pytest.mark.parametrize(
    ("changed", "english", "french"),
    [
        (
            {"state": "dropped", "reason": "no_longer_near"},
            "Looked at again and dropped: the customer has left the place",
            "Revérifié et abandonné : le client a quitté les lieux",
        ),
        (
            {"state": "dead", "reason": "payload_too_large"},
            "A dead letter: payload_too_large",
            "En échec : payload_too_large",
        ),
    ],
)
def test_a_message_that_never_left_says_why(
    now: datetime, changed: dict[str, Any], english: str, french: str
) -> None:
    message = a_message(now=now, finished_at=now + MINUTE, **changed)

    assert told(message, language="en")[1:] == [english]
    assert told(message, language="fr")[1:] == [french]


@pytest.mark.parametrize(
    ("state", "english", "french"),
    [
        ("queued", "Waits; due ", "En attente ; prévu "),
        ("sending", "Being looked at again and sent", "En cours de vérification et d’envoi"),
    ],
)
def test_a_message_under_way_says_what_it_waits_for(
    now: datetime, state: str, english: str, french: str
) -> None:
    message = a_message(now=now, state=state)

    for language, words in (("en", english), ("fr", french)):
        with translation.override(language):
            assert f"<li>{words}" in shown_life(message)


def test_a_coupon_that_was_used_is_its_last_word(now: datetime) -> None:
    coupon = a_coupon(now=now)
    coupon.state = "redeemed"
    coupon.save()
    message = a_message(now=now, coupon=coupon, state="sent", finished_at=now, accepted_at=now)

    for language, said in (("en", "Redeemed at the till"), ("fr", "Utilisé en caisse")):
        with translation.override(language):
            assert shown_life(message).endswith(f"<li>{said}</li></ol>")


def test_the_page_shows_the_life_on_top_in_the_operators_language(sign_in: SignIn, now: datetime) -> None:
    message = a_message(now=now, state="sent", channel="email", lane="email", accepted_at=now)
    a_try(message, at=now, platform="email", status=250)
    page = reverse("admin:offers_outboxmessage_change", args=[message.pk])
    operator = sign_in(OPERATORS)

    english = operator.get(page, headers={"accept-language": "en"}).content.decode()
    french = operator.get(page, headers={"accept-language": "fr"}).content.decode()

    exact = timezone.localtime(now).strftime(":%M:%S</span> · ")
    assert f"{exact}Try 1: looked at again, sent by E-mail: taken (250)" in english
    assert f"{exact}Essai 1 : revérifié, envoyé par E-mail : accepté (250)" in french
    assert english.index("Its life") < english.index("Taken by the provider")


def test_a_providers_word_is_text_and_nothing_else(now: datetime) -> None:
    message = a_message(now=now, state="dead", reason="<b>x", finished_at=now)

    assert "<b>" not in shown_life(message)
    assert "&lt;b&gt;x" in shown_life(message)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_code_of_ours_has_words(now: datetime, language: str) -> None:
    codes = [*DropReason, "staff", DROP_REASON, "no_gateway", "malformed_terms"]
    with translation.override(language):
        for code in codes:
            assert "_" not in str(REASONS[code]), code
        assert {str(OUTCOMES[outcome]) for outcome in Outcome} & set(Outcome) == set()
        assert reason_of(OutboxMessage(reason="")) is None
