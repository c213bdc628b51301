"""When to try again: exponential waits with full jitter, so that what failed together does not come back together."""

from datetime import datetime, timedelta

BASE_S = 10.0
CAP_S = 600.0


def retry_due(*, attempts: int, asked: datetime | None, now: datetime, chance: float) -> datetime:
    """Return the instant of the next try: what the provider asked for, or our own wait if that is later.

    attempts: tries so far, from 1. asked: the provider's own word, if any. chance: a draw from [0, 1).
    Our wait is drawn from [0, min(600 s, 10 s x 2^(attempts - 1))).
    Source: "full jitter", aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter.

    >>> from datetime import UTC
    >>> at = datetime(2026, 1, 1, tzinfo=UTC)
    >>> (retry_due(attempts=3, asked=None, now=at, chance=0.5) - at).total_seconds()
    20.0
    """
    doublings = min(max(attempts - 1, 0), 16)
    own = now + timedelta(seconds=chance * min(CAP_S, BASE_S * 2**doublings))
    return own if asked is None else max(asked, own)
