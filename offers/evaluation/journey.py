"""The Complete Journey as the response model sees it: who was sent which campaign, what was known the day before, who redeemed.

The files are those of the R package completejourney (CSV, .gz or not): campaign_descriptions, campaigns, coupons,
coupon_redemptions, products and transactions_sample or transactions.
"""

import csv
import gzip
import math
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FIRST_DAY = date(2017, 1, 1)  # of the purchases
USUAL_RATE, USUAL_COUNT = (
    0.12,
    10.0,
)  # a campaign kind's rate leans on the first as if it had been seen so often
RECENT = timedelta(days=30)
# (name, sign) of what is known of a household and a campaign before it starts
COLUMNS = (
    ("personal rate", 1),
    ("personal rate in campaigns of the kind", 1),
    ("campaigns redeemed", 1),
    ("coupons redeemed", 1),
    ("coupons redeemed in its categories", 1),
    ("redeemed lately", 1),
    ("redeemed among the last three campaigns", 1),
    ("lines a month", 1),
    ("lines in the last month", 1),
    ("lines bought with a coupon", 1),
    ("share of lines bought with a coupon", 1),
    ("share of lines bought at a discount", 1),
    ("lines of the campaign's products", 1),
    ("lines of its makers in its categories", 1),
    ("lines in its categories", 1),
    ("coupons in the campaign", 0),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    kind: str  # A, B or C
    start: date
    products: frozenset[str]
    coupons: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    at: date
    product: str
    has_coupon: bool
    is_discounted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    campaigns: Mapping[str, Campaign]
    sent: Sequence[tuple[str, str]]  # (household, campaign)
    redeemed: Mapping[str, Sequence[tuple[date, str, str]]]  # by household: (day, campaign, coupon), by day
    coupons: Mapping[str, frozenset[str]]  # coupon: categories of its products
    lines: Mapping[str, Sequence[Line]]  # by household, by day
    makers: Mapping[str, tuple[str, str]]  # product: (maker, category)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """One row for each campaign sent to a household."""

    household: NDArray[np.int64]
    start: NDArray[np.int64]  # of the campaign: days, as date.toordinal
    kind: NDArray[np.str_]
    personal: NDArray[np.float64]  # (m + .3) / (n + 3): of n campaigns before, m were redeemed
    features: NDArray[np.float64]  # rows × COLUMNS
    outcomes: NDArray[np.float64]  # 1: redeems a coupon of the campaign


def read_journey(folder: Path) -> Journey:
    """Return what the folder's files tell. Raises FileNotFoundError for one that is missing."""
    products: defaultdict[str, set[str]] = defaultdict(set)
    coupons: defaultdict[str, set[str]] = defaultdict(set)
    makers = {
        row["product_id"]: (row["manufacturer_id"], row["product_category"])
        for row in _rows(folder, "products")
    }
    of_coupon: defaultdict[str, set[str]] = defaultdict(set)
    for row in _rows(folder, "coupons"):
        products[row["campaign_id"]].add(row["product_id"])
        coupons[row["campaign_id"]].add(row["coupon_upc"])
        if row["product_id"] in makers:
            of_coupon[row["coupon_upc"]].add(makers[row["product_id"]][1])
    redeemed: defaultdict[str, list[tuple[date, str, str]]] = defaultdict(list)
    for row in _rows(folder, "coupon_redemptions"):
        day = date.fromisoformat(row["redemption_date"][:10])
        redeemed[row["household_id"]].append((day, row["campaign_id"], row["coupon_upc"]))
    lines: defaultdict[str, list[Line]] = defaultdict(list)
    for row in _rows(folder, "transactions_sample", "transactions"):
        lines[row["household_id"]].append(
            Line(
                at=date.fromisoformat(row["transaction_timestamp"][:10]),
                product=row["product_id"],
                has_coupon=float(row["coupon_disc"]) > 0,
                is_discounted=float(row["retail_disc"]) > 0,
            )
        )
    return Journey(
        campaigns={
            row["campaign_id"]: Campaign(
                kind=row["campaign_type"].removeprefix("Type "),
                start=date.fromisoformat(row["start_date"][:10]),
                products=frozenset(products[row["campaign_id"]]),
                coupons=len(coupons[row["campaign_id"]]),
            )
            for row in _rows(folder, "campaign_descriptions")
        },
        sent=[(row["household_id"], row["campaign_id"]) for row in _rows(folder, "campaigns")],
        redeemed={household: sorted(own) for household, own in redeemed.items()},
        lines={household: sorted(own, key=lambda one: one.at) for household, own in lines.items()},
        coupons={coupon: frozenset(own) for coupon, own in of_coupon.items()},
        makers=makers,
    )


def pairs_of(journey: Journey) -> Pairs:
    """Return all pairs, by campaign start; each knows only what happened before its campaign started."""
    ordered = sorted(journey.sent, key=lambda one: (journey.campaigns[one[1]].start, one))
    received: defaultdict[str, list[str]] = defaultdict(list)
    for household, campaign in ordered:
        received[household].append(campaign)
    wanted = {name: _wanted(journey, campaign) for name, campaign in journey.campaigns.items()}
    numbers = {household: number for number, household in enumerate(dict.fromkeys(h for h, _ in ordered))}
    rows = [
        _row(journey, household, campaign, received=received[household], wanted=wanted[campaign])
        for household, campaign in ordered
    ]
    return Pairs(
        household=np.array([numbers[household] for household, _ in ordered], dtype=np.int64),
        start=np.array([journey.campaigns[name].start.toordinal() for _, name in ordered], dtype=np.int64),
        kind=np.array([journey.campaigns[name].kind for _, name in ordered]),
        personal=np.array([row[0] for row in rows]),
        features=np.array([row[1:] for row in rows]),
        outcomes=np.array(
            [
                float(any(own == name for _, own, _ in journey.redeemed.get(household, ())))
                for household, name in ordered
            ]
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    products: frozenset[str]
    makers: frozenset[tuple[str, str]]
    categories: frozenset[str]


def _wanted(journey: Journey, campaign: Campaign) -> _Wanted:
    makers = frozenset(journey.makers[one] for one in campaign.products if one in journey.makers)
    return _Wanted(
        products=campaign.products, makers=makers, categories=frozenset(category for _, category in makers)
    )


def _row(
    journey: Journey, household: str, name: str, *, received: Sequence[str], wanted: _Wanted
) -> list[float]:
    campaign = journey.campaigns[name]
    start = campaign.start
    before = [one for one in received if journey.campaigns[one].start < start]
    redemptions = [one for one in journey.redeemed.get(household, ()) if one[0] < start]
    redeemed = {own for _, own, _ in redemptions}
    of_kind = [one for one in before if journey.campaigns[one].kind == campaign.kind]
    personal = (len(redeemed) + 0.3) / (len(before) + 3.0)
    lines = journey.lines.get(household, ())
    lines = lines[: bisect_left(lines, start, key=lambda one: one.at)]
    count = Counter(
        coupon=sum(line.has_coupon for line in lines),
        discount=sum(line.is_discounted for line in lines),
        recent=sum(line.at >= start - RECENT for line in lines),
        product=sum(line.product in wanted.products for line in lines),
        maker=sum(journey.makers.get(line.product) in wanted.makers for line in lines),
        category=sum(journey.makers.get(line.product, ("", ""))[1] in wanted.categories for line in lines),
    )
    days = max(30, (start - FIRST_DAY).days)
    return [
        personal,
        math.log(personal),
        (sum(one in redeemed for one in of_kind) + 0.3) / (len(of_kind) + 2.0),
        math.log1p(len(redeemed)),
        math.log1p(len(redemptions)),
        math.log1p(
            sum(
                not wanted.categories.isdisjoint(journey.coupons.get(coupon, ()))
                for _, _, coupon in redemptions
            )
        ),
        math.exp(-(start - redemptions[-1][0]).days / 60.0) if redemptions else 0.0,
        float(sum(one in redeemed for one in before[-3:])),
        math.log1p(30.0 * len(lines) / days),
        math.log1p(count["recent"]),
        math.log1p(count["coupon"]),
        count["coupon"] / (len(lines) + 10.0),
        (count["discount"] + 2.5) / (len(lines) + 5.0),
        math.log1p(count["product"]),
        math.log1p(count["maker"]),
        math.log1p(count["category"]),
        math.log1p(campaign.coupons),
    ]


def _rows(folder: Path, *names: str) -> Iterator[dict[str, str]]:
    """Yield the rows of the first of these files that is there."""
    for name in names:
        for path in (folder / f"{name}.csv.gz", folder / f"{name}.csv"):
            if path.exists():
                content = path.read_bytes()
                text = gzip.decompress(content) if path.suffix == ".gz" else content
                yield from csv.DictReader(text.decode().splitlines())
                return
    raise FileNotFoundError(f"{names[0]}.csv is not in {folder}")
