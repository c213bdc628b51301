"""Every published number that the yield rules are held to, beside what they give: docs/algorithms/yield.md shows it."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from offers.rules.scoring import Response, Unit, delta
from offers.rules.yields.gallego import Curve, optimum
from offers.rules.yields.littlewood import (
    PriceClass,
    emsr_a,
    emsr_b,
    marginal_revenues,
    protected_normal,
    protected_poisson,
)
from offers.rules.yields.menu import Batch, Tables, solve
from offers.rules.yields.overissue import (
    binomial_worth,
    critical_share,
    most_within,
    most_within_unsure,
    poisson_worth,
)
from offers.rules.yields.redeeming import RESPONSE, value_share

FINE_H = 1 / 600  # six seconds: the recursion's limit, near enough


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    rule: str
    case: str
    published: str
    ours: str


def rows() -> list[Row]:
    """Return every number, by rule."""
    return [*_deltas(), *_closed_forms(), *_menu(), *_protection(), *_messages()]


def markdown(found: list[Row]) -> str:
    """Return the rows as a table."""
    lines = ["| rule | case | published | here |", "|---|---|---|---|"]
    lines += [f"| {row.rule} | {row.case} | {row.published} | {row.ours} |" for row in found]
    return "\n".join(lines)


def _deltas() -> Iterator[Row]:
    for told, alone, worth, bid, published in (
        (0.12, 0.02, 0.0, 0.0, "0.2060"),
        (0.12, 0.02, 1.5, 0.0, "0.0560"),
        (0.30, 0.28, 0.0, 0.0, "-0.3300"),
        (0.12, 0.02, 0.0, 2.5, "-0.0440"),
    ):
        unit = Unit(price_minor=4.0, depth_share=0.3, worth_minor=worth, bid_minor=bid)
        found = delta(response=Response(told=told, alone=alone), unit=unit, attention_minor=0.05)
        yield Row(
            rule="Δ",
            case=f"q1 {told}, q0 {alone}, p0 4, d 0.30, c {worth:g}, π {bid:g}, a 0.05",
            published=published,
            ours=f"{found.total:.4f}",
        )


def _closed_forms() -> Iterator[Row]:
    for potential, units, published in (
        (10, 1, "1.5430, 2.5430, 2.3026, 2.045 → .9619"),
        (10, 2, "2.4376, 1.8946, 3.2189, 1.685 → .9654"),
        (10, 5, "3.4962, 1.1866, 3.6788, 1.183 → .9870"),
        (10, 10, "3.6773, 1.0032, 3.6788, 1.004 → .9998"),
        (40, 1, "2.7546, 3.7546, 3.6889, 3.036 → .9407"),
        (40, 5, "9.0310, 2.1644, 10.3972, 2.029 → .9505"),
        (40, 10, "12.6976, 1.5129, 13.8629, 1.510 → .9667"),
        (40, 20, "14.6409, 1.0417, 14.7152, 1.065 → .9959"),
    ):
        best = optimum(Curve(per_hour=potential, alpha=1), units=units, hours=1)
        share = f"{best.fixed_worth / best.worth:.4f}".lstrip("0")
        yield Row(
            rule="free prices: J*, p*, J^D, best fixed price → its share",
            case=f"a·t {potential}, α 1, {units} units",
            published=published,
            ours=f"{best.worth:.4f}, {best.price:.4f}, {best.bound:.4f}, {best.fixed_price:.3f} → {share}",
        )
    for units, hours, unsold, published in (
        (12, 4, 0.0, "3.4125"),
        (12, 2, 0.0, "2.4153"),
        (12, 1, 0.0, "1.7366"),
        (4, 1, 0.0, "3.1168"),
        (4, 4, 0.0, "5.1568"),
        (20, 4, 0.0, "2.6178"),
        (12, 4, 0.5, "3.4462"),
        (12, 2, 0.5, "2.5429"),
        (12, 1, 0.5, "2.1308"),
    ):
        curve = Curve.around(price=4, per_hour=2, elasticity=2.5, unsold=unsold)
        yield Row(
            rule="free prices: p*, at p0 4, 2 an hour, ε 2.5",
            case=f"{units} units, {hours} h, leftovers worth {unsold:g}",
            published=published,
            ours=f"{optimum(curve, units=units, hours=hours).price:.4f}",
        )


def three_prices(*, hold_h: float) -> Tables:
    """Return the published menu's programme: 4.00, 2.80 and 2.00 sell 2, 4 and 6 an hour, for four hours."""
    return solve(
        Batch(
            prices=np.array([[4.0, 2.8, 2.0]]),
            rates=np.array([[2.0, 4.0, 6.0]]),
            unsold=np.zeros(1),
            holds=np.array([round(4 / hold_h)]),
            hold_h=hold_h,
            firsts=np.zeros(1, dtype=int),
            first_h=np.zeros(1),
            stock=np.array([12]),
            shelves=np.array([12]),
        )
    )


