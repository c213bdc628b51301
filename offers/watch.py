"""What wakes a worker's lanes: one look at all of them whenever something was notified, or something falls due."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from offers.queries.due import LaneNews, lane_news


class Hearer(Protocol):
    """A lane's worker."""

    @property
    def name(self) -> str: ...

    def hear(self, news: LaneNews) -> None: ...


@dataclass(slots=True, kw_only=True)
class Watch:
    """Looks for all lanes together, so that a notification costs one query, however many lanes there are."""

    workers: Sequence[Hearer]
    clock: Callable[[], datetime]
    _next_at: datetime | None = None

    def look(self) -> int:
        """Tell every lane how it stands; return 0, as there is no more to it."""
        news = {one.name: one for one in lane_news([worker.name for worker in self.workers])}
        for worker in self.workers:
            worker.hear(news[worker.name])
        now = self.clock()
        # Lanes go on by themselves with what is due already.
        ahead = [
            at for one in news.values() for at in (one.due_at, one.open_until) if at is not None and at > now
        ]
        self._next_at = min(ahead, default=None)
        return 0

    def next_at(self) -> datetime | None:
        """Return when to look again if nothing is notified before; None: when the longest rest is over."""
        return self._next_at
