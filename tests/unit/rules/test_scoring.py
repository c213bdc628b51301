"""Δ of one message, term by term, and the first guess of how a customer answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offers.rules.response import COLD, Signals, response
from offers.rules.scoring import Delta, Response, Unit, delta

shares = st.floats(0, 1)


@pytest.mark.parametrize(
    ("told", "alone", "price", "depth", "worth", "bid", "attention", "total"),
    [
        (0.12, 0.02, 4, 0.30, 0, 0, 0.05, 0.2060),
        (0.12, 0.02, 4, 0.30, 1.5, 0, 0.05, 0.0560),
        (0.30, 0.28, 4, 0.30, 0, 0, 0.05, -0.3300),  # a loyal buyer: the discount is given away
        (0.12, 0.02, 4, 0.30, 0, 2.5, 0.05, -0.0440),  # scarce: the unit sells without it
    ],
)
def test_delta(
    told: float,
    alone: float,
    price: float,
    depth: float,
    worth: float,
    bid: float,
    attention: float,
    total: float,
) -> None:
    found = delta(
        response=Response(told=told, alone=alone),
        unit=Unit(price_minor=price, depth_share=depth, worth_minor=worth, bid_minor=bid),
        attention_minor=attention,
    )
    assert round(found.total, 4) == total


def test_the_terms_of_delta_are_kept_apart() -> None:
    found = delta(
        response=Response(told=0.5, alone=0.25),
        unit=Unit(price_minor=400, depth_share=0.5, worth_minor=100, bid_minor=40),
        attention_minor=2,
    )
    assert found == Delta(gain=50.0, would_have_bought=75.0, displaced=10.0, attention=2)
    assert found.total == -37.0


def guess(*, affinity_share: float, depth_share: float, elasticity: float) -> Response:
    """Return the chances before anything was learned."""
    told, alone = response(
        Signals(affinity_share=affinity_share, depth=depth_share, elasticity=elasticity), COLD
    )
    return Response(told=told, alone=alone)


@given(share=shares, less=shares, depth=shares, elasticity=st.floats(0, 10))
def test_the_guess_stays_within_what_chances_are(
    share: float, less: float, depth: float, elasticity: float
) -> None:
    found = guess(affinity_share=share, depth_share=depth, elasticity=elasticity)
    assert 0.02 - 1e-12 <= found.alone <= found.told + 1e-12 <= 1.0 + 1e-12
    assert found.alone <= 0.28 + 1e-12
    fewer = guess(affinity_share=share * less, depth_share=depth, elasticity=elasticity)
    assert fewer.alone <= found.alone + 1e-12
    shallower = guess(affinity_share=share, depth_share=depth * less, elasticity=elasticity)
    assert shallower.told <= found.told + 1e-12


def test_at_the_normal_price_a_loyal_customer_is_never_worth_a_message() -> None:
    loyal = guess(affinity_share=1.0, depth_share=0.0, elasticity=2.5)
    assert loyal.told == pytest.approx(loyal.alone) == pytest.approx(0.28)
    unit = Unit(price_minor=400, depth_share=0.0, worth_minor=0)
    assert delta(response=loyal, unit=unit, attention_minor=2).total == pytest.approx(-2)


@given(bid=st.floats(0, 400), more=st.floats(0, 100), share=shares)
def test_a_scarcer_unit_is_never_worth_more_messages(bid: float, more: float, share: float) -> None:
    found = guess(affinity_share=share, depth_share=0.3, elasticity=2.5)

    def total(bid_minor: float) -> float:
        unit = Unit(price_minor=400, depth_share=0.3, worth_minor=0, bid_minor=bid_minor)
        return delta(response=found, unit=unit, attention_minor=2).total

    assert total(bid + more) <= total(bid) + 1e-9
