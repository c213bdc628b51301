"""Which aisle the beacons say a phone is in; docs/algorithms/geofence.md."""

from collections.abc import Sequence
from datetime import datetime

from offers.rules.visit_values import Key, Signal, VisitParams

# A code can only be scanned at the shelf: louder than any beacon.
SCANNED_DBM = 0


def heard(
    signals: Sequence[Signal], *, aisle: Key, at: datetime, rssi_dbm: int | None, params: VisitParams
) -> tuple[Signal, ...]:
    """Return the sightings that count once this one is in: the fresh ones, the last few of each aisle."""
    new = Signal(aisle=aisle, at=at, rssi_dbm=SCANNED_DBM if rssi_dbm is None else rssi_dbm)
    kept = [*fresh(signals, at=at, params=params), new]
    surplus = sum(signal.aisle == aisle for signal in kept) - params.max_signals
    if surplus > 0:
        kept.remove(next(signal for signal in kept if signal.aisle == aisle))
    return tuple(kept)


def fresh(signals: Sequence[Signal], *, at: datetime, params: VisitParams) -> tuple[Signal, ...]:
    """Return the sightings younger than fresh_s."""
    since = at - params.fresh
    return tuple([signal for signal in signals if signal.at > since])


def level_dbm(signals: Sequence[Signal], aisle: Key) -> float | None:
    """Return the median strength of an aisle's sightings; None if there are none."""
    strengths = sorted(signal.rssi_dbm for signal in signals if signal.aisle == aisle)
    if not strengths:
        return None
    half = len(strengths) // 2
    return strengths[half] if len(strengths) % 2 else (strengths[half - 1] + strengths[half]) / 2


def decides(
    signals: Sequence[Signal], *, aisle: Key, scanned: bool, current: Key | None, params: VisitParams
) -> bool:
    """Return whether the last sighting, of this aisle, puts the phone there; it is among the fresh signals.

    A scanned code always does. A beacon must be loud, or heard several times, and clearly louder than the
    aisle the phone is in while that one is still heard.
    """
    if scanned:
        return True
    level = level_dbm(signals, aisle)
    if level is None:
        return False
    often = sum(signal.aisle == aisle for signal in signals) >= params.weak_count
    if level < (params.weak_dbm if often else params.strong_dbm):
        return False
    rival = None if current is None else level_dbm(signals, current)
    return rival is None or level >= rival + params.hysteresis_db
