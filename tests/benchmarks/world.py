"""The world that is measured: stores, aisles with beacons, customers with purchase profiles, live offers.

Row i of a kind depends on i alone, so every run has the same world and both sizes are alike: a store has sixteen
offers whatever the number of stores. world_sql.py has the rows.
"""

from dataclasses import dataclass
from typing import Any

BEACON_UUID = (
    "7b1c0f52-8d0e-4a68-9a53-2f5f1f3f9c0{}"  # one digit more for each 60,000 stores: a major has 16 bits
)
STORES_PER_UUID = 60_000
AISLES = 4
CATEGORIES, BRANDS, PRODUCTS = 40, 200, 2_000
AFFINITIES = 8  # brands and as many categories that a customer buys
CHAIN_OFFERS = 10  # offers that hold in every store
WEST, SOUTH, COLUMNS, STEP = -1.5, 43.5, 400, 0.012  # stores on a grid, about a kilometre apart
ODD_CUSTOMERS, ODD_STORES, ODD_OFFERS = 20, 10, 10  # one in so many is out of the ordinary


@dataclass(frozen=True, kw_only=True)
class Size:
    name: str
    stores: int
    customers: int
    offers: int


TINY = Size(name="tiny", stores=20, customers=800, offers=60)  # for tests of the benchmarks themselves
SMALL = Size(name="small", stores=1_000, customers=10_000, offers=2_000)
LARGE = Size(name="large", stores=100_000, customers=1_000_000, offers=200_000)


def token_of(customer: int) -> str:
    """Return the bearer token of the customer with this id (from 1)."""
    return f"bench-token-{customer}"


def place_of(store: int) -> tuple[float, float]:
    """Return (lat, lon) of the store with this number (from 0)."""
    return SOUTH + STEP * (store // COLUMNS), WEST + STEP * (store % COLUMNS)


def beacon_of(store: int, aisle: int) -> dict[str, Any]:
    uuid = BEACON_UUID.format(store // STORES_PER_UUID)
    return {"uuid": uuid, "major": store % STORES_PER_UUID, "minor": aisle}


def values_of(size: Size) -> dict[str, Any]:
    """Return the parameters of the statements in world_sql."""
    return {
        "stores": size.stores,
        "customers": size.customers,
        "offers": size.offers,
        "aisles": AISLES,
        "categories": CATEGORIES,
        "brands": BRANDS,
        "products": PRODUCTS,
        "affinities": AFFINITIES,
        "chain": CHAIN_OFFERS,
        "columns": COLUMNS,
        "south": SOUTH,
        "west": WEST,
        "step": STEP,
        "per_uuid": STORES_PER_UUID,
        "uuid": BEACON_UUID.format(""),
        "odd_customers": ODD_CUSTOMERS,
        "odd_stores": ODD_STORES,
        "odd_offers": ODD_OFFERS,
    }
