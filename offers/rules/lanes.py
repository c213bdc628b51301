"""The lanes of delivery: one a provider, each with its own bounds; docs/delivery/worker.md."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneSettings:
    """What one lane may do."""

    concurrency: int = 64  # messages under way at once, of one worker process
    rate_per_s: float = (
        0.0  # messages a second of all workers together; 0: as fast as the provider takes them
    )


# Sockets come last: what another lane hands over to them is found in the same round.
DEFAULTS: Mapping[str, LaneSettings] = MappingProxyType(
    {
        "fcm": LaneSettings(),
        "apns": LaneSettings(),
        "webpush": LaneSettings(),
        "email": LaneSettings(concurrency=8),
        "sms": LaneSettings(concurrency=8),
        "socket": LaneSettings(),
    }
)
LANES = tuple(DEFAULTS)


def lane_of(*, channel: str, platform: str | None, has_socket: bool) -> str:
    """Return the lane of a message: its channel's own, or for a push that of its phone's open socket or platform.

    platform: customers.models.Platform of the device, None without one; then there is no lane: "".
    """
    if channel in ("email", "sms"):
        return channel
    if platform is None:
        return ""
    return "socket" if has_socket else platform
