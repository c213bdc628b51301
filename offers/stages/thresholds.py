"""The house's settings as the rules take them."""

from collections.abc import Mapping
from typing import Any

from offers.rules.plausibility import Limits
from offers.rules.visits import Key, VisitParams


def limits_of(params: Mapping[str, Any]) -> Limits:
    """Return where belief in a phone's clock and position ends."""
    return Limits(
        late_s=params["max_push_lateness_s"],
        too_old_s=params["max_event_age_s"],
        max_speed_mps=params["max_speed_mps"],
    )


def visit_params(params: Mapping[str, Any], *, dwell_s_by_aisle: Mapping[Key, float]) -> VisitParams:
    """Return the thresholds of the fold; `dwell_s_by_aisle` names the aisles with a time of their own."""
    return VisitParams(
        enter_p=params["enter_probability"],
        exit_p=params["exit_probability"],
        phone_enter_p=params["phone_enter_probability"],
        store_dwell_s=params["store_dwell_s"],
        aisle_dwell_s=params["aisle_dwell_s"],
        aisle_dwell_s_by_aisle=dwell_s_by_aisle,
        aisle_silence_s=params["aisle_silence_s"],
        store_silence_s=params["store_silence_s"],
        fresh_s=params["aisle_sighting_window_s"],
        strong_dbm=params["strong_rssi_dbm"],
    )
