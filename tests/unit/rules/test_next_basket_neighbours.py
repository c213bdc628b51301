"""The highest of many values, and the nearest of a panel, are those that a full sort finds."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from offers.rules.next_basket.highest import best, highest
from offers.rules.next_basket.neighbours import added_up, nearest


@given(
    scores=st.lists(st.lists(st.integers(0, 5), min_size=6, max_size=6), min_size=1, max_size=4),
    count=st.integers(0, 8),
)
def test_the_best_are_those_of_a_full_sort(scores: list[list[int]], count: int) -> None:
    expected = [sorted(range(6), key=lambda one: (-row[one], one))[:count] for row in scores]
    assert best(np.array(scores, dtype=float), count).tolist() == expected


@given(
    values=st.lists(st.integers(0, 9), min_size=1, max_size=700),
    count=st.integers(0, 60),
)
def test_the_highest_are_those_of_a_full_sort(values: list[int], count: int) -> None:
    expected = sorted(sorted(range(len(values)), key=lambda one: (-values[one], one))[:count])
    assert highest(np.array(values, dtype=np.float32), count).tolist() == expected


def test_the_highest_are_found_where_a_sample_misleads() -> None:
    """Each sixteenth value is high, and no other one: the guess is above most of what is asked for."""
    values = np.where(np.arange(1_600) % 16 == 0, 5.0, np.arange(1_600) / 1_600)
    assert highest(values, 101).tolist() == [*range(0, 1_600, 16), 1_599]


def nearest_by_sorting(similar: np.ndarray, counts: tuple[int, ...]) -> np.ndarray:
    """Return the weights that `nearest` gives, views × panel, by a full sort."""
    weights = []
    for power, one, count in zip((1, 1, 5), similar.astype(float), counts, strict=True):
        least = sorted(one, reverse=True)[count] if len(one) > count else 0.0
        kept = np.where(one > least, one**power, 0.0)
        weights.append(kept / max(kept.sum(), 1e-12))
    return np.array(weights)


@given(seed=st.integers(0, 200), members=st.sampled_from((3, 40, 900)), levels=st.sampled_from((1, 4, 1_000)))
def test_the_nearest_share_out_one_and_ties_at_the_edge_are_left_out(
    seed: int, members: int, levels: int
) -> None:
    similar = np.random.default_rng(seed).integers(0, levels + 1, (3, members)).astype(np.float32) / levels
    found = np.zeros((members, 3))
    places, weights = nearest(similar.copy(), counts=(30, 12, 5))
    found[places] = weights
    assert weights.any(axis=1).all()
    expected = nearest_by_sorting(similar, (30, 12, 5))
    assert np.allclose(found.T, expected, atol=1e-6)


def test_the_nearest_are_found_where_a_sample_misleads() -> None:
    similar = np.zeros((3, 1_600), dtype=np.float32)
    similar[:, ::16] = 1.0
    similar[:, 1::16] = 0.5
    similar[0, 1] = 0.75
    places, weights = nearest(similar, counts=(101, 101, 101))
    assert places.tolist() == sorted([*range(0, 1_600, 16), 1])
    assert weights[0] == pytest.approx([1 / 100.75, 1 / 100, 1 / 100])
    assert weights[1] == pytest.approx([0.75 / 100.75, 0, 0])


def test_rows_add_up_for_each_customer_apart() -> None:
    matrix = sp.csr_matrix(np.array([[1, 0, 2], [0, 3, 0]], dtype=np.float32))
    found = added_up(
        matrix,
        rows=np.array([0, 1, 0]),
        of=np.array([0, 0, 2]),
        weights=np.array([[1, 0], [10, 1], [0, 100]], dtype=np.float32),
        customers=3,
    )
    assert found[:, :, 0].tolist() == [[1, 30, 2], [0, 0, 0], [0, 0, 0]]
    assert found[:, :, 1].tolist() == [[0, 3, 0], [0, 0, 0], [100, 0, 200]]
