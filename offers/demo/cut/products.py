"""The French catalogue: GTIN and name as recorded; brand, category and price derived (docs/demo-data.md says how)."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from offers.demo.cut.brands import RETAILER_BRANDS, brand_of
from offers.demo.cut.categories import PARENT, TREE, category_of, root_is_yoghurt
from offers.demo.cut.io import Row, fold, read_csv, stable_hash, write_csv
from offers.demo.cut.journey import Journey
from offers.demo.cut.mapping import YOGHURT

YOGHURTS_PER_LEAF = 70  # at most; the brands of BRANDS_IN_NAMES first
OTHERS_PER_LEAF = 34

_PACK = re.compile(
    r"\bx ?\d+\b|\b\d+ ?x ?\d*|\b\d+ (pots?|yaourts?|unites?|bouteilles?)\b|\bles \d+\b|^\d+ |^yaourts\b|\bpack\b"
)


@dataclass(frozen=True, kw_only=True)
class Product:
    gtin: str
    name: str
    brand: str  # "" where neither the name nor the prefix speaks
    category: str  # ref of a leaf
    pack: bool  # the name says that several pots are sold together
    price_minor: int  # EUR cents, derived

    @property
    def is_retailer_brand(self) -> bool:
        return self.brand in RETAILER_BRANDS

    @property
    def is_yoghurt(self) -> bool:
        return PARENT[self.category] == "yaourts"


def has_valid_check_digit(gtin: str) -> bool:
    """Return whether the last digit is the GS1 modulo-10 check digit of the others."""
    if not gtin.isdigit() or len(gtin) not in (8, 12, 13, 14):
        return False
    weighted = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(reversed(gtin)))
    return weighted % 10 == 0


def cut_products(*, source: Path, target: Path, journey: Journey) -> tuple[list[Product], Counter[str]]:
    """Write categories.csv and products.csv; return the products and how many source rows were left out, by reason."""
    refused: Counter[str] = Counter()
    candidates: dict[str, list[Product]] = defaultdict(list)
    seen: set[str] = set()
    for row in read_csv(source / "catalogue_off_fr" / "products.csv.gz"):
        reason = _refusal(row, seen)
        if reason:
            refused[reason] += 1
            continue
        seen.add(row["gtin"])
        product = _product(row, journey=journey)
        if product is None:
            refused["no word rule gives a category"] += 1
        else:
            candidates[product.category].append(product)
    kept = [product for ref in sorted(candidates) for product in _pick(ref, candidates[ref])]
    refused["beyond the cut"] = sum(map(len, candidates.values())) - len(kept)
    kept.sort(key=lambda product: product.gtin)
    write_csv(target / "categories.csv", ("ref", "name", "parent"), TREE)
    columns = ("gtin", "name", "brand", "category", "price_minor", "currency")
    write_csv(target / "products.csv", columns, map(_line, kept))
    return kept, refused


def _refusal(row: Row, seen: set[str]) -> str:
    if not has_valid_check_digit(row["gtin"]):
        return "check digit is wrong"
    if row["gtin"] in seen:
        return "GTIN listed twice"
    name = row["name"]
    if "?" in name or "�" in name or "&quot" in name or not 4 <= len(name) <= 120:
        return "name is damaged, too short or too long"
    return ""


def _product(row: Row, *, journey: Journey) -> Product | None:
    name = " ".join(row["name"].split())
    category = category_of(name)
    if not category:
        return None
    dairy = root_is_yoghurt(category) or category in ("desserts-lactes", "lait", "beurre-creme", "fromages")
    brand = brand_of(gtin=row["gtin"], name=name, dairy=dairy)
    pack = bool(_PACK.search(fold(name)))
    leaf = YOGHURT if PARENT[category] == "yaourts" else category
    price = journey.median_price(leaf=leaf, private=brand in RETAILER_BRANDS, pack=pack)
    return Product(gtin=row["gtin"], name=name, brand=brand, category=category, pack=pack, price_minor=price)


def _pick(ref: str, products: Iterable[Product]) -> list[Product]:
    size = YOGHURTS_PER_LEAF if root_is_yoghurt(ref) else OTHERS_PER_LEAF
    branded_first = sorted(
        products, key=lambda product: (not product.brand, stable_hash(product.gtin, salt="product"))
    )
    return branded_first[:size]


def _line(product: Product) -> tuple[object, ...]:
    return product.gtin, product.name, product.brand, product.category, product.price_minor, "EUR"
