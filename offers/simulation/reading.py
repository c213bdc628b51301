"""A path as it is sent, to the steps of a walk."""

from collections.abc import Sequence
from typing import Any

from offers.events import InvalidEvent, parse_event, sent_id
from offers.simulation.values import Step


def steps_of(raw_events: Sequence[Any]) -> tuple[Step, ...]:
    """Return one step an event, same order; one that is not what the contract says will be rejected alone."""
    return tuple(_step(raw) for raw in raw_events)


def _step(raw: Any) -> Step:
    try:
        return Step(sent_id=sent_id(raw), event=parse_event(raw, customer_id=0, device_id=""))
    except InvalidEvent:
        return Step(sent_id=sent_id(raw), event=None)
