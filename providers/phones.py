"""What a local provider remembers: scripted answers, and every send as it came over the wire."""

import time
from collections import deque
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Generic, Literal, TypeVar

from .fcm_errors import CATALOGUE, CODE_FOR_STATUS, Refusal, foreign, refusal

ANY_TOKEN = "*"
MAX_LOG = 100_000
MAX_DELAY_S = 3600.0
T = TypeVar("T")
_ANSWER_KEYS = {"status", "error_code", "retry_after", "delay_s", "drop", "times"}


class BadScript(Exception):
    """A script that cannot be understood."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One scripted answer; the default is an acceptance."""

    refusal: Refusal | None = None
    retry_after: str | None = None  # the header's value, as sent
    delay_s: float = 0.0  # seconds between processing and answering
    drop: Literal["before", "after"] | None = None  # cut the connection before or after processing


ACCEPT = Answer()


def parse_answers(raw: object) -> list[Answer]:
    """Return the answers a script asks for, in order; raises BadScript with what is wrong."""
    return listed_answers(raw, keys=_ANSWER_KEYS, parse=_answer)


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


def scripted_delay(item: Mapping[str, Any]) -> float:
    """Return an answer's delay in seconds; raises BadScript."""
    delay_s = float(item.get("delay_s", 0))
    if not 0 <= delay_s <= MAX_DELAY_S:
        raise BadScript(f"delay_s must lie between 0 and {MAX_DELAY_S:.0f}")
    return delay_s


def _answer(item: Mapping[str, Any]) -> Answer:
    drop = item.get("drop")
    if drop not in (None, "before", "after"):
        raise BadScript("drop must be before or after")
    retry_after = item.get("retry_after")
    return Answer(
        refusal=_refusal(item.get("status"), item.get("error_code")),
        retry_after=None if retry_after is None else str(retry_after),
        delay_s=scripted_delay(item),
        drop=drop,
    )


def _refusal(status: int | None, code: str | None) -> Refusal | None:
    if code is None:
        if status is None or status == 200:
            return None
        if status not in CODE_FOR_STATUS:
            return foreign(status)
        code = CODE_FOR_STATUS[status]
    if code not in CATALOGUE:
        raise BadScript(f"error_code must be one of {sorted(CATALOGUE)}")
    return refusal(code, status=status)


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

    def add(self, *, message: Mapping[str, Any], status: int | None, code: str, **more: Any) -> None:
        """Append one send: `status` None when the connection was cut, `code` OK or the error's."""
        self._count += 1
        at = datetime.fromtimestamp(self.clock(), UTC).isoformat()
        token = message.get("token")
        answer = {"status": status, "code": code}
        self._entries.append(
            {
                "seq": self._count,
                "at": at,
                "token": token,
                "message": message,
                "answer": answer,
                **more,
            }
        )

    def since(self, seq: int) -> list[dict[str, Any]]:
        """Return the entries with a greater sequence number."""
        return [entry for entry in self._entries if entry["seq"] > seq]

    def clear(self) -> None:
        """Forget the entries; sequence numbers go on."""
        self._entries.clear()
