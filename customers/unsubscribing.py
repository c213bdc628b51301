"""The signed word in a link that takes a consent back: it names a customer and a channel, and proves that we wrote it.

It needs no login and does not run out: whoever holds a message may stop those that would follow it (RFC 8058).
"""

from dataclasses import dataclass

from django.core.signing import BadSignature, Signer

SALT = "customers.unsubscribing"
CHANNELS = ("email", "sms")


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    customer_id: int
    channel: str  # of CHANNELS; the purpose whose consent is taken back has the same name


class NotOurs(Exception):
    """The link was not written by us, or was damaged on its way."""


def unsubscribe_path(*, customer_id: int, channel: str) -> str:
    """Return the path, from the root, of the door that takes this customer's consent for the channel back."""
    return f"/u/{_signer().sign(f'{channel}-{customer_id}')}"


def read_word(signed: str) -> Word:
    """Return what a link says. Raises NotOurs."""
    try:
        channel, _, customer = _signer().unsign(signed).partition("-")
    except BadSignature:
        raise NotOurs from None
    return Word(customer_id=int(customer), channel=channel)


def _signer() -> Signer:
    return Signer(salt=SALT, sep=".")
