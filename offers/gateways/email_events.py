"""What a mail provider tells afterwards, through django-anymail's webhooks: delivered, opened, returned, dead.

Source: anymail.dev/en/stable/sending/tracking (normalised events); RFC 3463 (enhanced status codes).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from importlib import import_module
from typing import Any

from anymail.exceptions import AnymailError, AnymailWebhookValidationFailure
from anymail.signals import EventType, RejectReason
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest

from .email_answers import DEAD_STATUSES

BACKEND = re.compile(r"anymail\.backends\.([a-z_]+)\.EmailBackend")
ENHANCED = re.compile(r"(?<![0-9.])[245]\.[0-9]{1,3}\.[0-9]{1,3}(?![0-9.])")
# A refusal of the provider's own that is about the address, as in the answer to a send.
DEAD_REASONS = frozenset(
    {RejectReason.INVALID, RejectReason.BOUNCED, RejectReason.SPAM, RejectReason.UNSUBSCRIBED}
)


class NotTheProvider(Exception):
    """A call without the key, or without the provider's own signature where it signs."""


class Unreadable(Exception):
    """A call that is not what the provider is documented to send."""


class MailWord(StrEnum):
    DELIVERED = "delivered"  # to the mailbox
    OPENED = "opened"
    RETURNED = "returned"  # it did not arrive; the address may be as good as before
    DEAD = "dead"  # it did not arrive, or was called spam: nothing more goes to this address


@dataclass(frozen=True, slots=True, kw_only=True)
class MailEvent:
    provider_message_id: str
    word: MailWord
    address: str = field(repr=False)


def provider_of(email_backend: str) -> str | None:
    """Return anymail's name of the provider that Django's EMAIL_BACKEND sends through; None for SMTP and others."""
    found = BACKEND.fullmatch(email_backend)
    return found[1] if found else None


def read_events(request: HttpRequest, *, provider: str, key: str) -> list[MailEvent]:
    """Return what a call says of mails that were sent; what else it says is passed over.

    `key`: user:password, of basic authentication. Raises NotTheProvider and Unreadable.
    """
    try:
        view = _tracking_view(provider)(webhook_secret=key)
        view.run_validators(request)
        events = view.parse_events(request)
    except AnymailWebhookValidationFailure as error:
        raise NotTheProvider from error
    # What it raises of a body that is not its own is whatever its parts raise.
    except (
        AnymailError,
        ImproperlyConfigured,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
    ) as error:
        raise Unreadable from error
    return list(_known(events))


def _tracking_view(provider: str) -> Any:
    patterns = {pattern.name: pattern for pattern in import_module("anymail.urls").urlpatterns}
    return patterns[f"{provider}_tracking_webhook"].callback.view_class


def _known(events: Iterable[Any]) -> Iterable[MailEvent]:
    for event in events:
        word, told, address = word_of(event), str(event.message_id or ""), str(event.recipient or "")
        # No provider's id holds what a database could not store.
        if word is not None and told and told.isprintable() and address.isprintable():
            yield MailEvent(provider_message_id=told, word=word, address=address)


def word_of(event: Any) -> MailWord | None:
    """Return what one of anymail's normalised events means; None where it means nothing here.

    Anymail calls soft bounces bounced as well, and a bare 550 may be a policy against us: a bounce costs an address only
    by an enhanced status that is about the address. The provider refuses a dead one at the next send in any case.
    """
    kind, reason = event.event_type, event.reject_reason
    if kind == EventType.DELIVERED:
        return MailWord.DELIVERED
    if kind in (EventType.OPENED, EventType.CLICKED):
        return MailWord.OPENED
    if kind == EventType.COMPLAINED:
        return MailWord.DEAD
    if kind == EventType.BOUNCED:
        told = set(ENHANCED.findall(f"{event.mta_response or ''} {event.description or ''}"))
        is_dead = reason == RejectReason.INVALID or bool(told & DEAD_STATUSES)
        return MailWord.DEAD if is_dead else MailWord.RETURNED
    if kind == EventType.REJECTED:
        return MailWord.DEAD if reason in DEAD_REASONS else MailWord.RETURNED
    return None
