"""What the REST door and the socket share: raw events in, rendered results out."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from django.conf import settings
from django.db import close_old_connections
from django.utils import timezone

from customers.api.credentials import CustomerCredential
from offers import pipeline
from offers.api.events.coalescer import Coalescer
from offers.api.events.isolation import Outcome, run_requests
from offers.api.events.rendering import render_results
from offers.events import InvalidEvent, parse_event, sent_id
from offers.flow import Event, EventResult

T = TypeVar("T")
MAX_WAITING_BATCHES = 10  # more would wait for seconds: better to be told to come back

# Their own threads, so that slow pages elsewhere in the process cannot hold up the events.
_callers = ThreadPoolExecutor(max_workers=4, thread_name_prefix="events-caller")
_decider = ThreadPoolExecutor(max_workers=1, thread_name_prefix="events-decider")
_coalescers: WeakKeyDictionary[asyncio.AbstractEventLoop, Coalescer] = WeakKeyDictionary()


async def in_thread(work: Callable[[], T]) -> T:
    """Return what a piece of work with the database returns, done in a thread of this door."""
    return await asyncio.get_running_loop().run_in_executor(_callers, partial(_with_connection, work))


async def decide(raw_events: Sequence[Any], *, credential: CustomerCredential) -> list[dict[str, Any]]:
    """Return the rendered result of each raw event, in order; when it returns, they are on disk.

    A bad event is rejected alone. Raises TooBusy, or django.db's errors when the database cannot be reached.
    """
    judged = [judge(raw, credential=credential) for raw in raw_events]
    decided = await coalescer().submit([each for each in judged if isinstance(each, Event)])
    return answers(raw_events, judged, decided)


def judge(raw: Any, *, credential: CustomerCredential) -> Event | EventResult:
    """Return the event, or the result that rejects it."""
    try:
        return parse_event(raw, customer_id=credential.customer_id, device_id=credential.device_id)
    except InvalidEvent:
        return EventResult(event_id=sent_id(raw), status="rejected", error="invalid")


def answers(
    raw_events: Sequence[Any], judged: Sequence[Event | EventResult], decided: Sequence[EventResult]
) -> list[dict[str, Any]]:
    """Return one rendered result an event: what judge() rejected, else the next of those that were decided."""
    rest = iter(decided)
    return render_results(
        [
            each if isinstance(each, EventResult) else _as_sent(next(rest), raw)
            for raw, each in zip(raw_events, judged, strict=True)
        ]
    )


def coalescer() -> Coalescer:
    """Return the running loop's coalescer: one a process, as a server has one loop."""
    loop = asyncio.get_running_loop()
    found = _coalescers.get(loop)
    if found is None:
        params = settings.RAYON
        found = _coalescers[loop] = Coalescer(
            run_requests=partial(_with_connection, _run_requests),
            executor=_decider,
            max_batch_events=params["max_batch_events"],
            max_waiting_events=MAX_WAITING_BATCHES * params["max_batch_events"],
            window_s=params["coalesce_window_ms"] / 1000,
        )
    return found


def _run_requests(requests: Sequence[Sequence[Event]]) -> list[Outcome]:
    return run_requests(requests, run=_run)


def _run(events: Sequence[Event]) -> list[EventResult]:
    return pipeline.run(events, now=timezone.now(), params=settings.RAYON)


def _with_connection(work: Callable[..., T], *arguments: Any) -> T:
    try:
        return work(*arguments)
    finally:
        close_old_connections()


def _as_sent(result: EventResult, raw: Any) -> EventResult:
    """Return the result under the event's id as it was sent, capitals and all."""
    sent = sent_id(raw)
    if sent == result.event_id:
        return result
    return EventResult(event_id=sent, status=result.status, error=result.error, decisions=result.decisions)
