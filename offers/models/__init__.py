"""Places, catalogue, promotions, visits, coupons, the outbox and what is learned: truth, constraints and filters."""

from offers.models.catalogue import Brand, Category, Goods, Product, ProductPrice, Sensitive
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
from offers.models.deals import DealState
from offers.models.lanes import Lane
from offers.models.outbox import SOCKET, MessageState, OutboxMessage, Receipt, SendingSwitch
from offers.models.places import Aisle, Beacon, Store
from offers.models.promotions import (
    BenefitKind,
    Capacity,
    Objective,
    Offer,
    OfferAffinityKey,
    OfferLegal,
    OfferState,
    OfferStore,
    TriggerOn,
    TriggerPlaces,
)
from offers.models.sockets import OpenSocket, SocketServer
from offers.models.targeting import CustomerResponses, NextBasket, OfferResponses, ResponseModel
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
    "CustomerResponses",
    "DealState",
    "Decision",
    "EventType",
    "Exposure",
    "Feedback",
    "FeedbackKind",
    "Goods",
    "Lane",
    "LocationEvent",
    "MessageState",
    "NextBasket",
    "Objective",
    "Offer",
    "OfferAffinityKey",
    "OfferLegal",
    "OfferResponses",
    "OfferState",
    "OfferStore",
    "OpenSocket",
    "OutboxMessage",
    "Presence",
    "Product",
    "ProductPrice",
    "Receipt",
    "ResponseModel",
    "SendingSwitch",
    "Sensitive",
    "SocketServer",
    "Store",
    "TriggerOn",
    "TriggerPlaces",
    "Visit",
]
