"""The defaults of offers and privacy; each is set by RAYON_<NAME>, in capitals."""

import os
from collections.abc import Mapping
from datetime import date, time
from typing import Any, TypedDict, get_type_hints

from django.core.exceptions import ImproperlyConfigured

from offers.rules.legal_values import Rule


class RayonSettings(TypedDict):
    # One customer's budget of attention. Days and weeks are the customer's own.
    max_pushes_per_day: int
    max_pushes_per_week: int
    min_gap_s: int  # between two messages
    max_ignored_pushes: int  # in a row; then the budget is halved until one is opened
    quiet_from: time  # local; quiet hours are [quiet_from, quiet_until), over midnight
    quiet_until: time
    max_speed_mps: float  # faster than this, nothing is sent
    # From position to visit.
    enter_probability: float  # P(inside) at or above: in
    exit_probability: float  # P(inside) at or below: out
    phone_enter_probability: float  # P(inside) of a phone's own "enter" without a position
    store_dwell_s: int
    aisle_dwell_s: int
    max_fix_age_s: int
    max_accuracy_m: float  # or the place's radius, where that is more
    max_event_age_s: int  # older: stored, never acted on
    max_push_lateness_s: int  # an event later than this moves the visit, but sends nothing
    strong_rssi_dbm: int  # one sighting at or above decides alone
    aisle_sighting_window_s: int  # an aisle's dwell needs a sighting in its last seconds
    store_silence_s: int
    aisle_silence_s: int
    # Offers.
    coupon_minutes: int
    message_freshness_s: int  # a push that could not go out by then is dropped
    near_grace_s: int  # and so is one whose customer left the store longer ago
    holdout_share: float  # of an offer that names none
    global_holdout_share: float
    exploration_share: float  # of the choices among equals, at least, that chance makes; 0: chance makes none
    attribution_days: int
    # The legal guard for France; docs/algorithms/legal-guard.md.
    legal_rules_off: frozenset[str]  # names of rules that are not asked
    legal_food_promotion_share: float  # of the price that a promotion may take off
    legal_household_promotion_share: float
    legal_promotion_cap_until: date  # last day, in France
    legal_food_markup_share: float  # what the price of food stands above its cost at least
    legal_food_markup_until: date  # last day, in France
    legal_refuses_unknown_prices: int  # 1: an amount off goods without a known price is refused, 0: told
    attention_price_minor: int  # what one message costs in the customer's patience, in the offer's currency
    channels: tuple[
        str, ...
    ]  # that messages may take: those with a provider, which says it (config.settings.push)
    # Retention.
    position_retention_hours: int
    event_retention_days: int
    purchase_retention_years: int
    consent_retention_years: int
    idempotency_retention_hours: int
    # Batches.
    coalesce_window_ms: int  # events that arrive within this are decided together
    max_batch_events: int
    # Sockets.
    socket_ack_s: float  # without the app's ack by then, the push goes out
    socket_idle_s: float  # silence from the phone after which its socket is closed
    socket_beat_s: (
        float  # how often tokens are looked at again, and other processes told that sockets are open here
    )
    socket_max_frames: int  # in flight on one socket; more is too fast


