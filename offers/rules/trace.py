"""Every check of one candidate with its answer and the numbers it compared, not only the first that said no.

A second reading of the list in offers.stages.decide, for whoever asks "and what else stood in the way?": a test holds
the two together. docs/algorithms/decisions.md.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from customers.rules.frequency import cap_reason, effective_caps
from customers.rules.zones import UnknownTimeZone, local_time
from offers.flow import Candidate, CustomerFacts, OfferTerms, Trigger
from offers.rules import eligibility
from offers.rules.channels import channel_for, no_channel
from offers.rules.compared import audience_of, caps_of, limit_of, standing_of, was_sent_this_visit
from offers.rules.eligibility import ADULT_YEARS, Reason
from offers.rules.holdout import GLOBAL_SALT, bucket, is_held_out
from offers.rules.legal_values import Rule
from offers.rules.signals import NOTHING_LEARNED, Learned
from offers.rules.worth import weigh

Part = Literal["who", "whether", "when", "measure"]
NEEDED = ("geolocation",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One question that a candidate meets."""

    name: str
    part: Part
    reason: Reason | None  # the no; None: it passed
    numbers: Mapping[str, Any] = field(default_factory=dict)  # what was compared


def trace(
    candidate: Candidate,
    *,
    terms: OfferTerms,
    facts: CustomerFacts,
    trigger: Trigger,
    rule: str,
    now: datetime,
    params: Mapping[str, Any],
    learned: Learned = NOTHING_LEARNED,
) -> tuple[Check, ...]:
    """Return every check of the candidate, in the order in which a decision asks them; the hold-out last.

    rule: the rule of law that forbids the offer today; empty: none. params: settings.RAYON.
    """
    return (
        *_who(facts, now=now, params=params),
        *_whether(candidate, terms, facts, rule=rule, learned=learned, now=now, params=params),
        *_when(candidate, facts, trigger, now=now, params=params),
        _holdout(terms, facts, params=params),
    )


def _who(facts: CustomerFacts, *, now: datetime, params: Mapping[str, Any]) -> Iterator[Check]:
    def check(name: str, reason: Reason | None, **numbers: Any) -> Check:
        return Check(name=name, part="who", reason=reason, numbers=numbers)

    consent = eligibility.consent(granted=facts.granted, purposes=NEEDED)
    yield check("consent", consent, granted=sorted(facts.granted), needed=list(NEEDED))
    channel = no_channel(channels=facts.channels, granted=facts.granted)
    yield check("channel", channel, channels=list(facts.channels), granted=sorted(facts.granted))
    yield check("time_zone", eligibility.time_zone_known(facts.time_zone), time_zone=facts.time_zone)
    is_asked = Rule.MINORS not in params["legal_rules_off"]
    age = eligibility.age(birth_year=facts.birth_year, now=now) if is_asked else None
    yield check("age", age, birth_year=facts.birth_year, least_years=ADULT_YEARS)
    stopped = Reason.PAUSED if facts.is_sending_stopped else None
    yield check("sending_switch", stopped, is_stopped=facts.is_sending_stopped)
    paused = eligibility.paused(paused_until=facts.paused_until, now=now)
    yield check("pause", paused, paused_until=facts.paused_until)


def _whether(
    candidate: Candidate,
    terms: OfferTerms,
    facts: CustomerFacts,
    *,
    rule: str,
    learned: Learned,
    now: datetime,
    params: Mapping[str, Any],
) -> Iterator[Check]:
    def check(name: str, reason: Reason | None, **numbers: Any) -> Check:
        return Check(name=name, part="whether", reason=reason, numbers=numbers)

    yield check("law", eligibility.legal(rule), rule=rule or None)
    muted = eligibility.muted(
        muted_brands=facts.muted_brands,
        muted_categories=facts.muted_categories,
        brands=terms.brand_keys,
        categories=terms.category_refs,
    )
    of_these = sorted(
        {*terms.brand_keys, *terms.category_refs} & {*facts.muted_brands, *facts.muted_categories}
    )
    yield check("mute", muted, muted=of_these)
    audience = audience_of(terms)
    may_read = "profiling" in facts.granted
    unread = Reason.NO_CONSENT if audience.reads_history and not may_read else None
    yield check("profiling", unread, reads_history=audience.reads_history, is_granted=may_read)
    standing = standing_of(candidate, facts)
    yield check(
        "relevance",
        eligibility.relevance(audience=audience, standing=standing, now=now),
        affinity_share=round(standing.affinity_share, 6),
        exact_share=round(candidate.exact_share, 6) if may_read else 0.0,
        min_affinity_share=terms.min_affinity_share,
        last_bought_at=standing.last_bought_at,
        bought_within_days=terms.bought_within_days,
        never_bought=terms.never_bought,
        segments=sorted(facts.segments),
        needed_segments=sorted(terms.segments),
        topics=sorted(facts.topics),
        needed_topics=sorted(terms.topics),
    )
    worth = weigh(candidate, terms, facts, learned=learned, now=now, params=params)
    yield check("worth", worth.reason, objective=terms.objective, **worth.numbers)
    limit = limit_of(terms)
    had = candidate.issued_before
    yield check(
        "customer_limit",
        eligibility.customer_limit(issued_before=had, per_customer=limit),
        issued_before=had,
        per_customer=limit,
        per_customer_per_days=terms.per_customer_per_days,
    )
    units, budget = candidate.units_left, candidate.budget_left_minor
    capacity = eligibility.capacity(units_left=units, budget_left_minor=budget)
    yield check("capacity", capacity, units_left=units, budget_left_minor=budget)


