"""The PushGateway port: what goes out, and what each message came to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True, slots=True)
class PushMessage:
    """One message for one device."""

    message_id: str  # the outbox message's own id (UUID): every send of it carries the same one
    platform: str  # fcm, apns, webpush, email, sms, console, socket
    token: str = field(
        repr=False
    )  # the address at the provider: token, subscription as JSON, e-mail address, phone number
    title: str = field(repr=False)
    body: str = field(repr=False)
    expires_at: datetime  # aware UTC; from this instant on it is not sent
    registered_at: datetime  # aware UTC; when the device last confirmed its token
    image_url: str | None = field(default=None, repr=False)
    data: Mapping[str, str] = field(default_factory=dict, repr=False)  # for the app: coupon code, deep link
    language: str = "fr"  # of the texts that the platform adds: the actions' labels
    is_sensitive: bool = False  # a lock screen shows neither the title nor the body
    is_urgent: bool = True  # False: the platform may wait for a moment that saves the battery
    badge: int | None = None  # on the app's icon; None: left alone

    @property
    def collapse_id(self) -> str:
        """What makes a second showing of this message replace the first: its own id."""
        return self.message_id


class Outcome(StrEnum):
    """What one send came to, in terms of what the caller does next."""

    ACCEPTED = "accepted"  # the provider took it
    DEAD_TOKEN = "dead_token"  # deactivate the device
    OUR_FAULT = "our_fault"  # dead letter; the device is as good as before
    TRY_LATER = "try_later"  # send again at retry_at; it may have been shown already
    LANE_STOPPED = "lane_stopped"  # credentials or address of the whole lane: keep the message, alert
    EXPIRED = "expired"  # its time was over; nothing was sent
    OFFERED = "offered"  # the phone's open socket has it; without its word, send another way at retry_at


@dataclass(frozen=True, slots=True)
class Receipt:
    """What one message came to."""

    message_id: str
    outcome: Outcome
    provider_message_id: str | None = None
    provider_code: str | None = (
        None  # stable name of the answer, such as UNREGISTERED; never text from outside
    )
    status: int | None = None  # HTTP status or SMTP reply code, where there was one
    retry_at: datetime | None = None  # aware UTC; set if and only if the outcome is TRY_LATER or OFFERED


class PushGateway(Protocol):
    """A way to a provider. It lives in one event loop and is closed there."""

    async def send(self, messages: Sequence[PushMessage], *, now: datetime) -> list[Receipt]:
        """Send the messages and return one receipt per message, in the same order.

        One message's trouble is its receipt's alone and is never raised. Nothing waits for a Retry-After.
        """
        ...

    async def aclose(self) -> None:
        """Close the connections; the gateway is not used afterwards."""
        ...
