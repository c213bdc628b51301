"""The season counts right, every policy meets the same days, and the engine keeps its own rules."""

from collections import defaultdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.settings.rayon import DEFAULTS
from offers.evaluation.season import walking
from offers.evaluation.season.engine import Engine
from offers.evaluation.season.plot import season_svg
from offers.evaluation.season.policies import Blast, Geofence, NoPush
from offers.evaluation.season.report import compare_policies, policy_table, table, wrong_table
from offers.evaluation.season.response import buy_chance, leave_chance, pass_chance
from offers.evaluation.season.values import Outcome, Told, Town, Truth
from offers.evaluation.season.walking import MINUTES_A_DAY, walk_season
from offers.evaluation.season.world import World, draw_world

TOWN = Town(stores=2, shoppers=250, lines=3, days=5)
POLICIES: dict[str, Any] = {
    "no push": lambda world: NoPush(world=world),
    "blast": lambda world: Blast(world=world),
    "geofence": lambda world: Geofence(world=world),
    "engine": lambda world: Engine(world=world, params=dict(DEFAULTS)),
}


@pytest.fixture(scope="module")
def world() -> World:
    return draw_world(town=TOWN, truth=Truth(), seed=7)


@pytest.fixture(scope="module")
def outcomes(world: World) -> dict[str, Outcome]:
    return {name: walk_season(world, make(world)) for name, make in POLICIES.items()}


def test_a_seed_is_a_world(world: World) -> None:
    again = draw_world(town=TOWN, truth=Truth(), seed=7)
    other = draw_world(town=TOWN, truth=Truth(), seed=8)
    assert np.array_equal(again.days[0].wants, world.days[0].wants)
    assert again.days[3].stock.tolist() == world.days[3].stock.tolist()
    assert not np.array_equal(other.shoppers.affinity, world.shoppers.affinity)


def test_shoppers_who_respond_otherwise_live_in_the_same_town(world: World) -> None:
    other = draw_world(town=TOWN, truth=Truth(elasticity=2.0, being_told=0.5), seed=7)
    assert np.array_equal(other.shoppers.buys_alone, world.shoppers.buys_alone)
    assert np.allclose(other.shoppers.elasticity, 2 * world.shoppers.elasticity)
    assert np.allclose(other.shoppers.being_told, 0.5 * world.shoppers.being_told)
    for one, same in zip(other.days, world.days, strict=True):
        assert one.stock.tolist() == same.stock.tolist()
        assert one.visitor.tolist() == same.visitor.tolist()


def test_the_retailer_expects_what_is_bought_anyway(world: World) -> None:
    """A long season without messages, shelves full: sales an hour come near to what is expected."""
    town = Town(stores=1, shoppers=400, lines=3, days=60)
    long = draw_world(town=town, truth=Truth(), seed=3)
    for day in long.days:
        day.stock[:] = 10_000
    hours = town.window_min / 60 * town.days
    assert walk_season(long, NoPush(world=long)).sold / hours == pytest.approx(
        float(long.expected_an_hour.sum()), rel=0.06
    )


@pytest.mark.parametrize("name", POLICIES)
def test_every_unit_is_sold_or_wasted_and_every_euro_is_accounted_for(
    world: World, outcomes: dict[str, Outcome], name: str
) -> None:
    found = outcomes[name]
    assert found.delivered == sum(int(day.stock.sum()) for day in world.days)
    assert found.sold + found.wasted == found.delivered
    assert found.would_have_bought <= found.sold_by_message <= found.sold
    assert found.cost_minor == outcomes["no push"].cost_minor
    assert 0 < found.margin_minor + found.cost_minor == found.revenue_minor


def test_silence_sends_nothing(outcomes: dict[str, Outcome]) -> None:
    quiet = outcomes["no push"]
    assert (quiet.pushes, quiet.opt_outs, quiet.sold_by_message, quiet.given_away_minor) == (0, 0, 0, 0.0)


def test_a_blast_reaches_everybody_who_has_not_left(world: World) -> None:
    blast = Blast(world=world, gone={0, 1})
    full, empty = [[100, 0, 0]] * 2, [[0, 0, 0]] * 2
    told = blast.opens(day=0, shelf=full)
    assert set(told) == set(range(2, 250))
    assert set(told.values()) == {Told(line=0, depth_share=0.3, at_home=True)}
    assert blast.opens(day=1, shelf=empty) == {}


def test_a_geofence_speaks_to_whoever_enters_until_the_shelf_is_empty(world: World) -> None:
    fence = Geofence(world=world, gone={1})
    fence.opens(day=0, shelf=[[0, 100, 0]] * 2)
    message = Told(line=1, depth_share=0.3)
    assert fence.enters(shopper=0, minute=5, shelf=[[0, 1, 0]] * 2) == message
    assert fence.enters(shopper=0, minute=6, shelf=[[0, 1, 0]] * 2) == message
    assert fence.enters(shopper=0, minute=7, shelf=[[9, 0, 9]] * 2) is None
    assert fence.enters(shopper=1, minute=5, shelf=[[0, 1, 0]] * 2) is None


class _Watched(Engine):
    """The engine, with a note of whom it told when."""

    def enters(self, *, shopper: int, minute: int, shelf: Any) -> Told | None:
        told = super().enters(shopper=shopper, minute=minute, shelf=shelf)
        if told is not None:
            self.told[shopper].append((self._opened_at, minute, told))
            assert shelf[int(self.world.shoppers.store[shopper])][told.line] > 0
            assert told.depth_share > 0
        return told


