"""One offer as an e-mail: text and HTML, headers that let one stop with one click, and nothing loaded from anywhere.

Source: RFC 8058 (one-click unsubscribing), RFC 2369 (List-Unsubscribe), RFC 5322 (Message-ID).
"""

from datetime import datetime
from email.utils import parseaddr
from typing import Any

from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from customers.unsubscribing import unsubscribe_path

from .fitting import CannotBuild
from .lock_screen import language_of
from .port import PushMessage
from .wording import shown, until_words

LINK_SCHEMES = ("https://", "http://", "rayon://")


def offer_mail(
    message: PushMessage, *, from_address: str, public_url: str, now: datetime
) -> EmailMultiAlternatives:
    """Return the e-mail of a message whose token is an e-mail address.

    Read of its data: `customer` (primary key, for the link to unsubscribe), and where they are given `code`, `link` and
    `valid_until`. The Message-ID follows from the message's own id, so that mail that is sent twice says so.
    Raises CannotBuild: NO_CUSTOMER without the former, PAYLOAD_NOT_UNICODE for lone surrogates.
    """
    customer = message.data.get("customer", "")
    if not (customer.isascii() and customer.isdigit()):
        raise CannotBuild("NO_CUSTOMER")
    unsubscribe = public_url + unsubscribe_path(customer_id=int(customer), channel="email")
    title, body = shown(message)
    context = {
        "language": language_of(message),
        "title": title,
        "body": body,
        "code": message.data.get("code", ""),
        "link": _link(message),
        "until": until_words(message, now=now),
        "unsubscribe_url": unsubscribe,
    }
    mail = EmailMultiAlternatives(
        subject=title,
        body=_rendered("offer.txt", context),
        from_email=from_address,
        to=[message.token],
        headers={
            "Message-ID": message_id_header(message, from_address=from_address),
            "List-Unsubscribe": f"<{unsubscribe}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
    )
    mail.attach_alternative(_rendered("offer.html", context), "text/html")
    return mail


def message_id_header(message: PushMessage, *, from_address: str) -> str:
    """Return the Message-ID that every send of the message carries."""
    domain = parseaddr(from_address)[1].rpartition("@")[2]
    return f"<{message.message_id}@{domain}>"


def _link(message: PushMessage) -> str:
    link = message.data.get("link", "")
    return link if link.startswith(LINK_SCHEMES) else ""


def _rendered(name: str, context: dict[str, Any]) -> str:
    text = render_to_string(f"rayon/mail/{name}", context).strip() + "\n"
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise CannotBuild("PAYLOAD_NOT_UNICODE") from error
    return text
