"""Next baskets: arrays, measures, the methods compared with, and a ranking that learns; docs/algorithms/next-basket.md."""

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offers.rules.next_basket import baselines
from offers.rules.next_basket.features import NAMES, blend, candidates_of
from offers.rules.next_basket.histories import Histories, histories_of, histories_of_days
from offers.rules.next_basket.measures import measured, per_customer
from offers.rules.next_basket.network import averaged, train
from offers.rules.next_basket.panel import panel_of
from offers.rules.next_basket.ranking import Ranker, examples_of, learned, rank
from tests.integration.targeting.shoppers import plans

# three customers of five products: 0 is popular, 4 is bought once
SMALL = [[[0, 1], [0, 2], [0]], [[0, 3], [0, 3]], [[1, 2], [1, 2, 4]]]
baskets_of_all = st.lists(
    st.lists(st.lists(st.integers(0, 6), min_size=1, max_size=4), max_size=5), min_size=1, max_size=6
)


def small() -> Histories:
    return histories_of(SMALL, products=5)


def test_a_history_counts_each_product_once_a_basket_and_ages_from_the_last() -> None:
    found = histories_of([[[2, 2, 1], [2]]], products=3)
    assert found.counts().toarray().tolist() == [[0, 1, 2]]
    assert found.decayed(0.5).toarray().tolist() == [[0, 0.5, 1.5]]
    assert found.last().toarray().tolist() == [[0, 0, 1]]
    assert found.baskets.tolist() == [2]


@given(baskets=baskets_of_all)
def test_without_the_last_basket_a_history_is_the_one_before_it(baskets: list[list[list[int]]]) -> None:
    before = histories_of(baskets, products=7).without_last()
    expected = histories_of([own[:-1] for own in baskets], products=7)
    assert before.decayed(0.5).toarray().tolist() == expected.decayed(0.5).toarray().tolist()
    assert before.baskets.tolist() == expected.baskets.tolist()


@given(baskets=baskets_of_all, cut=st.integers(0, 6))
def test_a_block_is_the_history_of_its_customers_alone(baskets: list[list[list[int]]], cut: int) -> None:
    cut = min(cut, len(baskets))
    block = histories_of(baskets, products=7).block(cut, len(baskets))
    assert (
        block.counts().toarray().tolist()
        == histories_of(baskets[cut:], products=7).counts().toarray().tolist()
    )


@given(
    lines=st.lists(st.tuples(st.integers(0, 3), st.integers(-400, 400), st.integers(-1, 4)), max_size=40),
    most=st.integers(1, 5),
)
def test_days_are_baskets_and_only_the_newest_count(lines: list[tuple[int, int, int]], most: int) -> None:
    columns = np.array(lines, dtype=np.int64).reshape(-1, 3)
    found = histories_of_days(
        customer=columns[:, 0], day=columns[:, 1], product=columns[:, 2], customers=4, products=5, most=most
    )
    days: list[list[list[int]]] = []
    for customer in range(4):
        own = sorted({day for one, day, _ in lines if one == customer})[-most:]
        days.append(
            [
                [product for one, at, product in lines if (one, at) == (customer, day) and product >= 0]
                for day in own
            ]
        )
    expected = histories_of(days, products=5)
    assert found.baskets.tolist() == expected.baskets.tolist()
    assert found.decayed(0.5).toarray().tolist() == expected.decayed(0.5).toarray().tolist()
    assert found.last().toarray().tolist() == expected.last().toarray().tolist()
    assert np.all(np.diff(found.customer) >= 0)


def test_a_panel_counts_what_is_bought_bought_again_and_follows() -> None:
    panel = panel_of(small())
    # buyers 2, 2, 2, 1, 1; baskets 5, 3, 3, 2, 1; twice or more by 1, 1, 1, 1, 0 of them
    assert panel.popularity.tolist() == [1.0, 0.6, 0.6, 0.4, 0.2]
    assert panel.recent.tolist() == [2, 1, 1, 1, 1]
    assert panel.repeated == pytest.approx([2.5 / 7, 1.5 / 7, 1.5 / 7, 1.5 / 6, 0.5 / 6])
    # baskets with one after them: 0 three times, each time again; 1 twice, once again; 2 twice, once; 3 once
    assert panel.again == pytest.approx([3.2 / 8, 1.2 / 7, 1.2 / 7, 1.2 / 6, 0.2 / 5])
    # 4 follows 1 and 2, from one basket of two products, over two baskets each and a prior of five
    assert panel.follows.toarray()[:, 4] == pytest.approx([0, 1 / np.sqrt(2) / 7, 1 / np.sqrt(2) / 7, 0, 0])
    assert panel.together.toarray()[0, 0] == 0.0
    assert panel.together.toarray()[1, 2] == pytest.approx(2 / 12)


