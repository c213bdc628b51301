"""Whether a promised message may still go out; asked of every message right before it is sent."""

from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum

from customers.rules.frequency import Caps, cap_reason, effective_caps
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
    FREQUENCY_CAP = "frequency_cap"
    NO_LONGER_NEAR = "no_longer_near"
    NO_DEVICE = "no_device"
    NO_ADDRESS = "no_address"
    DEAD_ADDRESS = (
        "dead_address"  # on the provider's word: an e-mail address or a number without another to try
    )


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
    has_address: bool  # on that channel: a device with an active one, an e-mail address, a number
    is_near: bool  # the customer, where the offer is; True where that does not matter
    sent_at: tuple[datetime, ...]  # their other messages and hold-outs, at least of the running week
    caps: Caps  # the customer's own, before their silence
    ignored_in_a_row: int  # messages


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
    if _is_full(look, now=now):
        return DropReason.FREQUENCY_CAP
    if not look.is_near:
        return DropReason.NO_LONGER_NEAR
    if look.has_address:
        return None
    return DropReason.NO_ADDRESS if look.channel in ("email", "sms") else DropReason.NO_DEVICE


def _is_full(look: Look, *, now: datetime) -> bool:
    caps = effective_caps(caps=look.caps, ignored=look.ignored_in_a_row)
    full = cap_reason(
        look.sent_at,
        now=now,
        time_zone=look.time_zone,
        max_per_day=caps.max_per_day,
        max_per_week=caps.max_per_week,
        min_gap_s=caps.min_gap_s,
    )
    return full is not None
