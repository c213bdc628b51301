"""What the scripts of the mail server and of the SMS gateway have in common."""

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar

from .phones import MAX_DELAY_S, MAX_LOG, BadScript

T = TypeVar("T")


def listed(raw: object, *, keys: frozenset[str], parse: Callable[[Mapping[str, Any]], T]) -> list[T]:
    """Return what `parse` makes of each object of a list, as often as its `times` says; raises BadScript."""
    if not isinstance(raw, list):
        raise BadScript("answers must be a list")
    answers: list[T] = []
    for item in raw:
        if not isinstance(item, dict) or not keys.issuperset(item):
            raise BadScript(f"an answer is an object with {sorted(keys)}")
        times = int(item.get("times", 1))
        if not 1 <= times <= MAX_LOG:
            raise BadScript(f"times must lie between 1 and {MAX_LOG}")
        answers += [parse(item)] * times
    return answers


def delay_of(item: Mapping[str, Any]) -> float:
    """Return an answer's delay in seconds; raises BadScript."""
    delay_s = float(item.get("delay_s", 0))
    if not 0 <= delay_s <= MAX_DELAY_S:
        raise BadScript(f"delay_s must lie between 0 and {MAX_DELAY_S:.0f}")
    return delay_s


def drop_of(item: Mapping[str, Any]) -> Literal["before", "after"] | None:
    """Return whether an answer cuts the connection before or after processing; raises BadScript."""
    drop: Literal["before", "after"] | None = item.get("drop")
    if drop not in (None, "before", "after"):
        raise BadScript("drop must be before or after")
    return drop
