"""The Complete Journey's sampled lines, joined with their products and reduced to what has a French leaf."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from zoneinfo import ZoneInfo

from offers.demo.cut.io import Row, read_csv
from offers.demo.cut.mapping import YOGHURT, leaf_of

SHOP_ZONE = ZoneInfo("America/New_York")  # the source writes UTC; shops are busiest at 17 h on this clock
PARIS = ZoneInfo("Europe/Paris")


@dataclass(frozen=True, kw_only=True)
class Line:
    household: str
    store: str
    basket: str
    product: str
    maker: str  # the source's manufacturer_id
    private: bool  # a retailer's own brand
    pack: bool
    leaf: str  # ref of a French leaf, or YOGHURT
    quantity: int
    unit_price_minor: int  # paid
    regular_price_minor: int  # before the loyalty price and coupons
    coupon_minor: int  # taken off the whole line by a coupon
    bought_at: datetime  # the shop's wall clock, read as a Paris wall clock


@dataclass(frozen=True, kw_only=True)
class Journey:
    lines: list[Line]
    left_out: Counter[str]

    def median_price(self, *, leaf: str, private: bool, pack: bool) -> int:
        """Return the median regular unit price, in cents, of the narrowest group with five lines or more."""
        for fits in (
            lambda line: line.private == private and (leaf != YOGHURT or line.pack == pack),
            lambda line: leaf != YOGHURT or line.pack == pack,
            lambda line: True,
        ):
            prices = [line.regular_price_minor for line in self._of(leaf) if fits(line)]
            if len(prices) >= 5:
                return max(1, round(median(prices)))
        raise ValueError(f"no price for {leaf}")

    def _of(self, leaf: str) -> Iterable[Line]:
        return self._by_leaf.get(leaf, ())

    @property
    def _by_leaf(self) -> dict[str, list[Line]]:
        cached = self.__dict__.get("_index")
        if cached is None:
            cached = defaultdict(list)
            for line in self.lines:
                cached[line.leaf].append(line)
            object.__setattr__(self, "_index", cached)
        return cached


def read_journey(*, source: Path) -> Journey:
    """Return every usable line; the rest is counted by reason."""
    folder = source / "complete_journey"
    products = {row["product_id"]: row for row in read_csv(folder / "products.csv.gz")}
    left_out: Counter[str] = Counter()
    lines = []
    for row in read_csv(folder / "transactions_sample.csv.gz"):
        line = _line(row, products.get(row["product_id"]))
        if isinstance(line, str):
            left_out[line] += 1
        else:
            lines.append(line)
    lines.sort(key=lambda line: (line.bought_at, line.basket, line.product))
    return Journey(lines=lines, left_out=left_out)


def _line(row: Row, product: Row | None) -> Line | str:
    if product is None:
        return "product is not in the source's product table"
    leaf = leaf_of(product_category=product["product_category"], product_type=product["product_type"])
    if not leaf:
        return "category has no French leaf (not food, or too rare)"
    quantity = int(float(row["quantity"]))
    paid = float(row["sales_value"])
    if quantity < 1 or paid <= 0:
        return "no quantity or no price"
    coupon = float(row["coupon_disc"])
    regular = paid + float(row["retail_disc"]) + coupon
    return Line(
        household=row["household_id"],
        store=row["store_id"],
        basket=row["basket_id"],
        product=row["product_id"],
        maker=product["manufacturer_id"],
        private=product["brand"] == "Private",
        pack=product["product_type"] == "YOGURT MULTI-PACKS",
        leaf=leaf,
        quantity=quantity,
        unit_price_minor=round(100 * paid / quantity),
        regular_price_minor=round(100 * regular / quantity),
        coupon_minor=round(100 * coupon),
        bought_at=_paris_wall_clock(row["transaction_timestamp"]),
    )


def _paris_wall_clock(text: str) -> datetime:
    in_shop = datetime.fromisoformat(text).replace(tzinfo=UTC).astimezone(SHOP_ZONE)
    return in_shop.replace(tzinfo=PARIS)
