"""A batch of phones' requests, from what they sent to what each is answered; runs in the deciders' threads."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils import timezone

from customers.api.credentials import CustomerCredential, InvalidCredentials
from customers.api.problems import DATABASE_IS_AWAY
from offers import pipeline
from offers.api.events.isolation import run_requests
from offers.api.events.parsing import InvalidEvent, event_of, parse_event, sent_id
from offers.api.events.rendering import render_results
from offers.api.events.tokens import credentials_of
from offers.api.events.wire import WireEvent
from offers.flow import Event, EventResult

Answer = list[dict[str, Any]]  # one rendered result an event, in the order sent


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """The events of one phone, and who it is, or the digest of the token that will tell."""

    events: Sequence[WireEvent] | Sequence[Any]  # of a well-formed body, else parsed JSON
    credential: CustomerCredential | None = None
    digest: bytes = b""

    def __len__(self) -> int:
        return len(self.events)


Judged = list[Event | EventResult]


def decide_requests(requests: Sequence[Incoming]) -> list[Answer | Exception]:
    """Return the answer to each request, in order, or why there is none: InvalidCredentials, or the database is away.

    Tokens that have not been looked at are, all in one query. A bad event is rejected alone.
    """
    try:
        credentials = list(_credentials(requests))
    except DATABASE_IS_AWAY as error:
        return [error] * len(requests)
    judged = [
        [judge(raw, credential=credential) for raw in request.events] if credential else []
        for request, credential in zip(requests, credentials, strict=True)
    ]
    events = [[each for each in one if isinstance(each, Event)] for one in judged]
    decided = iter(run_requests([sent for sent in events if sent], run=_run))
    outcomes = [next(decided) if sent else [] for sent in events]
    return [
        _answer(request, one, outcome) if credential else InvalidCredentials()
        for request, credential, one, outcome in zip(requests, credentials, judged, outcomes, strict=True)
    ]


def judge(raw: Any, *, credential: CustomerCredential) -> Event | EventResult:
    """Return the event, or the result that rejects it."""
    parse = event_of if isinstance(raw, WireEvent) else parse_event
    try:
        return parse(raw, customer_id=credential.customer_id, device_id=credential.device_id)
    except InvalidEvent:
        return EventResult(event_id=sent_id(raw), status="rejected", error="invalid")


def answers(
    raw_events: Sequence[Any], judged: Sequence[Event | EventResult], decided: Sequence[EventResult]
) -> Answer:
    """Return one rendered result an event: what judge() rejected, else the next of those that were decided."""
    rest = iter(decided)
    return render_results(
        [
            each if isinstance(each, EventResult) else _as_sent(next(rest), raw)
            for raw, each in zip(raw_events, judged, strict=True)
        ]
    )


def _credentials(requests: Sequence[Incoming]) -> Iterator[CustomerCredential | None]:
    digests = {request.digest for request in requests if request.credential is None}
    known = credentials_of(digests, now=timezone.now())
    for request in requests:
        yield request.credential or known.get(request.digest)


def _answer(request: Incoming, judged: Judged, outcome: list[EventResult] | Exception) -> Answer | Exception:
    return outcome if isinstance(outcome, Exception) else answers(request.events, judged, outcome)


def _run(events: Sequence[Event]) -> list[EventResult]:
    return pipeline.run(events, now=timezone.now(), params=settings.RAYON)


def _as_sent(result: EventResult, raw: Any) -> EventResult:
    """Return the result under the event's id as it was sent, capitals and all."""
    sent = sent_id(raw)
    if sent == result.event_id:
        return result
    return EventResult(event_id=sent, status=result.status, error=result.error, decisions=result.decisions)
