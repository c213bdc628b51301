"""An offer as an e-mail, word for word, and what its headers promise."""

import re

import pytest

from customers.unsubscribing import Word, read_word
from offers.gateways.email_messages import offer_mail
from offers.gateways.payload import CannotBuild

from .messages import NOW, message, without

FROM = "Carotte <offres@carotte.example>"
FRENCH = """−30 % sur vos yaourts

Au rayon frais.

Votre code : 7K3M-ZQ8V-0T
Valable jusqu’à 12 h 30.

Ouvrir dans l’application : rayon://coupons/7K3M-ZQ8V-0T

{dashes}
Vous recevez cet e-mail parce que vous avez accepté nos offres par e-mail.
Ne plus en recevoir : {link}
"""
ENGLISH = """30% off your yoghurts

In the chilled aisle.

Your code: 7K3M-ZQ8V-0T
Valid until 12:30.

Open in the app: rayon://coupons/7K3M-ZQ8V-0T

{dashes}
You receive this e-mail because you agreed to offers by e-mail.
Unsubscribe: {link}
"""


def mail(made=None):
    return offer_mail(made or message(), from_address=FROM, public_url="https://carotte.example", now=NOW)


def link_of(found) -> str:
    return found.extra_headers["List-Unsubscribe"].strip("<>")


def html_of(found) -> str:
    [part] = found.alternatives
    assert part.mimetype == "text/html"
    return part.content


def test_a_french_offer() -> None:
    found = mail()
    assert (found.subject, found.from_email, found.to) == ("−30 % sur vos yaourts", FROM, ["ada@example.net"])
    assert found.body == FRENCH.format(link=link_of(found), dashes="-- ")
    assert '<html lang="fr">' in html_of(found)
    assert "Valable jusqu’à 12 h 30." in html_of(found)


def test_an_english_offer() -> None:
    changes = {"language": "en", "title": "30% off your yoghurts", "body": "In the chilled aisle."}
    found = mail(message(**changes))
    assert found.body == ENGLISH.format(link=link_of(found), dashes="-- ")
    assert '<html lang="en">' in html_of(found) and "Valid until 12:30." in html_of(found)


def test_what_is_not_given_is_not_spoken_of() -> None:
    found = mail(without("code", "link", "valid_until", body=""))
    assert found.body.splitlines()[:4] == [
        "−30 % sur vos yaourts",
        "",
        "-- ",
        "Vous recevez cet e-mail parce que vous avez accepté nos offres par e-mail.",
    ]
    told = html_of(found)
    assert not [word for word in ("code", "Valable", "Ouvrir", "None") if word in told]


def test_a_sensitive_offer_says_nothing_to_who_looks_over_a_shoulder() -> None:
    found = mail(message(is_sensitive=True))
    assert found.subject == "Une offre vous attend"
    assert found.body.startswith("Une offre vous attend\n\nOuvrez l’application pour la voir.\n")
    assert not [told for told in (found.subject, found.body, html_of(found)) if "yaourt" in told]


def test_one_click_ends_it_and_the_link_is_ours() -> None:
    found = mail()
    assert found.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    start, _, signed = link_of(found).rpartition("/")
    assert start == "https://carotte.example/u"
    assert read_word(signed) == Word(customer_id=12, channel="email")


def test_the_same_message_is_the_same_mail() -> None:
    ids = {mail(made).extra_headers["Message-ID"] for made in (message(), message(title="Autre"))}
    assert ids == {"<6e3c3a5e-0f5c-4e0b-9c0e-3a4f6a0b1c2d@carotte.example>"}


def test_nothing_is_loaded_from_anywhere_and_nobody_is_followed() -> None:
    made = message(image_url="https://images.example/yaourt.jpg")
    told = html_of(mail(made))
    assert re.findall(r"<(?:img|script|link|iframe|object|embed)\b|url\(|src=|@import", told) == []
    assert set(re.findall(r'href="([^"]+)"', told)) == {"rayon://coupons/7K3M-ZQ8V-0T", link_of(mail(made))}


def test_texts_are_texts_whatever_they_hold() -> None:
    found = mail(message(title="<b>-30 %</b>\r\nBcc: eve@example.net", body="a < b & c\nd"))
    assert found.subject == "<b>-30 %</b> Bcc: eve@example.net"
    assert set(found.message().keys()) >= {"Subject"} and found.message()["Bcc"] is None
    assert "<h1" in html_of(found) and "&lt;b&gt;-30 %&lt;/b&gt; Bcc" in html_of(found)
    assert "a &lt; b &amp; c<br>d" in html_of(found)
    assert "a < b & c\nd" in found.body


def test_a_link_that_would_run_something_is_left_out() -> None:
    data = {**message().data, "link": "javascript:alert(1)"}
    found = mail(message(data=data))
    assert "javascript" not in found.body + html_of(found)


@pytest.mark.parametrize(
    ("made", "code"),
    [
        (without("customer"), "NO_CUSTOMER"),
        (message(data={"customer": "12; drop"}), "NO_CUSTOMER"),
        (message(data={"customer": "٣"}), "NO_CUSTOMER"),
        (message(body="\udc00"), "PAYLOAD_NOT_UNICODE"),
    ],
)
def test_what_cannot_be_written_is_refused(made, code: str) -> None:
    with pytest.raises(CannotBuild, match=code):
        mail(made)