def test_the_engine_keeps_its_caps_and_leaves_alone_who_has_left(world: World) -> None:
    engine = _Watched(world=world, params=dict(DEFAULTS))
    engine.told = defaultdict(list)
    found = walk_season(world, engine)
    assert found.pushes == sum(len(told) for told in engine.told.values()) > 0
    for told in engine.told.values():
        days = [opened_at.date() for opened_at, _, _ in told]
        assert len(set(days)) == len(days)  # one a day
        assert len(days) <= 3  # the five days are of one week
    assert found.opt_outs == len(engine.gone)


def test_the_engine_holds_a_share_out(world: World, outcomes: dict[str, Outcome]) -> None:
    engine = Engine(world=world, params=dict(DEFAULTS))
    walk_season(world, engine)
    held, issued = engine.reasons["holdout"], engine.reasons["issued"]
    assert 0.05 < held / (held + issued) < 0.15
    assert issued == outcomes["engine"].pushes


def test_even_a_small_season_earns_more_than_silence_and_asks_less_than_a_blast(
    outcomes: dict[str, Outcome],
) -> None:
    quiet, blast, engine = outcomes["no push"], outcomes["blast"], outcomes["engine"]
    assert engine.margin_minor > quiet.margin_minor
    assert engine.wasted < quiet.wasted
    assert engine.pushes < blast.pushes / 3
    assert engine.opt_outs < blast.opt_outs


def test_the_response_by_hand(world: World) -> None:
    shoppers = world.shoppers
    alone = float(shoppers.buys_alone[3, 1])
    assert buy_chance(shoppers, shopper=3, line=1, told=None) == alone
    lift = float(shoppers.elasticity[3, 1]) * 0.3 + float(shoppers.being_told[3]) * (
        1 - float(shoppers.affinity[3, 1])
    )
    odds = alone / (1 - alone) * np.exp(lift)
    assert buy_chance(shoppers, shopper=3, line=1, told=Told(line=1, depth_share=0.3)) == pytest.approx(
        odds / (1 + odds)
    )


@given(
    st.integers(min_value=0, max_value=249),
    st.integers(min_value=0, max_value=2),
    st.floats(min_value=0, max_value=0.9),
    st.floats(min_value=0, max_value=0.1),
)
def test_a_deeper_price_and_a_message_at_the_door_never_sell_less(
    world: World, shopper: int, line: int, depth: float, more: float
) -> None:
    def chance(told: Told | None) -> float:
        return buy_chance(world.shoppers, shopper=shopper, line=line, told=told)

    door = chance(Told(line=line, depth_share=depth))
    assert chance(None) <= chance(Told(line=line, depth_share=depth, at_home=True)) <= door <= 1
    assert door <= chance(Told(line=line, depth_share=depth + more))


@pytest.mark.parametrize(
    ("affinity", "messages", "chance"),
    [(0.2, 0, 0.002), (0.2, 2, 0.004), (0.0, 0, 0.01), (0.0, 7, 0.045)],
)
def test_who_is_told_often_of_what_they_do_not_buy_leaves(
    affinity: float, messages: int, chance: float
) -> None:
    assert leave_chance(affinity=affinity, messages_in_7_days=messages) == pytest.approx(chance)


@pytest.mark.parametrize(
    ("affinity", "is_told", "chance"),
    [(0, False, 0.35), (0, True, 0.8), (0.2, False, 0.75), (0.5, True, 1.0)],
)
def test_who_was_told_passes_the_aisle(affinity: float, is_told: bool, chance: float) -> None:
    assert pass_chance(affinity, is_told=is_told) == pytest.approx(chance)


def test_messages_of_seven_days_count(world: World) -> None:
    season = walking._Season(world, NoPush(world=world))
    day = world.days[0]
    for number in range(9):
        season._send(number, day, shopper=5, message=Told(line=0, depth_share=0.1), minute=0)
    assert season.sent[5] == [MINUTES_A_DAY * number for number in range(2, 9)]


def test_the_tables_and_the_drawing() -> None:
    town = Town(stores=1, shoppers=60, lines=2, days=1)
    rows = compare_policies(town=town, seeds=[1], params=dict(DEFAULTS))
    assert [row.name for row in rows] == ["no push", "blast", "geofence", "engine"]
    assert rows[0].more_than_silence == 0
    lines = policy_table(rows)
    assert lines[0].startswith("| policy   | margin € |")
    assert {len(line) for line in lines} == {len(lines[0])}
    found = [("half <odd>", rows[2], rows[3])]
    assert wrong_table(found)[2].startswith("| half <odd>")
    drawn = season_svg(rows, found)
    assert drawn.startswith("<svg ")
    assert "half &lt;odd&gt;" in drawn
    assert drawn.count("<rect") == 1 + 2 * (4 + 2)


def test_a_table_is_as_wide_as_what_it_holds() -> None:
    assert table(["a", "b"], [["long", "1"]]) == ["| a    | b |", "|------|--:|", "| long | 1 |"]


@pytest.mark.long
def test_over_a_season_the_engine_earns_most_with_fewest_messages() -> None:
    rows = {row.name: row for row in compare_policies(town=Town(), seeds=[1, 2], params=dict(DEFAULTS))}
    engine, others = rows["engine"], [rows["geofence"], rows["blast"]]
    assert all(engine.margin > other.margin for other in others)
    assert all(engine.pushes_per_shopper < other.pushes_per_shopper for other in others)
    assert all(engine.opt_outs < other.opt_outs for other in others)
