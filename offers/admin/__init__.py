"""The staff's pages: places, catalogue, promotions, what was decided, what was sent, and the switch that stops it."""

from offers.admin import (
    catalogue,
    coupons,
    customers,
    decisions,
    jobs,
    lanes,
    learned,
    outbox,
    places,
    promotions,
    switch,
    visits,
)

__all__ = [
    "catalogue",
    "coupons",
    "customers",
    "dashboard",
    "decisions",
    "jobs",
    "lanes",
    "learned",
    "outbox",
    "places",
    "promotions",
    "switch",
    "visits",
]
