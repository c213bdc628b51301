"""Lanes at work in threads of the test's own process, woken as the command wakes them."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from django.conf import settings
from django.utils import timezone

from offers.gateways.settings import FcmSettings, ProviderSettings
from offers.hands import Hands
from offers.lane_worker import LaneWorker
from offers.operations.sending import OUTBOX_CHANNEL
from offers.rules.lanes import LaneSettings
from offers.stages.deliver import Lanes
from offers.wakeups import Stop
from offers.watch import Watch
from offers.worker import Loop
from providers.testing import RunningFcm


def providers_of(fcm: RunningFcm, **more: Any) -> ProviderSettings:
    return ProviderSettings(
        fcm=FcmSettings(base_url=fcm.base_url, credentials_file=fcm.credentials_file), **more
    )


@contextmanager
def working(
    *, providers: ProviderSettings, lanes: Mapping[str, LaneSettings], batch: int = 200
) -> Iterator[None]:
    """Run these lanes until the block ends; then tell them to stop, and wait until they have."""
    hands = Hands(threads=3)
    workers = [
        LaneWorker(
            name=name,
            settings=given,
            lanes=Lanes(providers=providers),
            hands=hands,
            clock=timezone.now,
            batch=batch,
            params=settings.RAYON,
            chance=lambda: 0.0,
        )
        for name, given in lanes.items()
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
        threads = [
            threading.Thread(target=partial(run, stop=stop))
            for run in (looking.run, *(w.run for w in workers))
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.tell()
            for thread in threads:
                thread.join(30)
            hands.close()
    assert not any(thread.is_alive() for thread in threads)
