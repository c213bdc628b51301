"""Households' real purchases, said in the French catalogue and in Paris shops; same input, same lines."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any

from offers.demo.cut.brands import MAKERS
from offers.demo.cut.io import stable_hash, write_csv
from offers.demo.cut.journey import Journey, Line
from offers.demo.cut.mapping import YOGHURT
from offers.demo.cut.products import Product

YOGHURT_BUYERS = 40  # households with the most yoghurt lines
FREQUENT_SHOPPERS = 50  # households with the most lines, whatever is in them

COLUMNS = (
    "receipt", "store", "customer", "purchased_at", "currency", "gtin", "quantity", "unit_price_minor", "category",
    "brand",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Purchase:
    line: Line
    product: Product
    store: str  # ref of a Paris store

    @property
    def customer(self) -> str:
        return customer_ref(self.line.household)


def customer_ref(household: str) -> str:
    return f"hh-{household}"


def cut_households(
    *, target: Path, journey: Journey, products: Sequence[Product], stores: Sequence[dict[str, Any]]
) -> list[Purchase]:
    """Write customers.csv and purchases.csv.gz; return the purchases in time order."""
    chosen = _chosen(journey.lines)
    lines = [line for line in journey.lines if line.household in chosen]
    shelf = Shelf(products=products, lines=journey.lines)
    product_of = {line.product: shelf.product_for(line) for line in lines}
    buyer = story_buyer((line.household, product_of[line.product]) for line in lines)
    store_of = _paris_stores(lines, stores, first=_main_store(lines, household=buyer))
    purchases = [
        Purchase(line=line, product=product_of[line.product], store=store_of[line.store]) for line in lines
    ]
    _write_customers(target, chosen)
    write_csv(target / "purchases.csv.gz", COLUMNS, map(_row, purchases))
    return purchases


class Shelf:
    """Which French product stands for a source product: always the same one, of the same maker's rank."""

    def __init__(self, *, products: Sequence[Product], lines: Iterable[Line]) -> None:
        self._yoghurts = [product for product in products if product.is_yoghurt]
        self._others: dict[str, list[Product]] = defaultdict(list)
        for product in products:
            self._others[product.category].append(product)
        self._maker_of = _makersby_rank(lines, self._yoghurts)

    def product_for(self, line: Line) -> Product:
        wide = self._yoghurts if line.leaf == YOGHURT else self._others[line.leaf]
        fitting = [product for product in wide if self._fits(product, line)] or wide
        return min(fitting, key=lambda product: stable_hash(f"{line.product}/{product.gtin}", salt="shelf"))

    def _fits(self, product: Product, line: Line) -> bool:
        if product.is_retailer_brand != line.private:
            return False
        if line.leaf != YOGHURT:
            return True
        if product.pack != line.pack:
            return False
        return line.private or product.brand in self._maker_of.get(line.maker, ())


def _makersby_rank(lines: Iterable[Line], yoghurts: Iterable[Product]) -> dict[str, tuple[str, ...]]:
    """Pair the source's national yoghurt makers, by lines sold, with MAKERS, by yoghurts in the catalogue."""
    sold = Counter(line.maker for line in lines if line.leaf == YOGHURT and not line.private)
    listed = Counter(
        maker for product in yoghurts for maker, brands in MAKERS.items() if product.brand in brands
    )
    ranked = [maker for maker, _ in by_rank(listed)]
    return {maker: MAKERS[name] for (maker, _), name in zip(by_rank(sold), ranked, strict=False)}


def by_rank(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _chosen(lines: Iterable[Line]) -> set[str]:
    of_all: Counter[str] = Counter()
    of_yoghurt: Counter[str] = Counter()
    for line in lines:
        of_all[line.household] += 1
        of_yoghurt[line.household] += line.leaf == YOGHURT
    best = [ref for ref, _ in by_rank(of_yoghurt)[:YOGHURT_BUYERS]]
    return {*best, *(ref for ref, _ in by_rank(of_all)[:FREQUENT_SHOPPERS])}


def story_buyer(bought: Iterable[tuple[str, Product]]) -> str:
    """Return the household with the most yoghurt lines of one brand that is not a retailer's own."""
    lines_of = Counter(
        (household, product.brand)
        for household, product in bought
        if product.is_yoghurt and product.brand and not product.is_retailer_brand
    )
    return min(lines_of.items(), key=lambda item: (-item[1], item[0]))[0][0]


def _main_store(lines: Iterable[Line], *, household: str) -> str:
    return by_rank(Counter(line.store for line in lines if line.household == household))[0][0]


def _paris_stores(lines: Iterable[Line], stores: Sequence[dict[str, Any]], *, first: str) -> dict[str, str]:
    """Pair the source's stores, `first` and then by lines, with outlined Monoprix, then named stores in hash order."""
    ranked = sorted(by_rank(Counter(line.store for line in lines)), key=lambda item: item[0] != first)
    named = [store for store in stores if "name" in store["properties"]]
    order = sorted(
        named, key=lambda store: (not is_outlined_monoprix(store), stable_hash(store["id"], salt="store"))
    )
    return {ref: store["id"] for (ref, _), store in zip(ranked, order, strict=False)}


def is_outlined_monoprix(store: dict[str, Any]) -> bool:
    """Big enough for aisles, its walls drawn, and no recorded hours that would close the demo at night."""
    properties = store["properties"]
    outlined = store["geometry"]["type"] == "Polygon"
    return outlined and properties.get("name") == "Monoprix" and "opening_hours" not in properties


def _write_customers(target: Path, households: Iterable[str]) -> None:
    rows = []
    for household in sorted(households, key=int):
        language = "en" if stable_hash(household, salt="language") % 4 == 0 else "fr"
        rows.append((customer_ref(household), language, "Europe/Paris"))
    write_csv(target / "customers.csv", ("ref", "language", "time_zone"), rows)


def _row(purchase: Purchase) -> tuple[object, ...]:
    line, product = purchase.line, purchase.product
    return (
        f"cj-{line.basket}", purchase.store, purchase.customer, line.bought_at.astimezone(UTC).isoformat(), "EUR",
        product.gtin, line.quantity, line.unit_price_minor, product.category, product.brand,
    )  # fmt: skip
