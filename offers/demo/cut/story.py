"""The story's people and places, looked up in the cut itself: a buyer, a neighbour, a brand, a shop, an aisle."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from offers.demo.cut.households import Purchase, by_rank, customer_ref, is_outlined_monoprix, story_buyer
from offers.demo.cut.io import write_json
from offers.demo.cut.products import Product

BEACONS_URL = "https://rayon.example/demo/beacons"
BEACON_UUID = str(uuid5(NAMESPACE_URL, BEACONS_URL))

# ref, name, categories on the shelves: the plan of the aisles is the project's own, not recorded anywhere.
AISLES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("frais", "Rayon frais", ("frais",)),
    ("fruits-legumes", "Fruits et légumes", ("fruits-legumes",)),
    ("epicerie-salee", "Épicerie salée", ("epicerie-salee",)),
    ("epicerie-sucree", "Épicerie sucrée", ("epicerie-sucree",)),
    ("boissons", "Boissons", ("boissons",)),
    ("boulangerie", "Boulangerie", ("boulangerie",)),
    ("surgeles", "Surgelés", ("surgeles",)),
)
AISLE_DWELL_S = 15


def cut_story(
    *,
    target: Path,
    purchases: Sequence[Purchase],
    products: Sequence[Product],
    stores: Sequence[dict[str, Any]],
) -> dict[str, Any]:
    """Write aisles.json and story.json; return the story."""
    buyer = customer_ref(story_buyer((purchase.line.household, purchase.product) for purchase in purchases))
    bought = [purchase for purchase in purchases if purchase.customer == buyer]
    brand = by_rank(_yoghurt_brands(bought))[0][0]
    neighbour = _neighbour(purchases, brand=brand)
    store = by_rank(Counter(purchase.store for purchase in bought))[0][0]
    outlined = sorted(shop["id"] for shop in stores if is_outlined_monoprix(shop))
    demo_stores = [store, *(ref for ref in outlined if ref != store)]
    aisles = [
        aisle for number, ref in enumerate(demo_stores, start=1) for aisle in _aisles(ref, major=number)
    ]
    story = {
        "buyer": buyer,
        "neighbour": neighbour,
        "brand": brand,
        "category": "yaourts",
        "gtins": sorted(
            product.gtin for product in products if product.brand == brand and product.is_yoghurt
        ),
        "gtins_bought": sorted(
            {p.product.gtin for p in bought if p.product.brand == brand and p.product.is_yoghurt}
        ),
        "offer": "yaourts-de-la-marque",
        "store": store,
        "aisle": "frais",
        "beacon": aisles[0]["beacons"][0],
        "demo_stores": demo_stores,
        "last_purchase_at": max(purchase.line.bought_at for purchase in purchases).isoformat(),
        "facts": {
            "buyer": _facts(bought, brand=brand),
            "neighbour": _facts_of(neighbour, purchases, brand=brand),
        },
    }
    write_json(target / "aisles.json", aisles)
    write_json(target / "story.json", story)
    return story


def _yoghurt_brands(purchases: Sequence[Purchase]) -> Counter[str]:
    national = [p.product for p in purchases if p.product.is_yoghurt and not p.product.is_retailer_brand]
    return Counter(product.brand for product in national if product.brand)


def _neighbour(purchases: Sequence[Purchase], *, brand: str) -> str:
    """Return who came most often of those with no yoghurt and nothing of the brand on any sampled line."""
    ruled_out = {p.customer for p in purchases if p.product.is_yoghurt or p.product.brand == brand}
    visits = Counter(customer for customer, _ in {(p.customer, p.line.basket) for p in purchases})
    return next(customer for customer, _ in by_rank(visits) if customer not in ruled_out)


def _aisles(store: str, *, major: int) -> list[dict[str, Any]]:
    return [
        {
            "store": store,
            "ref": ref,
            "name": name,
            "categories": list(categories),
            "beacons": [{"uuid": BEACON_UUID, "major": major, "minor": minor}],
            "dwell_s": AISLE_DWELL_S,
        }
        for minor, (ref, name, categories) in enumerate(AISLES, start=1)
    ]


def _facts_of(customer: str, purchases: Sequence[Purchase], *, brand: str) -> dict[str, Any]:
    return _facts([purchase for purchase in purchases if purchase.customer == customer], brand=brand)


def _facts(bought: Sequence[Purchase], *, brand: str) -> dict[str, Any]:
    of_brand = [purchase for purchase in bought if purchase.product.brand == brand]
    return {
        "receipts": len({purchase.line.basket for purchase in bought}),
        "lines": len(bought),
        "yoghurt_lines": sum(purchase.product.is_yoghurt for purchase in bought),
        "brand_lines": len(of_brand),
        "brand_units": sum(purchase.line.quantity for purchase in of_brand),
        "last_bought_brand_at": max((p.line.bought_at.isoformat() for p in of_brand), default=None),
    }
