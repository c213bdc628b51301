"""Codes that people read out and tills scan."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offers.rules.coupon_codes import ALPHABET, grouped, new_code, normalise

SEEDS = st.integers(0, 2**64)


def code_of(seed: int) -> str:
    return new_code(random.Random(seed).randbytes)


@given(seed=SEEDS)
def test_a_code_is_sixteen_safe_symbols_and_reads_back(seed: int) -> None:
    code = code_of(seed)
    assert len(code) == 16
    assert set(code) <= set(ALPHABET)
    assert normalise(code) == code
    assert normalise(grouped(code)) == code
    assert normalise(f" {grouped(code).lower().replace('-', ' - ')}\n") == code


@given(seed=SEEDS)
def test_look_alikes_are_accepted(seed: int) -> None:
    code = code_of(seed)
    assert normalise(code.replace("0", "o").replace("1", "l")) == code
    assert normalise(code.replace("0", "O").replace("1", "I")) == code


@given(seed=SEEDS, place=st.integers(0, 15), other=st.sampled_from(ALPHABET))
def test_one_wrong_symbol_is_always_seen(seed: int, place: int, other: str) -> None:
    code = code_of(seed)
    typed = code[:place] + other + code[place + 1 :]
    assert normalise(typed) == (code if typed == code else None)


@given(seed=SEEDS, place=st.integers(0, 14))
def test_two_swapped_neighbours_are_always_seen(seed: int, place: int) -> None:
    code = code_of(seed)
    typed = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    assert normalise(typed) == (code if typed == code else None)


@pytest.mark.parametrize(
    "text",
    ["", "-", "0" * 15, "0" * 17, "U" * 16, "é" * 16, "0" * 15 + "*", "0" * 100_000, "0000-0000-0000-0001"],
)
def test_what_cannot_be_a_code_is_none(text: str) -> None:
    assert normalise(text) is None


def test_the_check_symbol_is_the_number_modulo_37() -> None:
    assert normalise("0000-0000-0000-01ZM") is None
    assert normalise("0000-0000-0000-01ZT") == "00000000000001ZT"  # 63 mod 37 = 26, T


def test_a_draw_without_a_safe_check_symbol_is_drawn_again() -> None:
    draws = iter([(32 << 5).to_bytes(10, "big"), (31 << 5).to_bytes(10, "big")])
    assert new_code(lambda count: next(draws)) == "00000000000000ZZ"


def test_at_least_sixty_random_bits_are_left() -> None:
    assert math.log2(2**75 * 32 / 37) > 74.7
    assert len({code_of(seed) for seed in range(2_000)}) == 2_000
