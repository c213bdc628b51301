"""Where the demo's files lie, and small readers for those that are not made for the import commands."""

import csv
import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, TypedDict
from zoneinfo import ZoneInfo

FOLDER = Path(__file__).resolve().parent

STORES = FOLDER / "stores.geojson.gz"  # for import_stores; times in TIME_ZONE
CATEGORIES = FOLDER / "categories.csv"  # ref, name, parent; parents first
PRODUCTS = FOLDER / "products.csv"  # for import_products
CUSTOMERS = FOLDER / "customers.csv"  # ref, language, time_zone
PURCHASES = FOLDER / "purchases.csv.gz"  # for import_purchases; sorted by time, a receipt's lines together
AISLES = FOLDER / "aisles.json"
OFFERS = FOLDER / "offers.json"
STORY = FOLDER / "story.json"
CAMPAIGNS = FOLDER / "campaigns.csv"
COUPON_REDEMPTIONS = FOLDER / "coupon_redemptions.csv"
COUPON_DEPTHS = FOLDER / "coupon_depths.csv"

TIME_ZONE = "Europe/Paris"
CURRENCY = "EUR"
OFFERS_RUN_FOR = timedelta(days=56)


class Beacon(TypedDict):
    uuid: str
    major: int
    minor: int


class Aisle(TypedDict):
    """An aisle as `PUT /v1/stores/{store}/aisles/{ref}` takes it, with its two refs."""

    store: str
    ref: str
    name: str
    categories: list[str]
    beacons: list[Beacon]
    dwell_s: int


class CustomerRow(TypedDict):
    ref: str
    language: Literal["fr", "en"]
    time_zone: str


class CategoryRow(TypedDict):
    ref: str
    name: str
    parent: str  # "" at the top


@dataclass(frozen=True, kw_only=True)
class Story:
    buyer: str  # customer ref: bought the brand's yoghurts more often than anybody else
    neighbour: str  # customer ref: came more often than the buyer, never bought a yoghurt or the brand
    brand: str
    category: str  # ref of the shelf the brand is on
    gtins: tuple[str, ...]  # the brand's yoghurts
    gtins_bought: tuple[str, ...]  # those of them the buyer bought
    offer: str  # ref
    store: str  # ref; also where the buyer shops most
    aisle: str  # ref in that store
    beacon: Beacon
    demo_stores: tuple[str, ...]  # refs of the stores with aisles, the story's first
    last_purchase_at: datetime  # of all customers


@dataclass(frozen=True, kw_only=True)
class DemoOffer:
    ref: str
    publish: bool  # else it stays a draft
    grounds: str  # which recorded coupons its depth leans on
    body: dict[str, Any]  # as `PUT /v1/offers/{ref}` takes it


def read_story() -> Story:
    values = _json(STORY)
    return Story(
        **{
            key: values[key]
            for key in ("buyer", "neighbour", "brand", "category", "offer", "store", "aisle", "beacon")
        },
        gtins=tuple(values["gtins"]),
        gtins_bought=tuple(values["gtins_bought"]),
        demo_stores=tuple(values["demo_stores"]),
        last_purchase_at=datetime.fromisoformat(values["last_purchase_at"]),
    )


def read_aisles() -> list[Aisle]:
    """Return the aisles of the demo stores, those of the story's store first."""
    aisles: list[Aisle] = _json(AISLES)
    return aisles


def read_customers() -> Iterator[CustomerRow]:
    yield from _rows(CUSTOMERS)


def read_categories() -> Iterator[CategoryRow]:
    yield from _rows(CATEGORIES)


def read_offers(*, now: datetime) -> list[DemoOffer]:
    """Return the offers, running from the start of `now`'s day in UTC for OFFERS_RUN_FOR, in their stores.

    Run again on the same day, the bodies are the same.
    """
    begins = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    story = read_story()
    stores = {
        "story_store": [story.store],
        "other_demo_stores": list(story.demo_stores[1:]),
        "all_demo_stores": list(story.demo_stores),
    }
    offers = []
    for entry in _json(OFFERS):
        body = deepcopy(entry["offer"])
        body["stores"] = stores[entry["runs_in"]]
        body["valid"] |= {"from": begins.isoformat(), "until": (begins + OFFERS_RUN_FOR).isoformat()}
        offers.append(
            DemoOffer(ref=entry["ref"], publish=entry["publish"], grounds=entry["grounds"], body=body)
        )
    return offers


def weeks_to_shift(*, now: datetime) -> int:
    """Return by how many whole weeks recorded purchases move so that the last lies 0 to 7 days before `now`."""
    return (now - read_story().last_purchase_at) // timedelta(weeks=1)


def shifted(instant: datetime, *, weeks: int) -> datetime:
    """Return `instant` moved by whole weeks on the clock of Paris: weekday and hour stay, whatever summer time does."""
    local = instant.astimezone(ZoneInfo(TIME_ZONE))
    return (local + timedelta(weeks=weeks)).astimezone(UTC)


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _rows(path: Path) -> Iterator[Any]:
    with path.open(encoding="utf-8", newline="") as handle:
        yield from csv.DictReader(handle)
