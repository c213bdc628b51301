"""A message on its way to one address, and what came of it."""

from dataclasses import dataclass
from datetime import datetime

from offers.gateways.port import PushMessage, Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A message, leased and looked at, with the address and the text it goes out with."""

    row_id: int  # of the outbox message
    attempts: int  # this try counted
    customer_id: int
    device_id: int | None  # primary key; None for an e-mail or an SMS
    push: PushMessage
    next_lane: str  # where it goes when this way was in vain: for an open socket, its phone's own lane


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one parcel came to; `was_tried` tells a gateway's word from a lane that has no gateway."""

    parcel: Parcel
    receipt: Receipt
    at: datetime  # when it came
    was_tried: bool = True
