"""Which way a message takes, and which words stop it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from customers.rules.stop_words import is_stop
from offers.rules.channels import channel_for, no_channel, wanted_channels
from offers.rules.eligibility import Reason
from tests.unit.decide.test_deciding import FACTS

ALL = ("push", "email", "sms")
EVERYWHERE = replace(
    FACTS, channels=ALL, granted=frozenset(ALL), has_device=True, has_email=True, has_phone=True
)


@pytest.mark.parametrize(
    ("changes", "channel"),
    [
        ({}, "push"),
        ({"channels": ("sms", "email", "push")}, "sms"),
        ({"channels": ("email",)}, "email"),
        ({"has_device": False}, "email"),
        ({"has_device": False, "has_email": False}, "sms"),
        ({"granted": frozenset({"sms", "geolocation"})}, "sms"),
        ({"granted": frozenset({"email"}), "channels": ("push", "email")}, "email"),
        ({"has_device": False, "has_email": False, "has_phone": False}, None),
        ({"has_device": False, "channels": ("push",)}, None),
        ({"has_email": False, "channels": ("email",)}, None),
        ({"has_phone": False, "granted": frozenset({"sms"})}, None),
        ({"granted": frozenset()}, None),
        ({"channels": ()}, None),
    ],
)
def test_the_first_channel_that_is_wanted_allowed_and_reachable_is_taken(
    changes: dict[str, object], channel: str | None
) -> None:
    assert channel_for(replace(EVERYWHERE, **changes)) == channel


@given(
    channels=st.permutations(ALL).flatmap(lambda all_: st.integers(0, 3).map(lambda n: tuple(all_[:n]))),
    granted=st.frozensets(st.sampled_from((*ALL, "geolocation"))),
    reachable=st.frozensets(st.sampled_from(ALL)),
)
def test_nothing_goes_where_it_may_not_and_the_order_is_the_customers(
    channels: tuple[str, ...], granted: frozenset[str], reachable: frozenset[str]
) -> None:
    facts = replace(
        EVERYWHERE,
        channels=channels,
        granted=granted,
        has_device="push" in reachable,
        has_email="email" in reachable,
        has_phone="sms" in reachable,
    )
    usable = [channel for channel in channels if channel in granted and channel in reachable]
    assert channel_for(facts) == (usable[0] if usable else None)
    is_refused = no_channel(channels=channels, granted=granted) is Reason.NO_CONSENT
    assert is_refused is (not wanted_channels(channels=channels, granted=granted))


@pytest.mark.parametrize(
    ("text", "stops"),
    [
        ("STOP", True),
        (" stop. ", True),
        ("Stop svp, plus de messages", True),
        ("ARRÊT", True),
        ("arreter", True),
        ("Désabonner", True),
        ("UNSUBSCRIBE", True),
        ("stop36180", True),
        ("« STOP »", True),
        ("Stopover à Lyon ?", False),
        ("Merci, ne pas stop", False),
        ("", False),
        ("36180", False),
        ("👍", False),
    ],
)
def test_the_first_word_says_stop(text: str, stops: bool) -> None:
    assert is_stop(text) is stops
