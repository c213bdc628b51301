"""What a local provider remembers: scripted answers, and every send as it came over the wire."""

import time
from collections import deque
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Generic, Literal, TypeVar

ANY_TOKEN = "*"
MAX_LOG = 100_000
MAX_DELAY_S = 3600.0
SHARED_KEYS = frozenset({"status", "retry_after", "delay_s", "drop", "times"})
T = TypeVar("T")
R = TypeVar("R", bound=Exception)


class BadScript(Exception):
    """A script that cannot be understood."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Generic[R]):
    """One scripted answer; the default is an acceptance."""

    refusal: R | None = None
    retry_after: str | None = None  # the header's value, as sent
    delay_s: float = 0.0  # seconds between processing and answering
    drop: Literal["before", "after"] | None = None  # cut the connection before or after processing


def listed_answers(raw: object, *, keys: Set[str], parse: Callable[[Mapping[str, Any]], T]) -> list[T]:
    """Return what `parse` makes of each object of a list, as often as its `times` says; raises BadScript."""
    if not isinstance(raw, list):
        raise BadScript("answers must be a list")
    answers: list[T] = []
    for item in raw:
        if not isinstance(item, dict) or not keys >= set(item):
            raise BadScript(f"an answer is an object with {sorted(keys)}")
        times = int(item.get("times", 1))
        if not 1 <= times <= MAX_LOG:
            raise BadScript(f"times must lie between 1 and {MAX_LOG}")
        answers += [parse(item)] * times
    return answers


def shared_fields(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an Answer has besides its refusal, as keyword arguments; raises BadScript."""
    retry_after = item.get("retry_after")
    return {
        "retry_after": None if retry_after is None else str(retry_after),
        "delay_s": scripted_delay(item),
        "drop": scripted_end("drop", item),
    }


def scripted_delay(item: Mapping[str, Any], *, key: str = "delay_s") -> float:
    """Return an answer's delay in seconds; raises BadScript."""
    delay_s = float(item.get(key, 0))
    if not 0 <= delay_s <= MAX_DELAY_S:
        raise BadScript(f"{key} must lie between 0 and {MAX_DELAY_S:.0f}")
    return delay_s


def scripted_end(key: str, item: Mapping[str, Any]) -> Literal["before", "after"] | None:
    """Return whether something ends before or after processing, or not at all; raises BadScript."""
    when: Literal["before", "after"] | None = item.get(key)
    if when not in (None, "before", "after"):
        raise BadScript(f"{key} must be before or after")
    return when


@dataclass(slots=True)
class Scripts(Generic[T]):
    """Answers still to be given, per token; a token without any falls back on those for any token."""

    accept: T  # where nothing is scripted
    _queues: dict[str, deque[T]] = field(default_factory=dict)

    def put(self, token: str, answers: list[T]) -> None:
        self._queues[token] = deque(answers)

    def clear(self) -> None:
        self._queues.clear()

    def take(self, token: str) -> T:
        """Return the next answer for the token, used up by this call."""
        queue = self._queues.get(token) or self._queues.get(ANY_TOKEN)
        return queue.popleft() if queue else self.accept


@dataclass(slots=True)
class WireLog:
    """Every send request, oldest first; the newest MAX_LOG are kept."""

    clock: Callable[[], float] = time.time
    _entries: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=MAX_LOG))
    _count: int = 0

    def add(
        self, *, message: Mapping[str, Any], status: int | None, code: str, **more: Any
    ) -> dict[str, Any]:
        """Append one send and return its entry: `status` None when the connection was cut, `code` OK or the error's."""
        self._count += 1
        at = datetime.fromtimestamp(self.clock(), UTC).isoformat()
        entry = {
            "seq": self._count,
            "at": at,
            "token": message.get("token"),
            "message": message,
            "answer": {"status": status, "code": code},
            **more,
        }
        self._entries.append(entry)
        return entry

    def since(self, seq: int) -> list[dict[str, Any]]:
        """Return the entries with a greater sequence number."""
        return [entry for entry in self._entries if entry["seq"] > seq]

    def clear(self) -> None:
        """Forget the entries; sequence numbers go on."""
        self._entries.clear()
