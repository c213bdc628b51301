"""Delivery, step by step: look again, send by lane, and write down what came of it. offers/delivery.py runs them."""

from offers.stages.deliver.lanes import Answer, Lanes
from offers.stages.deliver.look import Looked, Parcel, look_again
from offers.stages.deliver.record import Deaths, Leftover, record_answers, release_messages

__all__ = [
    "Answer",
    "Deaths",
    "Lanes",
    "Leftover",
    "Looked",
    "Parcel",
    "look_again",
    "record_answers",
    "release_messages",
]