def _when(
    candidate: Candidate, facts: CustomerFacts, trigger: Trigger, *, now: datetime, params: Mapping[str, Any]
) -> Iterator[Check]:
    def check(name: str, reason: Reason | None, **numbers: Any) -> Check:
        return Check(name=name, part="when", reason=reason, numbers=numbers)

    is_open = candidate.store_is_open
    unknown = Reason.UNKNOWN_TIME_ZONE if is_open is None else None
    yield check("store_time_zone", unknown, is_known=is_open is not None)
    yield check("opening_hours", eligibility.store_closed(is_open), is_open=is_open)
    channel = channel_for(facts)
    yield check(
        "device", eligibility.device(channel is not None), channel=channel, reachable=sorted(facts.reachable)
    )
    quiet = eligibility.quiet_hours(now=now, time_zone=facts.time_zone, quiet=facts.quiet)
    yield check("quiet_hours", quiet, local_time=_wall_clock(facts, now=now), quiet=_hours(facts))
    yield _frequency(facts, trigger, now=now, params=params)


def _frequency(facts: CustomerFacts, trigger: Trigger, *, now: datetime, params: Mapping[str, Any]) -> Check:
    caps, in_visit = caps_of(facts, params=params), was_sent_this_visit(trigger, facts)
    reason = eligibility.frequency_cap(
        sent_at=facts.sent_at,
        sent_this_visit=in_visit,
        now=now,
        time_zone=facts.time_zone,
        caps=caps,
        ignored_in_a_row=facts.ignored_in_a_row,
    )
    effective = effective_caps(caps=caps, ignored=facts.ignored_in_a_row)
    try:
        full = cap_reason(
            facts.sent_at,
            now=now,
            time_zone=facts.time_zone,
            max_per_day=effective.max_per_day,
            max_per_week=effective.max_per_week,
            min_gap_s=effective.min_gap_s,
        )
    except UnknownTimeZone:
        full = None
    numbers = {
        "sent_this_visit": in_visit,
        "full": "visit" if in_visit else full.value if full is not None else None,
        "sent_in_8_days": len(facts.sent_at),
        "last_sent_at": facts.sent_at[-1] if facts.sent_at else None,
        "max_per_day": effective.max_per_day,
        "max_per_week": effective.max_per_week,
        "min_gap_s": effective.min_gap_s,
        "ignored_in_a_row": facts.ignored_in_a_row,
    }
    return Check(name="frequency", part="when", reason=reason, numbers=numbers)


def _holdout(terms: OfferTerms, facts: CustomerFacts, *, params: Mapping[str, Any]) -> Check:
    """Return whether the customer is held out; a decision asks this of the winners alone."""
    own_share, house_share = terms.holdout_share, params["global_holdout_share"]
    is_out = is_held_out(facts.ref, offer=terms.ref, share=own_share, global_share=house_share)
    return Check(
        name="holdout",
        part="measure",
        reason=Reason.HOLDOUT if is_out else None,
        numbers={
            "bucket": bucket(facts.ref, terms.ref),
            "holdout_share": own_share,
            "global_bucket": bucket(facts.ref, GLOBAL_SALT),
            "global_holdout_share": house_share,
        },
    )


def _wall_clock(facts: CustomerFacts, *, now: datetime) -> str | None:
    try:
        return f"{local_time(at=now, time_zone=facts.time_zone):%H:%M}"
    except UnknownTimeZone:
        return None


def _hours(facts: CustomerFacts) -> dict[str, str] | None:
    if facts.quiet is None:
        return None
    start, end = facts.quiet
    return {"from": f"{start:%H:%M}", "until": f"{end:%H:%M}"}
