"""Who this process has noted lately: a memory that may be lost, and never grows beyond what one period brings."""

import threading
from collections.abc import Hashable, Set
from datetime import datetime, timedelta
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)


class SeenLately(Generic[T]):
    """Tells what was not asked about within the period; forgets all at once when a period is over."""

    def __init__(self, *, every: timedelta) -> None:
        self._every = every
        self._since: datetime | None = None
        self._seen: set[T] = set()
        self._lock = threading.Lock()

    def fresh(self, things: Set[T], *, now: datetime) -> Set[T]:
        """Return those of the things that are new in this period, and remember them.

        A thing that is not returned was returned less than a period ago. A clock that goes back begins a period.
        """
        with self._lock:
            if self._since is None or not timedelta(0) <= now - self._since < self._every:
                self._since, self._seen = now, set()
            new = things - self._seen
            self._seen |= new
            return new