def test_nobody_is_their_own_neighbour() -> None:
    panel = panel_of(small())
    alone = histories_of([[[3], [3]], [[4], [4]]], products=5)
    told = blend(panel_of(alone), alone, own=np.array([0, 1]))
    assert told[0, 4] == told[1, 3] == pytest.approx(0.3)  # popular, and no neighbour has it
    outside = blend(panel, alone, own=np.array([-1, -1]))
    assert outside[0, 0] > outside[0, 4]  # whoever buys 3 is near customer 1, who buys 0


def test_the_measures_by_hand() -> None:
    ranked = [np.array([7, 1, 2]), np.array([9]), np.array([5, 6])]
    found = measured(ranked, [(1, 2), (3,), ()])
    ideal = 1 / np.log2(2) + 1 / np.log2(3)
    hits = 1 / np.log2(3) + 1 / np.log2(4)
    assert found == pytest.approx(
        {
            "recall@10": 0.5,
            "ndcg@10": hits / ideal / 2,
            "phr@10": 0.5,
            "recall@20": 0.5,
            "ndcg@20": hits / ideal / 2,
            "phr@20": 0.5,
        }
    )
    assert per_customer(ranked, [(1, 2), (3,), ()], cut=2).tolist() == [0.5, 0.0, 0.0]


def test_the_ideal_of_a_large_basket_is_over_all_of_it() -> None:
    found = measured([np.arange(10)], [tuple(range(30))])
    discounts = 1 / np.log2(np.arange(2, 32))
    assert found["ndcg@10"] == pytest.approx(discounts[:10].sum() / discounts.sum())
    assert found["recall@10"] == pytest.approx(1 / 3)


def test_frequency_alone_by_hand() -> None:
    histories = small()
    assert [own.tolist() for own in baselines.ranked("g-topfreq", histories, count=2)] == [[0, 1]] * 3
    assert [own.tolist() for own in baselines.ranked("p-topfreq", histories, count=9)] == [
        [0, 1, 2],
        [0, 3],
        [1, 2, 4],
    ]
    assert [own.tolist() for own in baselines.ranked("gp-topfreq", histories, count=4)] == [
        [0, 1, 2, 3],
        [0, 3, 1, 2],
        [1, 2, 4, 0],
    ]


def test_tifu_weighs_by_place_in_the_group_and_by_group() -> None:
    """Nine baskets in seven groups: the two newest groups hold two baskets each, the others one."""
    vectors = baselines.tifu_vectors(histories_of([[[number] for number in range(9)]], products=9)).toarray()[
        0
    ]
    expected = [0.7**6, 0.7**5, 0.7**4, 0.7**3, 0.7**2, 0.7 * 0.9 / 2, 0.7 / 2, 0.9 / 2, 1 / 2]
    assert vectors == pytest.approx(np.array(expected) / 7)


def test_up_cf_adds_up_what_similar_customers_bought_lately() -> None:
    histories = histories_of([[[0, 1]], [[0, 2]]], products=3)
    [first, _] = baselines.ranked("up-cf@r", histories, count=3)
    assert first.tolist() == [
        0,
        1,
        2,
    ]  # 0: oneself and the neighbour; 1: oneself; 2: (1/2)^10 of the neighbour
    assert baselines.METHODS["up-cf@r"][1](
        baselines.METHODS["up-cf@r"][0](histories), np.zeros(3), 0, 1
    ).tolist() == [pytest.approx([1 + 2**-10, 1, 2**-10])]


def test_the_network_learns_what_no_line_can_tell() -> None:
    chance = np.random.default_rng(0)
    features = chance.integers(0, 2, (4_000, 2)).astype(np.float32)
    targets = (features[:, 0] != features[:, 1]).astype(np.float32)
    network = train(features, targets, np.ones(4_000, dtype=np.float32), seed=1)
    corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=np.float32)
    assert (network.logits(corners) > 0).tolist() == [False, True, True, False]


def test_the_network_says_how_probable() -> None:
    chance = np.random.default_rng(0)
    features = chance.integers(0, 2, (20_000, 1)).astype(np.float32)
    targets = (chance.random(20_000) < np.where(features[:, 0] > 0, 0.3, 0.05)).astype(np.float32)
    network = train(features, targets, np.ones(20_000, dtype=np.float32), seed=1)
    told = 1 / (1 + np.exp(-network.logits(np.array([[0], [1]], dtype=np.float32))))
    assert told == pytest.approx([0.05, 0.3], abs=0.02)


