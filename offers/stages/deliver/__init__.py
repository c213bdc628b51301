"""Delivery, step by step: look again, send by lane, and write down what came of it. offers/delivery.py runs them."""

from offers.stages.deliver.lanes import Lanes, unknown
from offers.stages.deliver.look import Looked, look_again
from offers.stages.deliver.outcomes import LANE_SLOWED, LANE_WAIT, sign_of
from offers.stages.deliver.parcels import Answer, Parcel
from offers.stages.deliver.record import (
    Deaths,
    Leftover,
    record_answers,
    release_messages,
    release_parcels,
)

__all__ = [
    "LANE_SLOWED",
    "LANE_WAIT",
    "Answer",
    "Deaths",
    "Lanes",
    "Leftover",
    "Looked",
    "Parcel",
    "look_again",
    "record_answers",
    "release_messages",
    "release_parcels",
    "sign_of",
    "unknown",
]
