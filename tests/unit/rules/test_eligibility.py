"""Every no has a name."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.rules.frequency import Caps
from offers.rules import eligibility
from offers.rules.eligibility import Audience, Reason, Standing
from offers.rules.plausibility import Clock, Movement

NOW = datetime(2026, 11, 25, 11, 0, tzinfo=UTC)
STRANGER = Standing(affinity_share=0.0, last_bought_at=None)
BUYER = Standing(affinity_share=0.3, last_bought_at=NOW - timedelta(days=10))


def test_the_reasons_are_those_of_the_wire_contract() -> None:
    contract = (
        "issued|no_offer|not_relevant|no_consent|quiet_hours|frequency_cap|paused|muted|holdout|sold_out|"
        "not_worth_sending|implausible_location|stale|moving_too_fast|already_issued|legal_guard|store_closed|"
        "unknown_time_zone|no_device|budget_exhausted"
    )
    assert [reason.value for reason in Reason] == contract.split("|")


@pytest.mark.parametrize(
    ("audience", "standing", "reason"),
    [
        (Audience(), BUYER, None),
        (Audience(), STRANGER, Reason.NOT_RELEVANT),  # the neighbour who never bought it
        (Audience(min_affinity_share=0), STRANGER, None),
        (Audience(min_affinity_share=0.3), BUYER, None),
        (Audience(min_affinity_share=0.31), BUYER, Reason.NOT_RELEVANT),
        (Audience(never_bought=True), STRANGER, None),
        (Audience(never_bought=True), BUYER, Reason.NOT_RELEVANT),
        (Audience(never_bought=True, min_affinity_share=0.1), STRANGER, Reason.NOT_RELEVANT),
        (Audience(bought_within_days=10), BUYER, None),
        (Audience(bought_within_days=9), BUYER, Reason.NOT_RELEVANT),
        (Audience(bought_within_days=9, min_affinity_share=0), STRANGER, Reason.NOT_RELEVANT),
        (Audience(segments=frozenset({"vip"})), BUYER, Reason.NOT_RELEVANT),
        (Audience(needs=True), Standing(affinity_share=0, last_bought_at=None, answers_need=True), None),
        (Audience(), Standing(affinity_share=0, last_bought_at=None, answers_need=True), Reason.NOT_RELEVANT),
        (Audience(topics=frozenset({"bio"}), needs=True), BUYER, Reason.NOT_RELEVANT),
        (
            Audience(segments=frozenset({"vip", "new"}), min_affinity_share=0),
            Standing(affinity_share=0, last_bought_at=None, segments=frozenset({"new"})),
            None,
        ),
    ],
)
def test_relevance(audience: Audience, standing: Standing, reason: Reason | None) -> None:
    assert eligibility.relevance(audience=audience, standing=standing, now=NOW) is reason


@pytest.mark.parametrize(
    ("audience", "reads"),
    [
        (Audience(), True),
        (Audience(min_affinity_share=0), False),
        (Audience(min_affinity_share=0, never_bought=True), True),
        (Audience(min_affinity_share=0, bought_within_days=3), True),
    ],
)
def test_an_offer_for_everybody_reads_no_history(audience: Audience, reads: bool) -> None:
    assert audience.reads_history is reads


@pytest.mark.parametrize(
    ("granted", "purposes", "reason"),
    [
        ({"push", "geolocation"}, ("push", "geolocation"), None),
        ({"push"}, ("push", "geolocation"), Reason.NO_CONSENT),
        (set(), ("push",), Reason.NO_CONSENT),
        ({"push", "geolocation"}, ("push", "geolocation", "profiling"), Reason.NO_CONSENT),
    ],
)
def test_consent_is_needed_for_every_purpose(
    granted: set[str], purposes: tuple[str, ...], reason: Reason | None
) -> None:
    assert eligibility.consent(granted=granted, purposes=purposes) is reason


@pytest.mark.parametrize(
    ("birth_year", "reason"),
    [(None, None), (1980, None), (2010, None), (2011, Reason.LEGAL_GUARD), (2020, Reason.LEGAL_GUARD)],
)
def test_nobody_under_fifteen_is_advertised_to(birth_year: int | None, reason: Reason | None) -> None:
    assert eligibility.age(birth_year=birth_year, now=NOW) is reason


@pytest.mark.parametrize(
    ("got", "reason"),
    [
        (eligibility.paused(paused_until=None, now=NOW), None),
        (eligibility.paused(paused_until=NOW, now=NOW), None),
        (eligibility.paused(paused_until=NOW + timedelta(seconds=1), now=NOW), Reason.PAUSED),
        (eligibility.store_closed(True), None),
        (eligibility.store_closed(None), None),
        (eligibility.store_closed(False), Reason.STORE_CLOSED),
        (eligibility.device(True), None),
        (eligibility.device(False), Reason.NO_DEVICE),
        (eligibility.customer_limit(issued_before=5, per_customer=None), None),
        (eligibility.customer_limit(issued_before=0, per_customer=1), None),
        (eligibility.customer_limit(issued_before=1, per_customer=1), Reason.ALREADY_ISSUED),
        (eligibility.capacity(units_left=None, budget_left_minor=None), None),
        (eligibility.capacity(units_left=1, budget_left_minor=1), None),
        (eligibility.capacity(units_left=0, budget_left_minor=0), Reason.SOLD_OUT),
        (eligibility.capacity(units_left=None, budget_left_minor=0), Reason.BUDGET_EXHAUSTED),
        (eligibility.time_zone_known("Europe/Paris"), None),
        (eligibility.time_zone_known(""), Reason.UNKNOWN_TIME_ZONE),
        (eligibility.for_movement(Movement.PLAUSIBLE), None),
        (eligibility.for_movement(Movement.MOVING_TOO_FAST), Reason.MOVING_TOO_FAST),
        (eligibility.for_movement(Movement.IMPLAUSIBLE), Reason.IMPLAUSIBLE_LOCATION),
        (eligibility.for_clock(Clock.OK), None),
        *((eligibility.for_clock(clock), Reason.STALE) for clock in Clock if clock is not Clock.OK),
    ],
)
def test_small_checks(got: Reason | None, reason: Reason | None) -> None:
    assert got is reason


@pytest.mark.parametrize(
    ("brands", "categories", "reason"),
    [
        ({"danone"}, {"yoghurt", "dairy"}, None),
        ({"nestle"}, set(), Reason.MUTED),
        (set(), {"beer", "alcohol"}, Reason.MUTED),
    ],
)
def test_a_muted_brand_or_category_is_silent(
    brands: set[str], categories: set[str], reason: Reason | None
) -> None:
    got = eligibility.muted(
        muted_brands={"nestle"}, muted_categories={"alcohol"}, brands=brands, categories=categories
    )
    assert got is reason


@pytest.mark.parametrize(
    ("zone", "reason"),
    [("Europe/Paris", None), ("Asia/Tokyo", Reason.QUIET_HOURS), ("Mars/Olympus", Reason.UNKNOWN_TIME_ZONE)],
)
def test_quiet_hours_are_the_customers_own(zone: str, reason: Reason | None) -> None:
    got = eligibility.quiet_hours(now=NOW + timedelta(hours=2), time_zone=zone, quiet=(time(21), time(8)))
    assert got is reason


@pytest.mark.parametrize(
    ("sent_at", "this_visit", "zone", "ignored", "reason"),
    [
        ([], False, "Europe/Paris", 0, None),
        ([], True, "Europe/Paris", 0, Reason.FREQUENCY_CAP),
        ([NOW - timedelta(hours=5)], False, "Europe/Paris", 0, Reason.FREQUENCY_CAP),
        ([NOW - timedelta(days=1)], False, "Europe/Paris", 0, None),
        ([NOW - timedelta(days=1)], False, "Europe/Paris", 3, Reason.FREQUENCY_CAP),  # 3 a week halved to 1
        ([], False, "nowhere", 0, Reason.UNKNOWN_TIME_ZONE),
    ],
)
def test_frequency(
    sent_at: list[datetime], this_visit: bool, zone: str, ignored: int, reason: Reason | None
) -> None:
    got = eligibility.frequency_cap(
        sent_at=sent_at,
        sent_this_visit=this_visit,
        now=NOW,
        time_zone=zone,
        caps=Caps(),
        ignored_in_a_row=ignored,
    )
    assert got is reason


@dataclass(frozen=True)
class Runner:
    priority: int
    delta: float
    offer_ref: str


def test_priority_wins_then_delta_then_the_first_ref() -> None:
    low, poor, late, early = (
        Runner(0, 9.0, "a"),
        Runner(1, 1.0, "a"),
        Runner(1, 2.0, "c"),
        Runner(1, 2.0, "b"),
    )
    assert eligibility.ranked([low, poor, late, early]) == [early, late, poor, low]
    assert eligibility.choose([low, poor, late, early]) == early
    assert eligibility.choose([]) is None


@given(
    runners=st.lists(
        st.builds(Runner, st.integers(0, 2), st.sampled_from([0.0, 1.0]), st.text("ab", min_size=1)),
        min_size=1,
        unique=True,
    ),
    data=st.data(),
)
def test_the_winner_does_not_depend_on_the_order(runners: list[Runner], data: st.DataObject) -> None:
    assert eligibility.choose(data.draw(st.permutations(runners))) == eligibility.choose(runners)
