"""Places, catalogue, promotions, visits, coupons, the outbox and what is learned: truth, constraints and filters."""

from offers.models.catalogue import Brand, Category, Product
from offers.models.coupons import (
    Arm,
    Coupon,
    CouponCode,
    CouponState,
    Decision,
    Exposure,
    Feedback,
    FeedbackKind,
)
from offers.models.outbox import SOCKET, MessageState, OutboxMessage, Receipt, SendingSwitch
from offers.models.places import Aisle, Beacon, Store
from offers.models.promotions import (
    BenefitKind,
    Capacity,
    Objective,
    Offer,
    OfferAffinityKey,
    OfferState,
    OfferStore,
    TriggerOn,
    TriggerPlaces,
)
from offers.models.sockets import OpenSocket, SocketServer
from offers.models.targeting import NextBasket, ResponseModel
from offers.models.visits import EventType, LocationEvent, Presence, Visit

__all__ = [
    "SOCKET",
    "Aisle",
    "Arm",
    "Beacon",
    "BenefitKind",
    "Brand",
    "Capacity",
    "Category",
    "Coupon",
    "CouponCode",
    "CouponState",
    "Decision",
    "EventType",
    "Exposure",
    "Feedback",
    "FeedbackKind",
    "LocationEvent",
    "MessageState",
    "NextBasket",
    "Objective",
    "Offer",
    "OfferAffinityKey",
    "OfferState",
    "OfferStore",
    "OpenSocket",
    "OutboxMessage",
    "Presence",
    "Product",
    "Receipt",
    "ResponseModel",
    "SendingSwitch",
    "SocketServer",
    "Store",
    "TriggerOn",
    "TriggerPlaces",
    "Visit",
]
