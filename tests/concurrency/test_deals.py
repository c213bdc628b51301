"""Many want what one wave of a deal gives, while it is reviewed and its offer is changed."""

from collections import Counter
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import transaction

from offers import locks
from offers.models import Capacity, Coupon, DealState
from offers.operations import publishing
from offers.operations.outcomes import Written
from offers.operations.stopping import stop_deal
from offers.operations.yields import review_deals
from tests.concurrency.test_capacity import NOW, THREADS, in_threads
from tests.integration.decisions.shop import make_buyer, make_store, run, trigger_of
from tests.integration.decisions.test_deals import make_deal

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]


def test_thirty_threads_are_given_exactly_one_wave() -> None:
    store = make_store(now=NOW)
    make_deal(now=NOW)
    wave = DealState.objects.get().send_now
    assert 0 < wave < 12
    customers = [make_buyer(now=NOW, ref=f"C{number}") for number in range(THREADS)]

    def decide(number: int) -> str:
        [made] = run([trigger_of(customers[number], store=store, now=NOW)], now=NOW)
        return made.reason

    outcomes = in_threads(decide)
    assert outcomes["issued"] == wave == Coupon.objects.count()
    assert set(outcomes) <= {"issued", "sold_out", "not_worth_sending"}
    capacity = Capacity.objects.get()
    assert (capacity.claimed, capacity.wave_left) == (wave, 0)


def test_reviews_claims_stops_and_changes_at_once_neither_wait_in_a_circle_nor_lose_a_unit() -> None:
    deals = [make_deal(now=NOW, ref=f"deal-{number}", units=200) for number in range(4)]

    def work(number: int) -> str:
        deal = deals[number % 4]
        match number % 5:
            case 0:
                review_deals(now=NOW + timedelta(minutes=16), params=settings.RAYON, limit=2)
                return "reviewed"
            case 1:
                publishing.pause_offer(ref=deal.ref, now=NOW)
                publishing.resume_offer(ref=deal.ref, now=NOW)
                return "changed"
            case 2:
                outcome = stop_deal(ref=deal.ref, now=NOW)
                return "stopped" if isinstance(outcome, Written) else outcome.code
            case _:
                with transaction.atomic():
                    granted = locks.claim_units({one.pk: 1 for one in deals})
                return f"claimed {sum(granted.values())}"

    outcomes = in_threads(work)
    claimed = sum(
        int(name.split()[1]) * count for name, count in outcomes.items() if name.startswith("claimed")
    )
    assert sum(Capacity.objects.values_list("claimed", flat=True)) == claimed
    expected = Counter(reviewed=6, changed=6)
    assert {name: outcomes[name] for name in expected} == expected
    assert outcomes["stopped"] + outcomes["wrong_state"] == 6  # while it was paused
