"""Who gets nothing, so that what offers do can be measured: the same share for ever, by hash."""

from enum import StrEnum
from hashlib import blake2b

BUCKETS = 10_000
GLOBAL_SALT = "every offer"


class Arm(StrEnum):
    """Which side of the experiment a customer is on."""

    TREATED = "treated"
    HOLDOUT = "holdout"


def bucket(customer: int | str, salt: str) -> int:
    """Return the customer's bucket, 0..9999, evenly spread and independent from salt to salt."""
    salted = blake2b(salt.encode(), digest_size=32).digest()
    digest = blake2b(str(customer).encode(), key=salted, digest_size=8).digest()
    return int.from_bytes(digest, "big") % BUCKETS


def arm(*, customer: int | str, salt: str, holdout_share: float) -> Arm:
    """Return the customer's arm under one salt; raising the share (0..1) only moves people into the hold-out."""
    if bucket(customer, salt) < round(holdout_share * BUCKETS):
        return Arm.HOLDOUT
    return Arm.TREATED


def is_held_out(customer: str, *, offer: str, share: float, global_share: float) -> bool:
    """Return whether the customer is in the offer's own hold-out or in the house's, each with its share (0..1)."""
    return any(
        arm(customer=customer, salt=salt, holdout_share=out) is Arm.HOLDOUT
        for salt, out in ((offer, share), (GLOBAL_SALT, global_share))
    )