DEFAULTS: RayonSettings = {
    "max_pushes_per_day": 1,
    "max_pushes_per_week": 3,
    "min_gap_s": 14_400,
    "max_ignored_pushes": 3,
    "quiet_from": time(21, 0),
    "quiet_until": time(8, 0),
    "max_speed_mps": 7.0,
    "enter_probability": 0.8,
    "exit_probability": 0.2,
    "phone_enter_probability": 0.5,
    "store_dwell_s": 120,
    "aisle_dwell_s": 15,
    "max_fix_age_s": 120,
    "max_accuracy_m": 100.0,
    "max_event_age_s": 86_400,
    "max_push_lateness_s": 120,
    "strong_rssi_dbm": -75,
    "aisle_sighting_window_s": 10,
    "store_silence_s": 1_200,
    "aisle_silence_s": 30,
    "coupon_minutes": 60,
    "message_freshness_s": 900,
    "near_grace_s": 120,
    "holdout_share": 0.10,
    "global_holdout_share": 0.0,
    "exploration_share": 0.0,
    "attribution_days": 7,
    "legal_rules_off": frozenset(),
    "legal_food_promotion_share": 0.34,
    "legal_household_promotion_share": 0.40,
    "legal_promotion_cap_until": date(2028, 4, 15),
    "legal_food_markup_share": 0.10,
    "legal_food_markup_until": date(2028, 4, 15),
    "legal_refuses_unknown_prices": 0,
    "attention_price_minor": 2,
    "channels": ("push",),
    "position_retention_hours": 24,
    "event_retention_days": 90,
    "purchase_retention_years": 3,
    "consent_retention_years": 5,
    "idempotency_retention_hours": 72,
    "coalesce_window_ms": 5,
    "max_batch_events": 500,
    "socket_ack_s": 10.0,
    "socket_idle_s": 300.0,
    "socket_beat_s": 5.0,
    "socket_max_frames": 32,
}
SHARES = frozenset(name for name in DEFAULTS if name.endswith(("_share", "_probability")))
NEGATIVE = frozenset({"strong_rssi_dbm"})
DERIVED = frozenset({"channels"})
NOT_OURS = frozenset({"RAYON_HOME"})  # read in config.env


def read_rayon(*, source: Mapping[str, str]) -> RayonSettings:
    """Return the defaults with what the environment overrules.

    Raises ImproperlyConfigured naming the variable: unknown name, wrong form, or out of range.
    """
    kinds = get_type_hints(RayonSettings)
    found: dict[str, Any] = dict(DEFAULTS)
    problems: list[str] = []
    for variable, given in sorted(source.items()):
        if not variable.startswith("RAYON_") or variable in NOT_OURS or given == "":
            continue
        name = variable.removeprefix("RAYON_").lower()
        if name not in kinds or name in DERIVED:
            problems.append(f"{variable} is not a setting of Rayon.")
            continue
        try:
            found[name] = _value(name=name, kind=kinds[name], given=given)
        except ValueError as error:
            problems.append(f"{variable} must be {error}.")
    if found["exit_probability"] >= found["enter_probability"]:
        problems.append("RAYON_EXIT_PROBABILITY must be below RAYON_ENTER_PROBABILITY.")
    if problems:
        raise ImproperlyConfigured("\n".join(problems))
    return RayonSettings(**found)  # type: ignore[typeddict-item]


def _value(*, name: str, kind: Any, given: str) -> Any:
    """Return the parsed value. Raises ValueError with the form it must have, to be read after "must be"."""
    if kind is time:
        return _local_time(given=given)
    if kind is date:
        return _day(given=given)
    if kind == frozenset[str]:
        return _rules(given=given)
    try:
        value: int | float = kind(given)
    except ValueError:
        raise ValueError("a whole number" if kind is int else "a number") from None
    if name in SHARES and not 0 <= value <= 1:
        raise ValueError("between 0 and 1")
    if name not in NEGATIVE and not 0 <= value < float("inf"):
        raise ValueError("0 or more")
    return value


def _local_time(*, given: str) -> time:
    try:
        value = time.fromisoformat(given)
    except ValueError:
        value = None
    if value is None or value.tzinfo is not None:
        raise ValueError("a local time such as 21:00")
    return value


def _day(*, given: str) -> date:
    try:
        return date.fromisoformat(given)
    except ValueError:
        raise ValueError("a day such as 2028-04-15") from None


def _rules(*, given: str) -> frozenset[str]:
    names = frozenset(filter(None, map(str.strip, given.split(","))))
    if not names <= set(Rule):
        raise ValueError(f"a comma-separated list of {', '.join(Rule)}")
    return names


RAYON = read_rayon(source=os.environ)
