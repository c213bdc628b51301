"""A word that calls goods free is found in any disguise, and no other word is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offers.rules.free_words import folded, free_word


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Un yaourt gratuit pour deux achetés", "gratuit"),
        ("GRATUIT !", "gratuit"),
        ("Boissons gratuites", "gratuites"),
        ("la gratuité", "gratuite"),
        ("Offert gratuitement", "gratuitement"),
        ("deux pots gratuits", "gratuits"),
        ("gra\u00adtuit", "gratuit"),
        ("g\u200bratuit", "gratuit"),
        ("ＧＲＡＴＵＩＴ", "gratuit"),
        ("1+1 gratis", "gratis"),
        ("C’est gratos", "gratos"),
        ("à titre\u00a0gracieux", "a titre gracieux"),
        ("Un yaourt offert", ""),
        ("ingratuit", ""),
        ("Gratin dauphinois", ""),
        ("Free, la boisson sans sucre", ""),  # a brand in a French text
    ],
)
def test_french_words(text: str, word: str) -> None:
    assert free_word({"fr": text}) == word


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Buy one, get one free", "free"),
        ("FREE yoghurt", "free"),
        ("Free: a second pot", "free"),
        ("A freebie for you", "freebie"),
        ("One gratis", "gratis"),
        ("Gluten-free bread", ""),
        ("Gluten\u2010free bread", ""),
        ("Sugar free and lactose free", ""),
        ("Free-range eggs", ""),
        ("Free range eggs", ""),
        ("Free from nuts", ""),
        ("Freedom fries", ""),
        ("Carefree", ""),
        ("Sugar free, and the second one free", "free"),
    ],
)
def test_english_words(text: str, word: str) -> None:
    assert free_word({"en": text}) == word


def test_every_text_is_read() -> None:
    assert free_word({"fr": "Deux pots", "en": "Two pots, one free"}) == "free"
    assert free_word({}) == ""


@given(
    st.text(max_size=40),
    st.text(max_size=40),
    st.sampled_from(["gratuit", "gratuite", "gratuits", "gratuites"]),
)
def test_whatever_stands_around_it_a_word_of_its_own_is_found(before: str, after: str, word: str) -> None:
    assert free_word({"fr": f"{before} . {word.upper()} . {after}"}) != ""


@given(st.text(max_size=60))
def test_folding_twice_is_folding_once(text: str) -> None:
    assert folded(folded(text)) == folded(text)
