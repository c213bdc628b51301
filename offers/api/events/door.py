"""What the REST door and the socket share: events in, answers out, through the one coalescer of the process."""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from django.conf import settings
from django.db import close_old_connections, connection

from offers.api.events.coalescer import Coalescer
from offers.api.events.deciding import Answer, Incoming, decide_requests

T = TypeVar("T")
MAX_WAITING_BATCHES = 10  # more would wait for seconds: better to be told to come back
DECIDERS = 2  # batches under way at once in a process: one is computed while the database works on the other
IDLE_S = 1.0  # after a longer pause a connection is tried before it is used again
BESIDE_EVENTS = 16  # a smaller second batch would cost more than it gains

# Their own threads, so that slow pages elsewhere in the process cannot hold up the events.
_callers = ThreadPoolExecutor(max_workers=4, thread_name_prefix="events-caller")
_deciders = ThreadPoolExecutor(max_workers=DECIDERS, thread_name_prefix="events-decider")
_kept = threading.local()
_coalescers: WeakKeyDictionary[asyncio.AbstractEventLoop, Coalescer[Incoming, Answer]] = WeakKeyDictionary()


async def in_thread(work: Callable[[], T]) -> T:
    """Return what a piece of work with the database returns, done in a thread of this door."""
    return await asyncio.get_running_loop().run_in_executor(_callers, partial(_with_connection, work))


async def decide(incoming: Incoming) -> Answer:
    """Return the rendered result of each event, in order; when it returns, they are on disk.

    A bad event is rejected alone. Raises TooBusy, InvalidCredentials, or django.db's errors when the database cannot
    be reached.
    """
    return await coalescer().submit(incoming)


def coalescer() -> Coalescer[Incoming, Answer]:
    """Return the running loop's coalescer: one a process, as a server has one loop."""
    loop = asyncio.get_running_loop()
    found = _coalescers.get(loop)
    if found is None:
        params = settings.RAYON
        found = _coalescers[loop] = Coalescer(
            run_requests=_decided,
            executor=_deciders,
            max_batch_events=params["max_batch_events"],
            max_waiting_events=MAX_WAITING_BATCHES * params["max_batch_events"],
            window_s=params["coalesce_window_ms"] / 1000,
            max_batches=DECIDERS,
            beside_events=BESIDE_EVENTS,
        )
    return found


def _decided(requests: Sequence[Incoming]) -> Sequence[Answer | Exception]:
    """Decide a batch on this thread's own connection, which it keeps while batches follow each other.

    To hand it back to the pool after each would have it tried, by a statement of its own, before the next.
    """
    if time.monotonic() - getattr(_kept, "until", 0.0) > IDLE_S:
        close_old_connections()
    try:
        return decide_requests(requests)
    finally:
        _kept.until = time.monotonic()
        if connection.errors_occurred or "pool" not in connection.settings_dict["OPTIONS"]:
            close_old_connections()


def _with_connection(work: Callable[..., T], *arguments: Any) -> T:
    try:
        return work(*arguments)
    finally:
        close_old_connections()
