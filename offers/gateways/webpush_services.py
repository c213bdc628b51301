"""What is remembered of each push service, so that one subscription's trouble stays its own.

A browser's subscription may be refused for reasons of its own: it was made with another key, or it alone is sent too
much. What one subscription meets is therefore believed of its push service only after STREAK subscriptions have met
it without anything accepted between. docs/decisions/0013-web-push-guard.md.
"""

from collections import OrderedDict
from dataclasses import dataclass, field, replace
from datetime import datetime

from .port import Outcome
from .verdicts import Verdict
from .webpush_answers import KEY_MISMATCH

STREAK = 3
MAX_SERVICES = 256  # a wildcard in the list of hosts makes their number a stranger's choice


@dataclass(slots=True)
class Service:
    """What all batches have learnt of one push service."""

    slow_until: datetime | None = None  # nothing more is sent there before
    is_key_proven: bool = False  # it accepted something signed with our key


@dataclass(slots=True)
class Streak:
    """What one batch has met at one push service since that last accepted something."""

    refused: int = 0
    slowed: int = 0
    halt: Verdict | None = None  # what the batch's messages for it come to without being sent


@dataclass(slots=True)
class Services:
    """The push services met so far; the least recently met are forgotten."""

    _known: OrderedDict[str, Service] = field(default_factory=OrderedDict)

    def at(self, origin: str) -> Service:
        service = self._known.setdefault(origin, Service())
        self._known.move_to_end(origin)
        while len(self._known) > MAX_SERVICES:
            self._known.popitem(last=False)
        return service


def learnt(verdict: Verdict, *, service: Service, streak: Streak, at: datetime) -> Verdict:
    """Return what an answer means, given what else the push service said; `service` and `streak` take it in.

    `at`: when the answer came, aware UTC.
    """
    if verdict.outcome is Outcome.ACCEPTED:
        service.is_key_proven = True
        streak.refused = streak.slowed = 0
    elif verdict.code == KEY_MISMATCH:
        # Our key is known to be good there: the subscription was made with another one, for ever. Before that, a key
        # file that somebody exchanged looks just the same, and would cost every browser its address.
        if service.is_key_proven:
            return replace(verdict, outcome=Outcome.DEAD_TOKEN)
    elif verdict.refuses_credentials:
        streak.refused += 1
        if streak.refused >= STREAK:
            streak.halt = verdict
    elif verdict.slows_lane and verdict.retry_in is not None:
        streak.slowed += 1
        if streak.slowed >= STREAK:
            service.slow_until = at + verdict.retry_in
    return verdict
