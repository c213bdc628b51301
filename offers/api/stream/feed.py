"""A store's news, read while somebody watches it: the pipeline knows nothing of this and pays nothing for it."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

from django.conf import settings
from django.utils import timezone

from customers.api.fields import rfc3339
from customers.api.problems import DATABASE_IS_AWAY
from offers.api.events.door import in_thread
from offers.api.stream.connection import Close, Connection
from offers.api.stream.frames import trigger_frame
from offers.queries.sockets import StoreNews, list_store_news

EVERY_S = 0.5
# A decision bears the instant its batch began, and is seen when the batch has committed: looked for this long.
LATE = timedelta(seconds=5)

log = logging.getLogger(__name__)


class StoreFeed:
    """Belongs to one event loop; asks once for all stores that are watched through this process."""

    def __init__(self) -> None:
        self._watchers: defaultdict[int, dict[Connection, datetime]] = defaultdict(dict)
        self._told: dict[int, datetime] = {}  # decisions of the last seconds, by id
        self._task: asyncio.Task[None] | None = None

    def watch(self, connection: Connection, *, store_id: int) -> None:
        """Send what is decided in the store from now on."""
        self._watchers[store_id][connection] = timezone.now()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look())

    def leave(self, connection: Connection, *, store_id: int) -> None:
        self._watchers[store_id].pop(connection, None)
        if not self._watchers[store_id]:
            del self._watchers[store_id]

    async def _look(self) -> None:
        while self._watchers:
            await asyncio.sleep(EVERY_S)
            since = timezone.now() - LATE
            self._told = {key: at for key, at in self._told.items() if at >= since}
            try:
                news = await in_thread(partial(list_store_news, list(self._watchers), since=since))
            except DATABASE_IS_AWAY:
                continue  # what was decided meanwhile is looked for when it is back, as far as LATE goes
            # A defect must not silence every store.
            except Exception:
                log.exception("a store's news could not be read")
                continue
            for one in news:
                if one.decision_id not in self._told:
                    self._told[one.decision_id] = one.decided_at
                    self._tell(one)

    def _tell(self, news: StoreNews) -> None:
        frame = trigger_frame(_fields(news))
        for connection, watching_since in list(self._watchers.get(news.store_id, {}).items()):
            if news.decided_at < watching_since - timedelta(seconds=1) or connection.is_ending:
                continue
            if connection.in_flight >= settings.RAYON["socket_max_frames"]:
                connection.end(Close.TOO_FAST)  # it does not read
            else:
                connection.start(connection.say(frame))


def _fields(news: StoreNews) -> Mapping[str, Any]:
    kind = "store" if news.aisle_ref is None else "aisle"
    return {
        "at": rfc3339(news.decided_at),
        "place": {"kind": kind, "store": news.store_ref, "aisle": news.aisle_ref},
        "transition": news.transition,
        "outcome": news.outcome,
        "reason": news.reason,
        "offer": news.offer_ref,
    }


_feeds: WeakKeyDictionary[asyncio.AbstractEventLoop, StoreFeed] = WeakKeyDictionary()


def feed() -> StoreFeed:
    """Return the running loop's feed."""
    return _feeds.setdefault(asyncio.get_running_loop(), StoreFeed())
