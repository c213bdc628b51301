"""Every reason has a sentence in both languages, and purchase history is named only where it was used."""

from typing import Any

import pytest
from msgspec.structs import replace

from offers.flow import Candidate, OfferTerms
from offers.rules.eligibility import Reason
from offers.texts import OUTCOMES, why_issued, why_none
from tests.unit.decide.test_deciding import BUYER, NEIGHBOUR, TERMS

DANONE = replace(TERMS, target_name="Danone")
YOGHURTS = replace(TERMS, target_brand=None, target_category="yoghurts", target_name="Yaourts")
PRODUCT = replace(TERMS, target_brand=None, target_gtins=("3033490004521",), target_name="Danone")
RARELY = replace(BUYER, affinity_share=0.01, exact_share=0.01)
OF_THE_BRAND = replace(BUYER, exact_share=0.0)


def test_every_reason_of_the_contract_has_a_sentence_in_french_and_english() -> None:
    assert set(OUTCOMES) == {reason.value for reason in Reason}
    for sentences in OUTCOMES.values():
        assert set(sentences) == {"fr", "en"}
        assert all(sentence.endswith(".") for sentence in sentences.values())


def test_another_language_is_answered_in_french() -> None:
    assert why_none(reason="quiet_hours", language="de") == "C’était pendant vos heures calmes."
    assert why_none(reason="quiet_hours", language="en") == "It was during your quiet hours."


@pytest.mark.parametrize(
    ("candidate", "terms", "french", "english"),
    [
        (BUYER, DANONE, "Vous achetez souvent du Danone.", "You often buy Danone."),
        (RARELY, DANONE, "Vous avez déjà acheté du Danone.", "You have bought Danone before."),
        (
            BUYER,
            replace(DANONE, target_name="Activia"),
            "Vous achetez souvent de l’Activia.",
            "You often buy Activia.",
        ),
        (
            BUYER,
            YOGHURTS,
            "Vous achetez souvent dans la catégorie « Yaourts ».",
            "You often buy from “Yaourts”.",
        ),
        (BUYER, PRODUCT, "Vous achetez souvent ce produit.", "You often buy this product."),
        (RARELY, PRODUCT, "Vous avez déjà acheté ce produit.", "You have bought this product before."),
        (OF_THE_BRAND, PRODUCT, "Vous achetez souvent du Danone.", "You often buy Danone."),
        (
            OF_THE_BRAND,
            replace(PRODUCT, target_name=""),
            "Vous achetez déjà des produits de la même marque.",
            "You already buy products of the same brand.",
        ),
        (
            NEIGHBOUR,
            replace(DANONE, never_bought=True),
            "C’est une occasion de découvrir ce produit.",
            "It is an occasion to discover this product.",
        ),
        (
            NEIGHBOUR,
            DANONE,
            "Cette offre est ouverte à tous les clients de ce magasin.",
            "This offer is open to every customer of this store.",
        ),
    ],
)
def test_a_coupon_says_why_this_customer_got_it(
    candidate: Candidate, terms: OfferTerms, french: str, english: str
) -> None:
    said = [
        why_issued(candidate=candidate, terms=terms, topics=frozenset(), uses_history=True, language=language)
        for language in ("fr", "en")
    ]
    assert said == [french, english]


def test_without_consent_to_profiling_no_purchase_is_named() -> None:
    said = why_issued(candidate=BUYER, terms=DANONE, topics=frozenset(), uses_history=False, language="en")
    assert said == "This offer is open to every customer of this store."


def test_a_followed_topic_is_named_as_the_reason() -> None:
    terms = replace(DANONE, topics=frozenset({"bio"}))
    said = why_issued(
        candidate=NEIGHBOUR, terms=terms, topics=frozenset({"bio"}), uses_history=True, language="en"
    )
    assert said == "You follow a topic of this offer."


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"objective": "margin"}, "This offer is made to some of the customers of this store."),
        (
            {"objective": "margin", "is_deal": True},
            "It is a last-minute offer, made to some of the customers who are here.",
        ),
    ],
)
def test_what_was_weighed_is_not_said_to_be_for_everybody(changed: dict[str, Any], said: str) -> None:
    terms = replace(DANONE, **changed)
    found = why_issued(candidate=NEIGHBOUR, terms=terms, topics=frozenset(), uses_history=True, language="en")
    assert found == said
