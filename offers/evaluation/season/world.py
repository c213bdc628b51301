"""The town and its days, drawn once and walked through by every policy."""

from dataclasses import dataclass
from functools import partial

import numpy as np

from offers.evaluation.season.response import pass_chance, true_chances, true_told
from offers.evaluation.season.values import Day, Floats, Line, Shoppers, Town, Truth

LINES = (
    Line(name="yoghurt", price_minor=299, cost_minor=180, elasticity=2.5, passers_by_an_hour=1.5),
    Line(name="salad", price_minor=349, cost_minor=200, elasticity=2.0, passers_by_an_hour=1.0),
    Line(name="fish", price_minor=790, cost_minor=520, elasticity=3.0, passers_by_an_hour=0.6),
    Line(name="bread", price_minor=210, cost_minor=90, elasticity=1.5, passers_by_an_hour=2.5),
    Line(name="cheese", price_minor=450, cost_minor=290, elasticity=2.5, passers_by_an_hour=0.8),
    Line(name="ready meal", price_minor=520, cost_minor=310, elasticity=2.0, passers_by_an_hour=1.2),
)
LIKES_NOTHING = 0.45  # of the pairs of shopper and line have never met
NOISE = 0.35  # of the true chances around their mean, as the sigma of a log-normal
SURPLUS, SURPLUS_SPREAD = 1.35, 0.5  # stock over what will be bought anyway: median, and sigma of the log


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    town: Town
    lines: tuple[Line, ...]
    shoppers: Shoppers
    days: tuple[Day, ...]
    expected_an_hour: Floats  # (store, line): what the retailer believes to sell at the normal price


def draw_world(*, town: Town, truth: Truth, seed: int) -> World:
    """Return the world of a seed. Two worlds of one seed differ only in what `truth` changes."""
    lines = LINES[: town.lines]
    rng = np.random.default_rng(seed)
    shoppers = _draw_shoppers(town, lines, truth=truth, rng=rng)
    anyway = _sold_anyway(town, lines, shoppers, truth=truth)
    days = tuple(
        _draw_day(town, lines, shoppers, anyway=anyway, truth=truth, rng=np.random.default_rng([seed, day]))
        for day in range(town.days)
    )
    return World(town=town, lines=lines, shoppers=shoppers, days=days, expected_an_hour=anyway / truth.demand)


def _draw_shoppers(
    town: Town, lines: tuple[Line, ...], *, truth: Truth, rng: np.random.Generator
) -> Shoppers:
    shape = (town.shoppers, len(lines))
    tastes = rng.gamma(0.6, 1.0, shape) * (rng.random(shape) >= LIKES_NOTHING)
    # what they spend on these lines is a part of all that they spend
    affinity = tastes / (tastes.sum(axis=1, keepdims=True) + 2.0)
    noise = np.exp(rng.normal(-(NOISE**2) / 2, NOISE, shape))
    spread = np.exp(rng.normal(-(NOISE**2) / 2, NOISE, shape))
    return Shoppers(
        store=rng.integers(0, town.stores, town.shoppers),
        affinity=affinity,
        buys_alone=true_chances(affinity, truth=truth, noise=noise),
        elasticity=np.array([line.elasticity for line in lines]) * truth.elasticity * spread,
        being_told=true_told(town.shoppers, truth=truth, rng=rng),
        visits_a_week=np.clip(rng.gamma(2.0, 0.75, town.shoppers), 0.1, 6.0),
    )


def _sold_anyway(town: Town, lines: tuple[Line, ...], shoppers: Shoppers, *, truth: Truth) -> Floats:
    """Return (store, line): true sales an hour at the normal price, of shoppers and of people without the app."""
    passes = np.vectorize(partial(pass_chance, is_told=False))(shoppers.affinity)
    a_day = shoppers.buys_alone * passes * (shoppers.visits_a_week / 7)[:, None]
    by_store = np.array([a_day[shoppers.store == store].sum(axis=0) for store in range(town.stores)])
    passers_by = np.array([line.passers_by_an_hour for line in lines]) * truth.demand
    return by_store / (town.window_min / 60) + passers_by


def _draw_day(
    town: Town,
    lines: tuple[Line, ...],
    shoppers: Shoppers,
    *,
    anyway: Floats,
    truth: Truth,
    rng: np.random.Generator,
) -> Day:
    hours = town.window_min / 60
    come = np.flatnonzero(rng.random(town.shoppers) < shoppers.visits_a_week / 7)
    minutes = rng.integers(0, town.window_min, len(come))
    order = np.argsort(minutes, kind="stable")
    passers_by = rng.poisson(
        np.array([line.passers_by_an_hour for line in lines]) * truth.demand * hours, anyway.shape
    )
    strangers = [
        (int(minute), store, line)
        for (store, line), count in np.ndenumerate(passers_by)
        for minute in rng.integers(0, town.window_min, count)
    ]
    surplus = SURPLUS * np.exp(rng.normal(0.0, SURPLUS_SPREAD, anyway.shape))
    shape = (len(come), len(lines))
    return Day(
        stock=rng.poisson(anyway * hours * surplus),
        visitor=come[order],
        minute=minutes[order],
        passes=rng.random(shape),
        wants=rng.random(shape),
        strangers=sorted(strangers),
        comes_for_it=rng.random(town.shoppers),
        leaves=rng.random(town.shoppers),
    )
