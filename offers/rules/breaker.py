"""When a lane stops knocking at a provider that does not answer; docs/delivery/worker.md."""

from dataclasses import dataclass, replace
from enum import StrEnum

OPEN_AFTER = 10  # failures in a row
BASE_S = 10.0
CAP_S = 300.0


class Sign(StrEnum):
    """What one answer says of the provider, whatever it says of the message."""

    WELL = "well"  # it answers
    FAILED = "failed"  # no answer, or one of its own distress
    STOPPED = "stopped"  # it refuses us altogether
    NEUTRAL = "neutral"  # nothing


@dataclass(frozen=True, slots=True)
class Breaker:
    """One worker's view of one provider."""

    failures: int = 0  # in a row

    def after(self, sign: Sign) -> "Breaker":
        """Return the view after one more answer."""
        if sign is Sign.NEUTRAL:
            return self
        if sign is Sign.STOPPED:
            return replace(self, failures=max(self.failures, OPEN_AFTER))
        return Breaker(failures=self.failures + 1 if sign is Sign.FAILED else 0)

    @property
    def is_tripped(self) -> bool:
        return self.failures >= OPEN_AFTER


def open_for_s(*, openings: int, chance: float) -> float:
    """Return for how long the lane stays closed, in seconds, before one message probes it again.

    openings: how often it was opened in a row before. chance: a draw from [0, 1). From half of to the whole of
    min(300 s, 10 s x 2^openings), so that workers do not knock together.

    >>> [open_for_s(openings=n, chance=0.5) for n in (0, 1, 2, 9)]
    [7.5, 15.0, 30.0, 225.0]
    """
    whole = min(CAP_S, BASE_S * 2 ** min(openings, 16))
    return whole * (0.5 + chance / 2)
