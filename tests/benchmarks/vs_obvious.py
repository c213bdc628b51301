"""What the pipeline gains over the obvious way: one event, one transaction, Django's ORM, in one process each."""

from contextlib import ExitStack

from tests.benchmarks import database, worlds
from tests.benchmarks.database import Server
from tests.benchmarks.figures import Figure
from tests.benchmarks.pipeline import PHONES, STEPS, contestant, measure
from tests.benchmarks.world import SMALL, Size

OBVIOUS_PHONES = 4  # walk at once: a turn of theirs takes as long as one of the pipeline's


def rates(
    *, server: Server, seconds: float, size: Size = SMALL, phones: int = PHONES, steps: int = STEPS
) -> list[Figure]:
    """Decided events per second of the pipeline in batches of 200, against one by one the obvious way."""
    copied = worlds.ready_copy(server, size=size)
    try:
        with ExitStack() as stack:
            ours = stack.enter_context(contestant(server, size=size, phones=phones))
            theirs = stack.enter_context(
                contestant(server, size=size, name=copied, implementation="obvious", phones=OBVIOUS_PHONES)
            )
            measure(server, [ours, theirs], seconds=seconds, steps=steps)
    finally:
        database.drop(server, name=copied)
    return [
        Figure(
            name="vs_obvious",
            value=ours.events_per_s,
            unit="events/s",
            bound=theirs.events_per_s,
            bound_name="the obvious implementation, event by event",
            wanted=10,
            goal=30,
            cpu_us_per_event=ours.cpu_us_per_event
            | {f"{what}, obvious": spent for what, spent in theirs.cpu_us_per_event.items()},
            peak_mb=ours.peak_mb,
        )
    ]
