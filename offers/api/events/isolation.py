"""A batch of several requests in which one poisoned event takes nobody along."""

import logging
from collections.abc import Callable, Sequence

from customers.api.problems import DATABASE_IS_AWAY
from offers.flow import Event, EventResult

log = logging.getLogger(__name__)

Run = Callable[[Sequence[Event]], list[EventResult]]
Outcome = list[EventResult] | Exception


def run_requests(requests: Sequence[Sequence[Event]], *, run: Run) -> list[Outcome]:
    """Return one outcome a request, in order: its results, or that the database is away.

    `run` decides a batch in a transaction of its own, whole or not at all. If it fails for all together, each
    request is run alone, then halved down to the event that fails: that one is rejected, and only that one.
    """
    if len(requests) > 1:
        try:
            results = run([event for request in requests for event in request])
        except Exception as error:
            if is_database_gone(error):
                return [error] * len(requests)
            log.warning("a batch failed and is taken apart", extra={"error": type(error).__name__})
        else:
            return _split(results, requests)
    return [_alone(request, run=run) for request in requests]


def is_database_gone(error: Exception) -> bool:
    """Return whether nobody answers, as against a server that refused one transaction (a deadlock, a time limit)."""
    if not isinstance(error, DATABASE_IS_AWAY):
        return False
    state = getattr(error.__cause__ or error, "sqlstate", None)
    return state is None or (state[:2] in ("08", "53", "57") and state != "57014")


def _split(results: Sequence[EventResult], requests: Sequence[Sequence[Event]]) -> list[Outcome]:
    rest = iter(results)
    return [[next(rest) for _ in request] for request in requests]


def _alone(request: Sequence[Event], *, run: Run) -> Outcome:
    try:
        return _bisected(request, run=run)
    except DATABASE_IS_AWAY as error:
        return error


def _bisected(events: Sequence[Event], *, run: Run) -> list[EventResult]:
    """Return the results of these events, of which those that cannot be processed are rejected as invalid."""
    try:
        return run(events)
    except DATABASE_IS_AWAY:
        raise
    except Exception as error:
        if len(events) == 1:
            # The message may quote the row: only what kind of failure it was is told.
            log.error(
                "an event cannot be processed", extra={"error": type(error).__name__, "where": _where(error)}
            )
            return [EventResult(event_id=events[0].event_id, status="rejected", error="invalid")]
    middle = len(events) // 2
    return _bisected(events[:middle], run=run) + _bisected(events[middle:], run=run)


def _where(error: BaseException) -> str:
    """Return the file and line that raised, without any value."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace is not None else ""
