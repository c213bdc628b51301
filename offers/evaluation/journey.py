"""The Complete Journey as the response model sees it: who was sent which campaign, what was known the day before, who redeemed.

The files are those of the R package completejourney (CSV, .gz or not): campaign_descriptions, campaigns, coupons,
coupon_redemptions, products and transactions_sample or transactions.
"""

import csv
import gzip
import math
from bisect import bisect_left
from collections import defaultdict
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
# (name, sign) of what is known of a household and a campaign before it starts. All are rates, by the month or by the campaigns
# received: sums over the past would grow from campaign to campaign beyond all that was learned from.
COLUMNS = (
    ("personal rate", 1),
    ("coupons redeemed in its categories, in three campaigns", 1),
    ("redeemed lately", 1),
    ("lines a month", 1),
    ("lines in the last month", 1),
    ("lines bought with a coupon a month", 1),
    ("share of lines bought with a coupon", 1),
    ("share of lines bought at a discount", 1),
    ("lines of the campaign's products a month", 1),
    ("coupons in the campaign", 0),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    kind: str  # A, B or C
    start: date
    end: date
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
    categories: Mapping[str, str]  # by product


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """One row for each campaign sent to a household."""

    household: NDArray[np.int64]
    start: NDArray[np.int64]  # of the campaign: days, as date.toordinal
    kind: NDArray[np.str_]
    personal: NDArray[np.float64]  # (m + .3) / (n + 3): of n campaigns before, m were redeemed
    features: NDArray[np.float64]  # rows × COLUMNS
    outcomes: NDArray[np.float64]  # 1: redeems a coupon of the campaign
    is_over: NDArray[np.bool_]  # the campaign had ended when the files do: nothing more can come of it


def read_journey(folder: Path) -> Journey:
    """Return what the folder's files tell. Raises FileNotFoundError for one that is missing."""
    products: defaultdict[str, set[str]] = defaultdict(set)
    coupons: defaultdict[str, set[str]] = defaultdict(set)
    categories = {row["product_id"]: row["product_category"] for row in _rows(folder, "products")}
    of_coupon: defaultdict[str, set[str]] = defaultdict(set)
    for row in _rows(folder, "coupons"):
        products[row["campaign_id"]].add(row["product_id"])
        coupons[row["campaign_id"]].add(row["coupon_upc"])
        if row["product_id"] in categories:
            of_coupon[row["coupon_upc"]].add(categories[row["product_id"]])
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
                end=date.fromisoformat(row["end_date"][:10]),
                products=frozenset(products[row["campaign_id"]]),
                coupons=len(coupons[row["campaign_id"]]),
            )
            for row in _rows(folder, "campaign_descriptions")
        },
        sent=[(row["household_id"], row["campaign_id"]) for row in _rows(folder, "campaigns")],
        redeemed={household: sorted(own) for household, own in redeemed.items()},
        lines={household: sorted(own, key=lambda one: one.at) for household, own in lines.items()},
        coupons={coupon: frozenset(own) for coupon, own in of_coupon.items()},
        categories=categories,
    )


def pairs_of(journey: Journey) -> Pairs:
    """Return all pairs, by campaign start; each knows only what happened before its campaign started."""
    ordered = sorted(journey.sent, key=lambda one: (journey.campaigns[one[1]].start, one))
    received: defaultdict[str, list[str]] = defaultdict(list)
    for household, campaign in ordered:
        received[household].append(campaign)
    wanted = {name: _categories(journey, campaign) for name, campaign in journey.campaigns.items()}
    numbers = {household: number for number, household in enumerate(dict.fromkeys(h for h, _ in ordered))}
    rows = [
        _row(journey, household, campaign, received=received[household], wanted=wanted[campaign])
        for household, campaign in ordered
    ]
    last_day = max((own[-1].at for own in journey.lines.values()), default=FIRST_DAY)
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
        is_over=np.array([journey.campaigns[name].end <= last_day for _, name in ordered]),
    )


def _categories(journey: Journey, campaign: Campaign) -> frozenset[str]:
    return frozenset(journey.categories[one] for one in campaign.products if one in journey.categories)


def _row(
    journey: Journey, household: str, name: str, *, received: Sequence[str], wanted: frozenset[str]
) -> list[float]:
    """Return the personal rate, and the columns. wanted: the campaign's categories."""
    campaign = journey.campaigns[name]
    start = campaign.start
    before = [one for one in received if journey.campaigns[one].start < start]
    redemptions = [one for one in journey.redeemed.get(household, ()) if one[0] < start]
    redeemed = {own for _, own, _ in redemptions}
    personal = (len(redeemed) + 0.3) / (len(before) + 3.0)
    lines = journey.lines.get(household, ())
    lines = lines[: bisect_left(lines, start, key=lambda one: one.at)]
    with_coupon = sum(line.has_coupon for line in lines)
    discounted = sum(line.is_discounted for line in lines)
    months = max(30, (start - FIRST_DAY).days) / 30.0
    in_categories = sum(
        not wanted.isdisjoint(journey.coupons.get(coupon, ())) for _, _, coupon in redemptions
    )
    return [
        personal,
        math.log(personal),
        math.log1p(3.0 * in_categories / (len(before) + 3.0)),
        math.exp(-(start - redemptions[-1][0]).days / 60.0) if redemptions else 0.0,
        math.log1p(len(lines) / months),
        math.log1p(sum(line.at >= start - RECENT for line in lines)),
        math.log1p(with_coupon / months),
        with_coupon / (len(lines) + 10.0),
        (discounted + 2.5) / (len(lines) + 5.0),
        math.log1p(sum(line.product in campaign.products for line in lines) / months),
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