def test_the_average_of_networks_has_the_mean_of_their_log_odds() -> None:
    chance = np.random.default_rng(0)
    features = chance.random((500, 3)).astype(np.float32)
    targets = (features[:, 0] > 0.5).astype(np.float32)
    ones = [
        train(features, targets, np.ones(500, dtype=np.float32), seed=seed, epochs=1) for seed in range(3)
    ]
    mean = np.mean([one.logits(features) for one in ones], axis=0)
    assert averaged(ones).logits(features) == pytest.approx(mean, abs=1e-5)


def shoppers(*, seed: int, customers: int) -> tuple[Histories, list[list[int]]]:
    """Return planned customers' histories, and the basket that each buys next."""
    planned = plans(seed=seed, customers=customers)
    names = sorted({gtin for own in planned.values() for basket in own for gtin in basket})
    numbers = {name: number for number, name in enumerate(names)}
    baskets = [[[numbers[gtin] for gtin in basket] for basket in own] for own in planned.values()]
    return histories_of([own[:-1] for own in baskets], products=len(names)), [own[-1] for own in baskets]


def test_nothing_of_the_basket_to_be_told_is_seen_before_it() -> None:
    """Other last baskets lead to other targets, and to no other feature."""
    histories, _ = shoppers(seed=2, customers=40)
    others = histories.product.copy()
    last = np.flatnonzero(histories.age == 0)
    others[last] = random.Random(5).choices(range(histories.products), k=len(last))
    moved = replace(histories, product=others)
    before, after = (
        candidates_of(panel_of(one.without_last()), one.without_last().block(0, 40), own=np.arange(40))
        for one in (histories, moved)
    )
    assert np.array_equal(before.features, after.features)
    real, shuffled = (examples_of(one, seed=1) for one in (histories, moved))
    assert real.targets.sum() != 0
    assert not np.array_equal(real.targets, shuffled.targets)


def test_the_learned_ranking_is_ahead_of_every_method_where_products_follow_one_another() -> None:
    histories, nexts = shoppers(seed=3, customers=300)
    ranker = Ranker(panel=panel_of(histories), network=learned(examples_of(histories, seed=1), seed=1))
    told = rank(ranker, histories, own=np.arange(300), count=4)
    assert np.bincount(told.customer).tolist() == [4] * 300
    own = np.split(told.product, np.arange(4, 1200, 4))
    recall = per_customer(own, nexts, cut=4).mean()
    others = {
        name: per_customer(baselines.ranked(name, histories, count=4), nexts, cut=4).mean()
        for name in baselines.METHODS
    }
    assert recall == 0.75  # all that can be known: both staples, whichever two of three, and the next link
    assert max(others.values()) < 0.55
    assert all(len(part) == 1_200 for part in told.parts.values())


def test_each_part_is_what_its_evidence_adds() -> None:
    histories, _ = shoppers(seed=3, customers=60)
    network = learned(examples_of(histories, seed=1), seed=1)
    ranker = Ranker(panel=panel_of(histories), network=network)
    told = rank(ranker, histories, own=np.arange(60), count=5)
    found = candidates_of(ranker.panel, histories, own=np.arange(60))
    place = int(np.flatnonzero((found.customer == 0) & (found.product == told.product[0]))[0])
    row = found.features[place : place + 1]
    without = row.copy()
    without[0, [NAMES.index(name) for name in ("together", "follows")]] = 0.0
    fall = float(network.logits(row)[0] - network.logits(without)[0])
    assert told.parts["together"][0] == pytest.approx(fall, abs=1e-4)
    assert told.chance[0] == pytest.approx(1 / (1 + np.exp(-float(network.logits(row)[0]))), abs=1e-5)


def test_a_customer_without_a_past_is_told_nothing() -> None:
    histories, _ = shoppers(seed=3, customers=60)
    ranker = Ranker(panel=panel_of(histories), network=learned(examples_of(histories, seed=1), seed=1))
    newcomer = histories_of([[], [[0]]], products=histories.products)
    told = rank(ranker, newcomer, own=np.array([-1, -1]), count=3)
    assert told.customer.tolist() == [1, 1, 1]


def test_without_two_baskets_of_anybody_nothing_is_learned() -> None:
    with pytest.raises(ValueError, match="too few customers"):
        learned(examples_of(histories_of([[[0]], [[1]]], products=2), seed=1), seed=1)
