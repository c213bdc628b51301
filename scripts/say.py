"""What a person reads while the machine works."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Refusal(Exception):
    """The work cannot go on; the text is one clear sentence for the person at the keyboard."""


class Stopped(Exception):
    """The person (or the system) asked to stop."""


def line(text: str = "") -> None:
    """Print one line at once, even into a pipe."""
    print(text, flush=True)


def complaint(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


class Step:
    """One step's outcome; `done` is set by the step, in a few words."""

    done = ""


@contextmanager
def step(name: str) -> Iterator[Step]:
    """Print the step's name, what came of it, and its time."""
    started = time.monotonic()
    found = Step()
    yield found
    line(f"  {name:<11} {found.done:<58} {time.monotonic() - started:6.1f} s")
