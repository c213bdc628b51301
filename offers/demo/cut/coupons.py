"""What coupons these households were mailed and redeemed, and how deep coupons cut: the grounds of offers.json."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median

from offers.demo.cut.categories import department_of
from offers.demo.cut.households import Purchase, by_rank, customer_ref
from offers.demo.cut.io import read_csv, write_csv
from offers.demo.cut.journey import Journey
from offers.demo.cut.mapping import YOGHURT, leaf_of


def cut_coupons(*, source: Path, target: Path, journey: Journey, purchases: Sequence[Purchase]) -> None:
    """Write campaigns.csv, coupon_redemptions.csv and coupon_depths.csv."""
    folder = source / "complete_journey"
    households = {purchase.line.household for purchase in purchases}
    mailed = [row for row in read_csv(folder / "campaigns.csv.gz") if row["household_id"] in households]
    redeemed = [
        row for row in read_csv(folder / "coupon_redemptions.csv.gz") if row["household_id"] in households
    ]
    sent_to = Counter(row["campaign_id"] for row in mailed)
    used_by = Counter(row["campaign_id"] for row in redeemed)
    campaigns = [
        (
            row["campaign_id"],
            row["campaign_type"],
            row["start_date"],
            row["end_date"],
            sent_to[ref],
            used_by[ref],
        )
        for row in read_csv(folder / "campaign_descriptions.csv.gz")
        if sent_to[ref := row["campaign_id"]]
    ]
    columns = ("campaign", "type", "start_date", "end_date", "customers_mailed", "coupons_redeemed")
    write_csv(target / "campaigns.csv", columns, campaigns)
    leaf_of_coupon = _leaves(folder, {row["coupon_upc"] for row in redeemed})
    rows = [
        (customer_ref(row["household_id"]), row["campaign_id"], row["coupon_upc"], row["redemption_date"],
         leaf_of_coupon.get(row["coupon_upc"], ""))
        for row in redeemed
    ]  # fmt: skip
    write_csv(
        target / "coupon_redemptions.csv", ("customer", "campaign", "coupon", "redeemed_on", "category"), rows
    )
    write_csv(target / "coupon_depths.csv", DEPTH_COLUMNS, _depths(journey))


def _leaves(folder: Path, coupons: Iterable[str]) -> dict[str, str]:
    """Return the French leaf of most of a coupon's products; a yoghurt coupon's is the whole yoghurt shelf."""
    wanted = set(coupons)
    products = {row["product_id"]: row for row in read_csv(folder / "products.csv.gz")}
    leaves: dict[str, Counter[str]] = defaultdict(Counter)
    for row in read_csv(folder / "coupons.csv.gz"):
        product = products.get(row["product_id"])
        if row["coupon_upc"] in wanted and product is not None:
            leaf = leaf_of(product_category=product["product_category"], product_type=product["product_type"])
            leaves[row["coupon_upc"]]["yaourts" if leaf == YOGHURT else leaf] += 1
    return {coupon: by_rank(counts)[0][0] for coupon, counts in leaves.items()}


DEPTH_COLUMNS = ("group", "lines_with_coupon", "median_off_per_line_minor", "median_off_share_bp")


def _depths(journey: Journey) -> list[tuple[object, ...]]:
    """Return, for the yoghurt shelf and each department, what a redeemed coupon took off, all households of the source."""
    offs: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for line in journey.lines:
        if line.coupon_minor > 0:
            share = line.coupon_minor / (line.regular_price_minor * line.quantity)
            group = "yaourts" if line.leaf == YOGHURT else line.leaf
            for name in dict.fromkeys((group, "frais" if group == "yaourts" else department_of(group))):
                offs[name].append((line.coupon_minor, share))
    return [
        (
            group,
            len(found),
            round(median(off for off, _ in found)),
            round(10_000 * median(share for _, share in found)),
        )
        for group, found in sorted(offs.items())
        if len(found) >= 5
    ]