def _menu() -> Iterator[Row]:
    tables = three_prices(hold_h=FINE_H)
    yield Row(
        rule="menu 4.00, 2.80, 2.00: V(1..12), ± 0.01",
        case="2, 4, 6 an hour, 4 h",
        published="3.999 7.988 11.940 15.794 19.461 22.837 25.845 28.455 30.698 32.645 34.386 36.005",
        ours=" ".join(f"{worth:.3f}" for worth in tables.worth[0, 1:]),
    )
    for stock, published in ((4, "1.20, 0.46"), (8, "2.55, 1.15"), (12, "3.92, 1.89")):
        levels = np.array([stage.choice[0, stock] for stage in tables.stages])
        falls = (
            4.0 - (np.searchsorted(levels, [1, 2]) - 0.5) * FINE_H
        )  # between the last before and the first after
        yield Row(
            rule="menu: hours to go at which the price falls, ± 0.01",
            case=f"{stock} units",
            published=published,
            ours=f"{falls[0]:.2f}, {falls[1]:.2f}",
        )


FARES = (1200, 1000, 800, 600, 400, 200)
DEMAND = ((31.2, 11.2), (10.9, 6.6), (14.8, 7.7), (19.9, 8.9), (26.9, 10.4), (36.3, 12.0))


def _protection() -> Iterator[Row]:
    keep = protected_normal(mean=50, deviation=15, high=100, low=60)
    yield Row(rule="Littlewood", case="Normal(50, 15), 100 and 60", published="46.1998", ours=f"{keep:.4f}")
    means, ratios = np.array([27.3, 8.5]), np.array([159 / 225, 1 - 159 / 509])
    rooms, extra = protected_poisson(means=means, ratios=ratios)
    yield Row(rule="Littlewood", case="Poisson(27.3), 225 and 159", published="24", ours=str(rooms))
    yield Row(rule="overbooking", case="Poisson(8.5), 159 and 350", published="7", ours=str(extra))
    fiig = [
        PriceClass(price=p, mean=mean, deviation=deviation)
        for p, (mean, deviation) in zip(FARES, DEMAND, strict=True)
    ]
    for rule, levels, published in (
        ("EMSR-b", emsr_b(fiig)[1:], "20.3649, 35.4047, 54.3390, 80.0735, 117.4358"),
        ("EMSR-a", emsr_a(fiig)[1:], "20.3649, 31.7212, 50.0343, 79.4628, 129.1169"),
    ):
        ours = ", ".join(f"{level:.4f}" for level in levels)
        yield Row(rule=rule, case="fares 1200 … 200", published=published, ours=ours)
    revenues = marginal_revenues(fiig)
    yield Row(
        rule="marginal revenues",
        case="fares 1200 … 200",
        published="1200.00, 427.52, 231.08, 28.14, -171.0, -371.3",
        ours=", ".join([*(f"{x:.2f}" for x in revenues[:4]), *(f"{x:.1f}" for x in revenues[4:])]),
    )


def _messages() -> Iterator[Row]:
    for units, response, margin, refusal, published in (
        (20, 0.05, 2, 4, "358"),
        (20, 0.10, 2, 4, "179"),
        (5, 0.10, 2, 4, "39"),
        (20, 0.05, 2, 1, "432"),
    ):
        critical = critical_share(margin=margin, refusal=refusal)
        worth = binomial_worth(units=units, response=response, critical=critical)
        case = f"{units} units, q {response:g}, m {margin}, L {refusal}"
        yield Row(rule="N*, binomial", case=case, published=published, ours=str(worth))
    for organic, out, published in ((0, 0, "357"), (6, 4, "157"), (15, 0, "57"), (20, 0, "0")):
        worth = poisson_worth(units=20, organic=organic, outstanding=out, response=0.05, critical=1 / 3)
        case = f"20 units, q 0.05, {organic} come anyway, {out} are out"
        yield Row(rule="N*, Poisson", case=case, published=published, ours=str(worth))
    for units, response, published in ((20, 0.05, "284"), (20, 0.10, "143"), (5, 0.10, "27")):
        most = most_within(units=units, response=response, at_most=0.05)
        case = f"{units} units, q {response:g}"
        yield Row(rule="most with P(R > S) ≤ 5 %", case=case, published=published, ours=str(most))
    for redeemed, ignored, published in ((50, 950, "270"), (5, 95, "207")):
        most = most_within_unsure(units=20, redeemed=redeemed, ignored=ignored, at_most=0.05)
        case = f"20 units, q as Beta({redeemed}, {ignored})"
        yield Row(rule="most with P(R > S) ≤ 5 %", case=case, published=published, ours=str(most))
    within = float(RESPONSE.within(np.array(30.0)))
    yield Row(
        rule="redeemed within 30 min", case="Weibull 0.6, 60 min", published="0.4830", ours=f"{within:.4f}"
    )
    left = value_share(age_min=30, half_life_min=20)
    yield Row(rule="worth of a message", case="30 min, half-life 20", published="0.3536", ours=f"{left:.4f}")
