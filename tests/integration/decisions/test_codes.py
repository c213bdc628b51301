"""A coupon's code is nobody else's: a draw that is taken is drawn again, and a broken source is named."""

import itertools
from collections.abc import Callable
from datetime import datetime

import pytest
from django.conf import settings
from django.db import transaction

from offers.flow import DecisionMade, Trigger
from offers.models import Coupon, CouponCode, Decision
from offers.rules.coupon_codes import new_code
from offers.stages.candidates import find
from offers.stages.decide import choose
from offers.stages.facts import gather_facts
from offers.stages.issue import CannotDrawCode, issue
from tests.integration.decisions.shop import make_buyer, make_offer, make_store, trigger_of

pytestmark = pytest.mark.django_db


def issued_with(
    triggers: list[Trigger], random_bytes: Callable[[int], bytes], *, now: datetime
) -> list[DecisionMade]:
    facts = gather_facts([one.customer_id for one in triggers], now=now, params=settings.RAYON)
    candidates, terms = find(triggers, now=now)
    choices = choose(triggers, candidates, terms, facts, now=now, params=settings.RAYON)
    with transaction.atomic():
        return issue(
            triggers, choices, terms, facts, now=now, params=settings.RAYON, random_bytes=random_bytes
        )


def test_a_code_that_is_taken_is_drawn_again_also_within_a_batch(now: datetime) -> None:
    store = make_store(now=now)
    make_offer(now=now, trigger_places="store")
    triggers = [trigger_of(make_buyer(now=now, ref=f"C{n}"), store=store, now=now) for n in range(3)]
    draws = (bytes([0] * 8 + [draw // 2, 0]) for draw in itertools.count())  # each value twice

    issued_with(triggers, lambda _: next(draws), now=now)

    codes = set(Coupon.objects.values_list("code", flat=True))
    assert len(codes) == 3
    assert codes == set(CouponCode.objects.values_list("code", flat=True))
    for claim in CouponCode.objects.select_related("coupon"):
        assert (claim.code, claim.customer_id) == (claim.coupon.code, claim.coupon.customer_id)


def test_a_source_that_repeats_itself_for_ever_is_named_and_nothing_is_written(now: datetime) -> None:
    store = make_store(now=now)
    make_offer(now=now, trigger_places="store")
    triggers = [trigger_of(make_buyer(now=now, ref=f"C{n}"), store=store, now=now) for n in range(2)]
    assert new_code(bytes) == "0000000000000000"
    with pytest.raises(CannotDrawCode):
        issued_with(triggers, bytes, now=now)
    assert not Coupon.objects.exists()
    assert not Decision.objects.exists()
