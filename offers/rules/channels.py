"""By which way a message goes out: the customer's own order, their consent, and whether there is an address."""

from collections.abc import Collection, Sequence

from offers.flow import CustomerFacts
from offers.rules.eligibility import Reason


def wanted_channels(*, channels: Sequence[str], granted: Collection[str]) -> tuple[str, ...]:
    """Return the customer's channels that they consented to, in their order; the purpose has the channel's name."""
    return tuple(channel for channel in channels if channel in granted)


def no_channel(*, channels: Sequence[str], granted: Collection[str]) -> Reason | None:
    """Return NO_CONSENT for a customer who wants no channel, or consented to none of those."""
    return None if wanted_channels(channels=channels, granted=granted) else Reason.NO_CONSENT


def channel_for(facts: CustomerFacts) -> str | None:
    """Return the first wanted channel on which there is an address: the way a message takes. None if there is none."""
    wanted = wanted_channels(channels=facts.channels, granted=facts.granted)
    return next((channel for channel in wanted if channel in facts.reachable), None)
