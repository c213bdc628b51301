"""The phones of the load: walks as messages, all made before the clock starts."""

import random
from collections import deque
from collections.abc import Iterable, Sequence
from itertools import islice

from tests.benchmarks.load import Phone
from tests.benchmarks.messages import Message, frame, request
from tests.benchmarks.walks import shopping
from tests.benchmarks.world import token_of

PATH = "/v1/events"


class Walker:
    """One phone with the messages that it will send, in order."""

    def __init__(self, messages: Iterable[Message]) -> None:
        self._messages = deque(messages)

    @property
    def is_done(self) -> bool:
        return not self._messages

    def next_message(self) -> Message:
        if not self._messages:
            raise RuntimeError("a phone has too few events for a measurement of that length")
        return self._messages.popleft()


class Repeater(Walker):
    """A phone that begins again when it is through: for a server that does not look at what it is sent."""

    def next_message(self) -> Message:
        self._messages.rotate(-1)
        return self._messages[-1]


class Crowd:
    """Many phones that take turns, each with one message under way at most; who has walked is replaced by another."""

    def __init__(self, walkers: Sequence[Walker], *, at_once: int) -> None:
        """at_once: how many walk at the same time."""
        self._walking = deque(walkers[:at_once])
        self._at_home = deque(walkers[at_once:])

    @property
    def left(self) -> int:
        """Return how many have not set out yet."""
        return len(self._at_home)

    def take(self, line: int) -> Walker:
        if not self._walking:
            raise RuntimeError("there are too few phones for a measurement of that length")
        return self._walking.popleft()

    def give_back(self, phone: Phone) -> None:
        assert isinstance(phone, Walker)
        if not phone.is_done:
            self._walking.append(phone)
        elif self._at_home:
            self._walking.append(self._at_home.popleft())


class OneEach:
    """One phone for each line."""

    def __init__(self, walkers: Sequence[Walker]) -> None:
        self._walkers = walkers

    def take(self, line: int) -> Walker:
        return self._walkers[line]

    def give_back(self, phone: Phone) -> None:
        """Keep it: it is the line's."""


def batch_of(customer: int, *, stores: int, events: int) -> list[Message]:
    """Return a whole walk in one request."""
    walk = islice(shopping(chance=random.Random(customer), stores=stores), events)
    return [request(path=PATH, token=token_of(customer), events=list(walk))]


def singles_of(customer: int, *, stores: int, events: int, first: int = 0) -> list[Message]:
    """Return one request an event, from the walk's event number `first` on."""
    walk = islice(shopping(chance=random.Random(customer), stores=stores), first, events)
    return [request(path=PATH, token=token_of(customer), events=[event]) for event in walk]


def frames_of(customer: int, *, stores: int, events: int) -> list[Message]:
    """Return one frame an event."""
    walk = islice(shopping(chance=random.Random(customer), stores=stores), events)
    return [frame(seq=seq, event=event) for seq, event in enumerate(walk)]
