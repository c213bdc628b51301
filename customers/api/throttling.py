"""A brake on runaway callers: a token bucket per credential, in this process's memory.

Several server processes each grant the full rate: it protects the service from a caller in a loop, and is no quota. A
shared count would cost a write per call, or Redis, which the house does not ask for.
"""

import math
import threading
import time
from collections import OrderedDict
from typing import Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

DEFAULT_CALLS_PER_SECOND = 100.0
DEFAULT_BURST = 1_000.0
MAX_CALLERS = 100_000  # beyond, the ones that called longest ago are forgotten, and start with a full bucket


class TokenBuckets:
    """`burst` calls at once, then `rate` per second, for each key. Thread-safe; bounded memory."""

    def __init__(self, *, rate: float, burst: float) -> None:
        self.rate = rate
        self.burst = burst
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # key: (tokens, at)
        self._lock = threading.Lock()

    def wait_s(self, key: str, *, at: float) -> float:
        """Take one token and return 0, or return in how many seconds there is one. `at`: monotonic seconds."""
        with self._lock:
            tokens, since = self._buckets.pop(key, (self.burst, at))
            tokens = min(self.burst, tokens + (at - since) * self.rate)
            granted = tokens >= 1
            self._buckets[key] = (tokens - 1 if granted else tokens, at)
            if len(self._buckets) > MAX_CALLERS:
                self._buckets.popitem(last=False)
            return 0.0 if granted else (1 - tokens) / self.rate


_shared: dict[tuple[float, float], TokenBuckets] = {}


def _buckets() -> TokenBuckets:
    rate = float(getattr(settings, "API_CALLS_PER_SECOND", DEFAULT_CALLS_PER_SECOND))
    burst = float(getattr(settings, "API_CALLS_BURST", DEFAULT_BURST))
    return _shared.setdefault((rate, burst), TokenBuckets(rate=rate, burst=burst))


class CredentialThrottle(BaseThrottle):
    """429 `throttled` with Retry-After once a credential's bucket is empty."""

    def __init__(self) -> None:
        self._wait_s = 0.0

    def allow_request(self, request: Request, view: Any) -> bool:
        if request.auth is None:
            return True
        self._wait_s = _buckets().wait_s(request.auth.key, at=time.monotonic())
        return self._wait_s == 0

    def wait(self) -> float:
        return math.ceil(self._wait_s)
