"""Whether a promised message may still go out; asked of every message right before it is sent."""

from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum

from customers.rules.quiet_hours import is_quiet
from customers.rules.zones import UnknownTimeZone


class DropReason(StrEnum):
    """Why a message is not sent; kept with it."""

    ERASED = "erased"
    EXPIRED = "expired"
    COUPON_NOT_ISSUED = "coupon_not_issued"
    ALREADY_OPENED = "already_opened"
    COUPON_ENDED = "coupon_ended"
    OFFER_NOT_LIVE = "offer_not_live"
    OFFER_ENDED = "offer_ended"
    NO_CONSENT = "no_consent"
    CHANNEL_OFF = "channel_off"
    PAUSED = "paused"
    UNKNOWN_TIME_ZONE = "unknown_time_zone"
    QUIET_HOURS = "quiet_hours"
    NO_DEVICE = "no_device"


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """What a message depends on, as it stands now."""

    channel: str  # customers.models.Channel; the purpose that needs consent has the same name
    expires_at: datetime  # of the message
    is_erased: bool  # the customer
    granted: frozenset[str]  # purposes
    channels: frozenset[str]  # that the customer wants to be reached by
    paused_until: datetime | None
    time_zone: str  # IANA; empty: unknown
    quiet: tuple[time, time] | None  # [from, until), local; None: no quiet hours
    coupon_state: str
    coupon_valid_until: datetime
    was_opened: bool  # the coupon, by its customer
    offer_state: str
    offer_valid_until: datetime
    is_offer_removed: bool
    has_device: bool  # with an active address


def drop_reason(look: Look, *, now: datetime) -> DropReason | None:
    """Return why the message is not to be sent any more, or None if it may go out now.

    Ends are open: what is valid until now is over. What is not known counts as no.
    """
    if look.is_erased:
        return DropReason.ERASED
    if look.expires_at <= now:
        return DropReason.EXPIRED
    return _of_offer(look, now=now) or _of_customer(look, now=now)


def _of_offer(look: Look, *, now: datetime) -> DropReason | None:
    if look.coupon_state != "issued":
        return DropReason.COUPON_NOT_ISSUED
    if look.was_opened:
        return DropReason.ALREADY_OPENED
    if look.coupon_valid_until <= now:
        return DropReason.COUPON_ENDED
    if look.offer_state != "live" or look.is_offer_removed:
        return DropReason.OFFER_NOT_LIVE
    if look.offer_valid_until <= now:
        return DropReason.OFFER_ENDED
    return None


def _of_customer(look: Look, *, now: datetime) -> DropReason | None:
    if look.channel not in look.granted:
        return DropReason.NO_CONSENT
    if look.channel not in look.channels:
        return DropReason.CHANNEL_OFF
    if look.paused_until is not None and now < look.paused_until:
        return DropReason.PAUSED
    try:
        if is_quiet(at=now, time_zone=look.time_zone, quiet=look.quiet):
            return DropReason.QUIET_HOURS
    except UnknownTimeZone:
        return DropReason.UNKNOWN_TIME_ZONE
    return None if look.has_device else DropReason.NO_DEVICE
