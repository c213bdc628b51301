"""What a person sees while a benchmark works: what is under way, then what came of it and how long it took."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from scripts.say import Step, step


@contextmanager
def doing(name: str) -> Iterator[Step]:
    """Say what is under way where somebody looks on, and in the end what came of it: set `done` of what is yielded."""
    if sys.stdout.isatty():
        print(f"  {name} …", end="\r", flush=True)
    with step(name) as now:
        yield now
