"""What the presence row remembers of the fold, as JSON and as values."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import msgspec

from offers.rules.visits import Visit, VisitParams, VisitState, next_deadline
from offers.stages.visits.heard import Order

FORGET_AFTER = timedelta(minutes=1)  # far longer than a sighting counts
FORGET_LEFT_AFTER = timedelta(minutes=20)  # longer than an absence that a visit outlives


class Memory(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True):
    """The fold of one customer. No position is in it: `fix` names the event that holds the last one."""

    states: Mapping[int, VisitState] = msgspec.field(default_factory=dict)  # by store id
    last: Order | None = None  # of the last event folded
    settled_at: datetime | None = None  # the last deadline acted on
    fix: tuple[int, str] | None = None  # row and id of the event that holds the last believed position

    def must_refold(self, order: Order) -> bool:
        """Return whether an event belongs before something that was already folded or settled."""
        return (self.last is not None and order <= self.last) or (
            self.settled_at is not None and order[0] < self.settled_at
        )


NOTHING = Memory()
_DECODER = msgspec.json.Decoder(Memory)
_ENCODER = msgspec.json.Encoder()


def memory_from_json(text: str) -> Memory:
    """Return what memory_to_json wrote; an empty text is a customer of whom nothing is known."""
    return _DECODER.decode(text) if text else NOTHING


def memory_to_json(memory: Memory) -> str:
    """Return the memory as JSON. Compiled: it is done for every event."""
    return _ENCODER.encode(memory).decode()


def due_at(memory: Memory, *, params: VisitParams) -> datetime | None:
    """Return when the worker must look at this customer, even if the phone stays silent."""
    return min(
        (due for state in memory.states.values() if (due := next_deadline(state, params=params))),
        default=None,
    )


def remembered(
    states: Iterable[VisitState],
    *,
    last: Order | None,
    settled_at: datetime | None,
    fix: tuple[int, str] | None,
) -> Memory:
    """Return the memory of these states; those that say nothing any more are let go."""
    states = list(states)
    settled = [state.settled_at for state in states if state.settled_at]
    return Memory(
        states={
            int(state.store): state
            for state in states
            if state.open_visits
            or ((state.signals or state.momentary) and _is_recent(state, last=last))
            or (state.left is not None and _may_go_on(state.left, last=last))
        },
        last=last,
        settled_at=max([*settled, *([settled_at] if settled_at else [])], default=None),
        fix=fix,
    )


def _is_recent(state: VisitState, *, last: Order | None) -> bool:
    """Return whether sightings or visits of a moment may still matter to the next event."""
    return last is not None and state.last is not None and last[0] - state.last[0] < FORGET_AFTER


def _may_go_on(left: Visit, *, last: Order | None) -> bool:
    return last is not None and last[0] - left.last_seen_at < FORGET_LEFT_AFTER
