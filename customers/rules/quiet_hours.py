"""When a customer is not to be disturbed; docs/algorithms/frequency-and-quiet-hours.md."""

from datetime import datetime, time

from customers.rules.zones import local_time


def is_quiet(*, at: datetime, time_zone: str, quiet: tuple[time, time] | None) -> bool:
    """Return whether an instant lies in the customer's quiet hours [from, to), read on their own wall clock.

    Hours that end before they begin cross midnight; equal ends mean the whole day; None means never.
    Raises UnknownTimeZone, whatever the hours.
    """
    wall = local_time(at=at, time_zone=time_zone).time()
    if quiet is None:
        return False
    start, end = quiet
    if start < end:
        return start <= wall < end
    return wall >= start or wall < end
