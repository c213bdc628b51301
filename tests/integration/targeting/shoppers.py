"""Customers whose baskets follow a plan, written straight to the ledger."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from customers.models import Customer, Purchase, PurchaseLine

# Two tastes: each has staples that come back, and products that follow one another from basket to basket.
STAPLES = {"a": ("a0", "a1", "a2"), "b": ("b0", "b1", "b2")}
CHAINS = {"a": ("a3", "a4", "a5", "a6", "a7"), "b": ("b3", "b4", "b5", "b6", "b7")}
EVERYBODY = tuple(f"c{number}" for number in range(12))


def plan(chance: random.Random, *, taste: str, baskets: int) -> list[list[str]]:
    """Return baskets of two staples, the next link of the taste's chain, and something that anybody buys."""
    start = chance.randrange(len(CHAINS[taste]))
    return [
        [
            *chance.sample(STAPLES[taste], 2),
            CHAINS[taste][(start + number) % len(CHAINS[taste])],
            chance.choice(EVERYBODY),
        ]
        for number in range(baskets)
    ]


def plans(*, seed: int, customers: int) -> dict[str, list[list[str]]]:
    """Return the baskets of each customer, oldest first; the same for a seed."""
    chance = random.Random(seed)
    return {
        f"u{number}": plan(chance, taste="ab"[number % 2], baskets=chance.randint(3, 7))
        for number in range(customers)
    }


def make_shoppers(
    baskets: dict[str, Sequence[Sequence[str]]], *, now: datetime, granted: Sequence[str] = ("profiling",)
) -> dict[str, Customer]:
    """Make a customer for each name, a basket a week, the last one a day ago; products are named by their gtin."""
    values: dict[str, Any] = {"granted": list(granted), "created_at": now, "updated_at": now}
    people = Customer.objects.bulk_create([Customer(ref=name, **values) for name in baskets])
    receipts = [
        Purchase(
            customer=person,
            store_ref="S1",
            receipt=f"{person.ref}-{number}",
            purchased_at=now - timedelta(days=1 + 7 * (len(own) - 1 - number)),
            currency="EUR",
            digest=b"",
            received_at=now,
        )
        for person, own in zip(people, baskets.values(), strict=True)
        for number in range(len(own))
    ]
    Purchase.objects.bulk_create(receipts)
    flat = [basket for own in baskets.values() for basket in own]
    PurchaseLine.objects.bulk_create(
        PurchaseLine(
            purchase=receipt,
            customer_id=receipt.customer_id,
            position=position,
            gtin=gtin,
            quantity=1,
            unit_price_minor=100,
        )
        for receipt, basket in zip(receipts, flat, strict=True)
        for position, gtin in enumerate(basket)
    )
    return dict(zip(baskets, people, strict=True))
