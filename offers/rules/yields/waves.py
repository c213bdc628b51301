"""Messages go out in waves: some of those that are worth sending, then a wait for what comes of them.

What a wave brings is known before the next one is planned, so a wrong guess of the response costs one wave, not all.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from offers.rules.yields.redeeming import median_response_min

SHARE = 0.2  # of the messages that are worth sending, in one wave


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    number: int  # from 1; 0: none yet
    opened_at: datetime | None
    left: int  # messages of it that may still go out


NONE_YET = Wave(number=0, opened_at=None, left=0)


def wave_size(*, worth: int, free: int) -> int:
    """Return how many may be told in the next wave. worth: N*; free: units that no coupon holds and no one is kept for."""
    return max(0, min(free, math.ceil(SHARE * worth)))


def next_wave(wave: Wave, *, worth: int, free: int, life_min: float, now: datetime) -> Wave:
    """Return the wave that is open at `now`: the same one, cut to what is still worth it, or the next.

    The next opens once half of the redemptions that the last can bring have had their time. life_min: of its coupons.
    """
    wait = timedelta(minutes=median_response_min(life_min=life_min))
    if wave.opened_at is not None and now < wave.opened_at + wait:
        return Wave(
            number=wave.number,
            opened_at=wave.opened_at,
            left=min(wave.left, max(0, min(free, worth))),
        )
    size = wave_size(worth=worth, free=free)
    return Wave(number=wave.number + 1, opened_at=now, left=size) if size else wave_closed(wave)


def wave_closed(wave: Wave) -> Wave:
    """Return the wave with nothing of it left to send."""
    return Wave(number=wave.number, opened_at=wave.opened_at, left=0)
