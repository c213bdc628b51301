"""Send what the outbox promises, and fire the deadlines of visits: `manage.py deliver [--once] [--batch 200]`."""

import signal
import threading
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from offers.delivery import deliver_due
from offers.operations.sending import OUTBOX_CHANNEL
from offers.pipeline import run_deadlines
from offers.queries.due import next_deadline_at, next_message_at
from offers.stages.deliver import Lanes
from offers.wakeups import Stop
from offers.worker import Loop

MAX_BATCH = 400  # what is given up well within the lease even when the provider answers nothing
# A new deadline lies a dwell ahead, so looking this often finds nearly all of them before they fall due. Notifying
# instead would cost every batch of events the one lock that all commits with a NOTIFY share.
DEADLINES_IDLE_S = 2.0


class Command(BaseCommand):
    help = "Deliver due messages and fire due deadlines, until told to stop. Run as many as wanted."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="do what is due now, and end")
        parser.add_argument(
            "--batch", type=_batch, default=200, help="messages taken on at once (default 200)"
        )

    def handle(self, *args: Any, once: bool, batch: int, **options: Any) -> None:
        lanes = _lanes()
        loops = _loops(lanes, batch=batch)
        try:
            if once:
                for loop in loops:
                    loop.run_once()
            else:
                _run(loops)
        finally:
            lanes.close()


def _batch(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= MAX_BATCH:
        raise ArgumentTypeError(f"must be a whole number from 1 to {MAX_BATCH}")
    return int(text)


def _lanes() -> Lanes:
    return Lanes(providers=settings.PROVIDERS, is_console=settings.DEBUG or settings.DEMO)


def _loops(lanes: Lanes, *, batch: int) -> list[Loop]:
    """Return the deadlines first: what they decide is delivered by the second."""

    def fire() -> int:
        fired = run_deadlines(now=timezone.now(), limit=batch, params=settings.RAYON)
        return fired if fired == batch else 0

    deliver = partial(deliver_due, lanes=lanes, clock=timezone.now, limit=batch, params=settings.RAYON)
    make = partial(Loop, clock=timezone.now)
    return [
        make(name="deadlines", work=fire, next_due=next_deadline_at, idle_s=DEADLINES_IDLE_S),
        make(name="outbox", channels=(OUTBOX_CHANNEL,), work=deliver, next_due=next_message_at),
    ]


def _run(loops: list[Loop]) -> None:
    with Stop() as stop:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _teller(stop))
        # A slow provider must not hold up deadlines: each loop has a thread of its own.
        *others, last = loops
        threads = [threading.Thread(target=partial(loop.run, stop=stop), name=loop.name) for loop in others]
        for thread in threads:
            thread.start()
        last.run(stop=stop)
        for thread in threads:
            thread.join()


def _teller(stop: Stop) -> Callable[[int, FrameType | None], None]:
    def told(number: int, frame: FrameType | None) -> None:
        stop.tell()
        signal.signal(number, signal.SIG_DFL)  # asked again, the process ends at once; its leases pass

    return told
