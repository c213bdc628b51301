"""A load of messages over kept connections, light enough to leave the machine to the server.

Sockets, epoll and bytes made beforehand: about 30 µs of this process for a message. The same for a figure and
for its bound.
"""

import gc
import select
import time
from array import array
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from tests.benchmarks.messages import Message
from tests.benchmarks.wire import ACCEPTED, Line


class Phone(Protocol):
    """Whoever sends: `next_message` is asked again only after the last one was answered."""

    def next_message(self) -> Message: ...


class Source(Protocol):
    """Whose turn it is. A phone is taken for one message on a line, and given back when that is answered."""

    def take(self, line: int) -> Phone: ...
    def give_back(self, phone: Phone) -> None: ...


class Load:
    """What came of it."""

    def __init__(self) -> None:
        self.answers = 0
        self.accepted = 0  # events
        self.seconds = 0.0
        self.cpu_s = 0.0  # of this process
        self.latencies_s = array("d")

    @property
    def per_s(self) -> float:
        return self.answers / self.seconds

    def quantile_s(self, share: float) -> float:
        ordered = sorted(self.latencies_s)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def closed(lines: Sequence[Line], source: Source, *, seconds: float) -> Load:
    """Send for `seconds`, each line as soon as its answer is there. Raises wire.Refused."""
    load = Load()
    by_number = {line.fileno: index for index, line in enumerate(lines)}
    sent_at = [0.0] * len(lines)
    phones: list[Phone] = []
    with _polled(lines, load) as poll:
        start = time.perf_counter()
        until, offset = start + seconds, time.time() - start
        for index, line in enumerate(lines):
            phones.append(source.take(index))
            sent_at[index] = time.perf_counter()
            line.send(phones[index].next_message().at(sent_at[index] + offset))
        in_flight = len(lines)
        while in_flight:
            for number, _ in poll.poll():
                index = by_number[number]
                answer = lines[index].receive()
                if answer is None:
                    continue
                now = time.perf_counter()
                load.latencies_s.append(now - sent_at[index])
                load.answers += 1
                load.accepted += answer.count(ACCEPTED)
                source.give_back(phones[index])
                if now >= until:
                    in_flight -= 1
                    continue
                phones[index] = source.take(index)
                sent_at[index] = now
                lines[index].send(phones[index].next_message().at(now + offset))
    return load


def scheduled(lines: Sequence[Line], source: Source, *, arrivals_s: Sequence[float]) -> Load:
    """Send one message at each of these times from the start, whether the others are answered or not.

    A latency counts from the time of the schedule, so that waiting for a free line counts too. Raises wire.Refused.
    """
    load = Load()
    by_number = {line.fileno: index for index, line in enumerate(lines)}
    free = deque(range(len(lines)))
    waiting = deque(arrivals_s)
    due_at = [0.0] * len(lines)
    phones: dict[int, Phone] = {}
    with _polled(lines, load) as poll:
        start = time.perf_counter()
        offset = time.time() - start
        while waiting or phones:
            now = time.perf_counter()
            while waiting and free and start + waiting[0] <= now:
                index = free.popleft()
                due_at[index] = start + waiting.popleft()
                phones[index] = source.take(index)
                lines[index].send(phones[index].next_message().at(now + offset))
                now = time.perf_counter()
            # epoll itself rounds to milliseconds
            pause = max(0.0, start + waiting[0] - now) if waiting and free else None
            if not select.select([poll], [], [], pause)[0]:
                continue
            for number, _ in poll.poll(0):
                index = by_number[number]
                answer = lines[index].receive()
                if answer is None:
                    continue
                load.latencies_s.append(time.perf_counter() - due_at[index])
                load.answers += 1
                load.accepted += answer.count(ACCEPTED)
                source.give_back(phones.pop(index))
                free.append(index)
    return load


@contextmanager
def _polled(lines: Sequence[Line], load: Load) -> Iterator[select.epoll]:
    """Yield what tells which lines can be read, with the collector of garbage at rest, and note the times in `load`."""
    gc.collect()
    gc.disable()
    try:
        with select.epoll() as poll:
            for line in lines:
                poll.register(line.fileno, select.EPOLLIN)
            start, spent = time.perf_counter(), time.process_time()
            yield poll
            load.seconds = time.perf_counter() - start
            load.cpu_s = time.process_time() - spent
    finally:
        gc.enable()
