"""Send what the outbox promises, and fire the deadlines of visits: `manage.py deliver [--once] [--batch 200] [--lane L]`."""

import gc
import signal
import sys
import threading
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from offers.delivery import deliver_due, drop_expired
from offers.hands import Hands
from offers.lane_worker import LaneWorker
from offers.operations.sending import OUTBOX_CHANNEL
from offers.pipeline import run_deadlines
from offers.queries.due import next_deadline_at, next_expiry_at
from offers.rules.lanes import LANES
from offers.stages.deliver import Lanes
from offers.wakeups import Stop
from offers.watch import Watch
from offers.worker import Loop

MAX_BATCH = 400  # what is given up well within the lease even when the provider answers nothing
HANDS = 3  # threads with a database connection, for all lanes
# A new deadline lies a dwell ahead, so looking this often finds nearly all of them before they fall due. Notifying
# instead would cost every batch of events the one lock that all commits with a NOTIFY share.
DEADLINES_IDLE_S = 2.0
# How long the hands' Python may keep the lanes from the answers that are there (0.005 is the interpreter's own).
SWITCH_S = 0.001


class Command(BaseCommand):
    help = "Deliver due messages and fire due deadlines, until told to stop. Run as many as wanted."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="do what is due now, and end")
        parser.add_argument(
            "--batch", type=_batch, default=200, help="messages claimed at once (default 200)"
        )
        parser.add_argument(
            "--lane", action="append", choices=LANES, help="only this lane; may be given again (default: all)"
        )

    def handle(self, *args: Any, once: bool, batch: int, lane: Sequence[str] | None, **options: Any) -> None:
        names = [name for name in LANES if lane is None or name in lane]
        if once:
            _run_once(names, batch=batch)
        else:
            _run(names, batch=batch)


def _batch(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= MAX_BATCH:
        raise ArgumentTypeError(f"must be a whole number from 1 to {MAX_BATCH}")
    return int(text)


def _lanes(name: str | None = None) -> Lanes:
    providers = settings.PROVIDERS
    if name is not None:
        providers = replace(providers, concurrency=settings.LANES[name].concurrency)
    return Lanes(providers=providers, is_console=settings.DEBUG or settings.DEMO)


def _clockwork(*, batch: int) -> list[Loop]:
    """Return what needs no provider: deadlines, which make messages, and what is too late to be sent."""

    def fire() -> int:
        fired = run_deadlines(now=timezone.now(), limit=batch, params=settings.RAYON)
        return fired if fired == batch else 0

    make = partial(Loop, clock=timezone.now)
    expire = partial(drop_expired, clock=timezone.now, limit=batch)
    return [
        make(name="deadlines", work=fire, next_due=next_deadline_at, idle_s=DEADLINES_IDLE_S),
        make(name="expired", work=expire, next_due=next_expiry_at),
    ]


def _run_once(names: Sequence[str], *, batch: int) -> None:
    lanes = _lanes()
    deliver = partial(deliver_due, lanes=lanes, clock=timezone.now, limit=batch, params=settings.RAYON)
    try:
        for loop in _clockwork(batch=batch):
            loop.run_once()
        # Round by round: a message may go over to another lane.
        while sum(deliver(lane=name) for name in names):
            pass
    finally:
        lanes.close()


def _run(names: Sequence[str], *, batch: int) -> None:
    sys.setswitchinterval(SWITCH_S)
    # As in config/asgi.py: what was loaded stays, and a batch makes thousands of values that all go together.
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    hands = Hands(threads=HANDS)
    workers = [
        LaneWorker(
            name=name,
            settings=settings.LANES[name],
            lanes=_lanes(name),
            hands=hands,
            clock=timezone.now,
            batch=batch,
            params=settings.RAYON,
        )
        for name in names
    ]
    watch = Watch(workers=workers, clock=timezone.now)
    looking = Loop(
        name="lanes",
        channels=(OUTBOX_CHANNEL,),
        work=watch.look,
        next_due=watch.next_at,
        clock=timezone.now,
    )
    with Stop() as stop:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _teller(stop))
        # A slow provider must not hold up deadlines, nor other providers: each has a thread of its own.
        runs = [
            *((loop.name, loop.run) for loop in _clockwork(batch=batch)),
            *((one.name, one.run) for one in workers),
        ]
        threads = [threading.Thread(target=partial(run, stop=stop), name=name) for name, run in runs]
        for thread in threads:
            thread.start()
        looking.run(stop=stop)
        for thread in threads:
            thread.join()
        hands.close()


def _teller(stop: Stop) -> Callable[[int, FrameType | None], None]:
    def told(number: int, frame: FrameType | None) -> None:
        stop.tell()
        signal.signal(number, signal.SIG_DFL)  # asked again, the process ends at once; its leases pass

    return told
