"""Events over sockets: one event a frame, the next one when the last is on disk and answered."""

import random

from scripts.say import step
from tests.benchmarks import worlds
from tests.benchmarks.database import Server, connect
from tests.benchmarks.events_rest import CONNECTIONS, MAX_EVENTS_PER_S, WALK_EVENTS, check, warm_up_s
from tests.benchmarks.figures import Figure
from tests.benchmarks.load import Load, closed
from tests.benchmarks.phones import OneEach, Repeater, Walker, frames_of
from tests.benchmarks.pipeline import count_events
from tests.benchmarks.processes import Watch
from tests.benchmarks.server import BARE, OURS, dialled, serving
from tests.benchmarks.wire import WebSocket
from tests.benchmarks.world import ODD_CUSTOMERS, SMALL, Size, token_of


def frames(*, server: Server, seconds: float, size: Size = SMALL) -> list[Figure]:
    """Decided events per second over 32 sockets, against frames that a consumer sends back as they are."""
    name = worlds.ready(server, size=size)
    phones = _ordinary(size)
    with (
        serving(application=OURS, server=server, name=name) as ours,
        dialled(
            ours, lambda number: WebSocket(ours.port, token=token_of(phones[number])), lines=CONNECTIONS
        ) as lines,
        connect(server, name=name) as connection,
    ):
        events = round(MAX_EVENTS_PER_S * (warm_up_s(seconds) + seconds) / CONNECTIONS)
        walkers = OneEach([Walker(frames_of(phone, stores=size.stores, events=events)) for phone in phones])
        closed(lines, walkers, seconds=warm_up_s(seconds))
        before = count_events(server, name=name)
        with step("measuring") as now:
            with Watch(pids=ours.pids, connection=connection) as watch:
                load = closed(lines, walkers, seconds=seconds)
            now.done = f"{load.per_s:,.0f} events/s"
        check(server, load, name=name, before=before, events_an_answer=1)
    bound = _echoes(server, name=name, phones=phones, size=size, seconds=seconds)
    return [
        Figure(
            name="events_socket",
            value=load.per_s,
            unit="events/s",
            bound=bound.per_s,
            bound_name=f"frames/s of an echo consumer, {CONNECTIONS} sockets",
            wanted=0.3,
            goal=0.7,
            cpu_us_per_event=watch.used.us_per_event(load.accepted, client_s=load.cpu_s),
            peak_mb=watch.used.peak_mb,
        )
    ]


def _echoes(server: Server, *, name: str, phones: list[int], size: Size, seconds: float) -> Load:
    with (
        serving(application=BARE, server=server, name=name) as bare,
        dialled(
            bare, lambda number: WebSocket(bare.port, token=token_of(phones[number])), lines=CONNECTIONS
        ) as lines,
    ):
        walkers = OneEach(
            [Repeater(frames_of(phone, stores=size.stores, events=WALK_EVENTS)) for phone in phones]
        )
        closed(lines, walkers, seconds=warm_up_s(seconds))
        with step("bound") as now:
            load = closed(lines, walkers, seconds=seconds)
            now.done = f"{load.per_s:,.0f} frames a second"
    return load


def _ordinary(size: Size) -> list[int]:
    """Return customers with nothing out of the ordinary: so few must not differ from the many by chance."""
    ordinary = [id_ for id_ in range(1, size.customers + 1) if id_ % ODD_CUSTOMERS != 7]
    return random.Random(7).sample(ordinary, k=CONNECTIONS)
