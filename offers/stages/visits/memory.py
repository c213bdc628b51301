"""What the presence row remembers of the fold, as JSON and as values."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from offers.rules.visits import VisitParams, VisitState, next_deadline, state_from_json, state_to_json
from offers.stages.visits.heard import Order

FORGET_AFTER = timedelta(minutes=1)  # far longer than a sighting counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """The fold of one customer. No position is in it: `fix` is the row of the event that holds the last one."""

    states: Mapping[int, VisitState] = field(default_factory=dict)  # by store id
    last: Order | None = None  # of the last event folded
    settled_at: datetime | None = None  # the last deadline acted on
    fix: int | None = None

    def must_refold(self, order: Order) -> bool:
        """Return whether an event belongs before something that was already folded or settled."""
        return (self.last is not None and order <= self.last) or (
            self.settled_at is not None and order[0] < self.settled_at
        )


def memory_from_json(data: Mapping[str, Any]) -> Memory:
    """Return what memory_to_json wrote; an empty mapping is a customer of whom nothing is known."""
    last, settled_at = data.get("last"), data.get("settled_at")
    return Memory(
        states={state["store"]: state_from_json(state) for state in data.get("stores", ())},
        last=(datetime.fromisoformat(last[0]), last[1]) if last else None,
        settled_at=datetime.fromisoformat(settled_at) if settled_at else None,
        fix=data.get("fix"),
    )


def memory_to_json(memory: Memory) -> dict[str, Any]:
    return {
        "stores": [state_to_json(state) for state in memory.states.values()],
        "last": [memory.last[0].isoformat(), memory.last[1]] if memory.last else None,
        "settled_at": memory.settled_at.isoformat() if memory.settled_at else None,
        "fix": memory.fix,
    }


def due_at(memory: Memory, *, params: VisitParams) -> datetime | None:
    """Return when the worker must look at this customer, even if the phone stays silent."""
    return min(
        (due for state in memory.states.values() if (due := next_deadline(state, params=params))),
        default=None,
    )


def remembered(
    states: Iterable[VisitState], *, last: Order | None, settled_at: datetime | None, fix: int | None
) -> Memory:
    """Return the memory of these states; those that say nothing any more are let go."""
    states = list(states)
    settled = [state.settled_at for state in states if state.settled_at]
    return Memory(
        states={
            int(state.store): state
            for state in states
            if state.open_visits or ((state.signals or state.momentary) and _is_recent(state, last=last))
        },
        last=last,
        settled_at=max([*settled, *([settled_at] if settled_at else [])], default=None),
        fix=fix,
    )


def _is_recent(state: VisitState, *, last: Order | None) -> bool:
    """Return whether sightings or visits of a moment may still matter to the next event."""
    return last is not None and state.last is not None and last[0] - state.last[0] < FORGET_AFTER
