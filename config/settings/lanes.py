"""What each lane of delivery may do: LANE_<NAME>_CONCURRENCY and LANE_<NAME>_RATE, such as LANE_SMS_RATE=10."""

import math
import os
from collections.abc import Mapping

from django.core.exceptions import ImproperlyConfigured

from offers.rules.lanes import DEFAULTS, LaneSettings

__all__ = ["LANES"]

MAX_CONCURRENCY = 1_000


def read_lanes(*, source: Mapping[str, str]) -> dict[str, LaneSettings]:
    """Return the lanes' settings by name.

    Raises ImproperlyConfigured with one line per problem, each naming its variable.
    """
    problems: list[str] = []

    def concurrency(name: str, default: int) -> int:
        variable = f"LANE_{name.upper()}_CONCURRENCY"
        given = source.get(variable) or str(default)
        if not given.isdecimal() or not 1 <= int(given) <= MAX_CONCURRENCY:
            problems.append(f"{variable} must be a whole number from 1 to {MAX_CONCURRENCY}.")
            return default
        return int(given)

    def rate(name: str, default: float) -> float:
        variable = f"LANE_{name.upper()}_RATE"
        try:
            value = float(source.get(variable) or default)
        except ValueError:
            value = math.nan
        if not 0 <= value < math.inf:
            problems.append(f"{variable} must be a number of messages a second, 0 for no limit.")
            return default
        return value

    found = {
        name: LaneSettings(
            concurrency=concurrency(name, given.concurrency), rate_per_s=rate(name, given.rate_per_s)
        )
        for name, given in DEFAULTS.items()
    }
    if problems:
        raise ImproperlyConfigured("\n".join(problems))
    return found


LANES = read_lanes(source=os.environ)
