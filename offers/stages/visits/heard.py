"""What was heard of a customer: new events and, where one came late, those of the last day with them."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from offers.cursors import bigints, hot_cursor, ints, texts, uuids
from offers.event_tables import recent_events
from offers.flow import StoredEvent
from offers.rules.event_ids import first_id
from offers.rules.plausibility import Fix, Limits, Movement, movement_of

AHEAD_AT_MOST = timedelta(hours=1)  # far more than a phone's clock may be ahead of ours

Order = tuple[
    datetime, str
]  # when it happened, then its id: the order in which a customer's events are folded


class Heard(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    row_id: int
    event_id: str
    device_id: str
    type: str
    at: datetime
    fix: Fix | None
    store_id: int | None  # of its geofence or beacon
    aisle_id: int | None
    rssi_dbm: int | None
    was: str  # the verdict on disk: empty, or implausible_location
    is_new: bool = False

    @property
    def order(self) -> Order:
        return self.at, self.event_id


class Judged(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    heard: Heard
    movement: Movement
    is_repeated: bool = False  # the very coordinates of the position before


def heard_now(stored: StoredEvent) -> Heard:
    """Return a new event as the fold takes it."""
    event, place, at = stored.event, stored.place, stored.event.position
    fix = None
    if at is not None:
        fix = Fix(
            at=event.occurred_at,
            lat=float(at.lat),
            lon=float(at.lon),
            accuracy_m=float(at.accuracy_m),
            is_mock=at.is_mock,
        )
    return Heard(
        row_id=stored.row_id,
        event_id=event.event_id,
        device_id=event.device_id,
        type=event.type,
        at=event.occurred_at,
        fix=fix,
        store_id=place.store_id if place else None,
        aisle_id=place.aisle_id if place else None,
        rssi_dbm=event.beacon.rssi_dbm if event.beacon else None,
        was="",
        is_new=True,
    )


def heard_since(
    customer_ids: Collection[int], *, since: datetime, now: datetime, new: Collection[int]
) -> dict[int, list[Heard]]:
    """Return all that counts of these customers' events since then, in order; `new` are row ids. One query."""
    found: defaultdict[int, list[Heard]] = defaultdict(list)
    with hot_cursor() as cursor:
        cursor.execute(
            f"""
            SELECT customer_id, id, event_id::text, device_id, type, occurred_at, lat, lon, accuracy_m, is_mock,
              store_id, aisle_id, rssi_dbm, verdict
            FROM {recent_events(now, back=now - since + AHEAD_AT_MOST)} e
            WHERE customer_id = ANY(%s) AND id >= %s::bigint AND occurred_at >= %s AND verdict IN ('', 'implausible_location')
            """,  # noqa: S608 - names made of dates
            [bigints(customer_ids), first_id(since - AHEAD_AT_MOST), since],
        )
        for row in cursor.fetchall():
            found[row[0]].append(_heard(row[1:], new=new))
    return {id_: sorted(heard, key=lambda each: each.order) for id_, heard in found.items()}


def _heard(row: Sequence[Any], *, new: Collection[int]) -> Heard:
    (
        row_id,
        event_id,
        device_id,
        kind,
        at,
        lat,
        lon,
        accuracy_m,
        is_mock,
        store_id,
        aisle_id,
        rssi,
        verdict,
    ) = row
    fix = None
    if lat is not None:
        fix = Fix(at=at, lat=lat, lon=lon, accuracy_m=accuracy_m, is_mock=is_mock)
    return Heard(
        row_id=row_id,
        event_id=event_id,
        device_id=device_id,
        type=kind,
        at=at,
        fix=fix,
        store_id=store_id,
        aisle_id=aisle_id,
        rssi_dbm=rssi,
        was=verdict,
        is_new=row_id in new,
    )


def since_silence(heard: Sequence[Heard], *, silence: timedelta) -> Sequence[Heard]:
    """Return the events from the last long silence before the first new one on: nothing outlives such a silence."""
    first_new = next((index for index, each in enumerate(heard) if each.is_new), len(heard))
    for index in range(min(first_new, len(heard) - 1), 0, -1):
        if heard[index].at - heard[index - 1].at > silence:
            return heard[index:]
    return heard


def last_believed(heard: Sequence[Heard], *, before: Order) -> Fix | None:
    """Return the newest position of an earlier event that was believed."""
    for each in reversed(heard):
        if each.order < before and each.fix is not None and not each.was:
            return each.fix
    return None


def judge(heard: Sequence[Heard], *, last_fix: Fix | None, limits: Limits) -> tuple[Judged, ...]:
    """Return each event, in order, with what the way to its position says; one without a position is plausible."""
    judged = []
    for each in heard:
        movement, is_repeated = Movement.PLAUSIBLE, False
        if each.fix is not None:
            movement = movement_of(before=last_fix, after=each.fix, limits=limits)
            is_repeated = last_fix is not None and (each.fix.lat, each.fix.lon) == (
                last_fix.lat,
                last_fix.lon,
            )
            if movement is not Movement.IMPLAUSIBLE:
                last_fix = each.fix
        judged.append(Judged(heard=each, movement=movement, is_repeated=is_repeated))
    return tuple(judged)


def count_oddities(judged: Iterable[tuple[int, Judged]]) -> None:
    """Count what is odd of the new positions of (customer id, event), by device; one statement, none if nothing is odd.

    Coordinates that repeat decide nothing: a fifth of honest ones do.
    """
    made_up: Counter[tuple[int, str]] = Counter()
    repeated: Counter[tuple[int, str]] = Counter()
    for customer_id, each in judged:
        if each.movement is Movement.IMPLAUSIBLE:
            made_up[customer_id, each.heard.device_id] += 1
        if each.is_repeated:
            repeated[customer_id, each.heard.device_id] += 1
    odd = sorted({*made_up, *repeated})
    if not odd:
        return
    with hot_cursor() as cursor:
        cursor.execute(
            """
            UPDATE customers_device d SET implausible_fixes = d.implausible_fixes + odd.made_up,
              repeated_fixes = d.repeated_fixes + odd.repeated
            FROM unnest(%s, %s, %s, %s) AS odd(customer_id, device_id, made_up, repeated)
            WHERE (d.customer_id, d.device_id) = (odd.customer_id, odd.device_id)
            """,
            [
                bigints([customer_id for customer_id, _ in odd]),
                texts([device_id for _, device_id in odd]),
                ints([made_up[device] for device in odd]),
                ints([repeated[device] for device in odd]),
            ],
        )


def change_verdicts(changes: Sequence[tuple[int, Heard, str]]) -> None:
    """Write what is now thought of (customer id, event, verdict); one statement."""
    if not changes:
        return
    with hot_cursor() as cursor:
        cursor.execute(
            """
            UPDATE offers_locationevent e SET verdict = changed.verdict
            FROM unnest(%s, %s, %s, %s) AS changed(id, customer_id, event_id, verdict)
            WHERE (e.customer_id, e.event_id) = (changed.customer_id, changed.event_id) AND e.id = changed.id
              AND e.id >= %s::bigint
            """,
            [
                bigints([event.row_id for _, event, _ in changes]),
                bigints([customer_id for customer_id, _, _ in changes]),
                uuids([event.event_id for _, event, _ in changes]),
                texts([verdict for _, _, verdict in changes]),
                min(event.row_id for _, event, _ in changes),
            ],
        )
