"""The second look: what each leased message depends on now, and the address and text it goes out with."""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog

from customers.rules.frequency import Caps
from offers.cursors import bigints, hot_cursor
from offers.gateways.port import PushMessage
from offers.rules.coupon_codes import grouped
from offers.rules.lanes import lane_of
from offers.rules.second_look import Look, drop_reason
from offers.stages.deliver.look_sql import LOOK
from offers.stages.deliver.parcels import Parcel
from offers.stages.facts import SENT_DAYS

DEEP_LINK = "rayon://coupons/"

Row = Mapping[str, Any]

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Looked:
    """What the second look came to; every leased message is in exactly one of these."""

    parcels: list[Parcel] = field(default_factory=list)
    dropped: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))  # message ids by reason
    held: dict[int, int] = field(default_factory=dict)  # sending was stopped: attempts by message id
    moved: dict[str, dict[int, int]] = field(
        default_factory=lambda: defaultdict(dict)
    )  # the same, by its lane
    malformed: dict[int, int] = field(default_factory=dict)  # no message can be made of it: attempts by id


def look_again(claimed: Mapping[int, int], *, lane: str, now: datetime, params: Mapping[str, Any]) -> Looked:
    """Sort leased messages (attempts by id) into those to send on this lane, to drop, to move, and to put back.

    One query. params: settings.RAYON: the house's quiet hours and caps for customers who set none of their own, how
    long after leaving a customer still counts as near, and how long a socket is waited for.
    """
    looked = Looked()
    values: dict[str, Any] = {
        "messages": bigints(claimed),
        "now": now,
        "since": now - timedelta(days=SENT_DAYS),
    }
    with hot_cursor() as cursor:
        cursor.execute(LOOK, values)
        columns = [column.name for column in cursor.description or ()]
        rows = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
    for row in rows:
        try:
            _sort(row, attempts=claimed[row["id"]], lane=lane, into=looked, now=now, params=params)
        # One row that nobody foresaw must not keep its whole batch from being sent, again and again.
        except Exception:
            _log.exception("message_defect", message=row["id"])
            looked.malformed[row["id"]] = claimed[row["id"]]
    return looked


def _sort(
    row: Row, *, attempts: int, lane: str, into: Looked, now: datetime, params: Mapping[str, Any]
) -> None:
    reason = drop_reason(_look(row, now=now, params=params), now=now)
    if reason is not None:
        into.dropped[reason.value].append(row["id"])
        return
    own = lane_of(
        channel=row["channel"],
        platform=row["platform"],
        has_socket=_has_socket(row, now=now, params=params),
    )
    if row["is_stopped"]:
        into.held[row["id"]] = attempts
    elif own != lane:
        into.moved[own][row["id"]] = attempts
    elif not row["title"]:
        into.malformed[row["id"]] = attempts
    else:
        into.parcels.append(
            Parcel(
                row_id=row["id"],
                attempts=attempts,
                customer_id=row["customer_id"],
                device_id=row["device_id"],
                push=_push(row, lane=lane),
                next_lane=row["platform"] or lane,
            )
        )


def _has_socket(row: Row, *, now: datetime, params: Mapping[str, Any]) -> bool:
    """Whether the phone holds a socket open, and there is time for a push should it not answer."""
    wait = timedelta(seconds=params["socket_ack_s"])
    return row["socket_channel"] is not None and row["expires_at"] > now + wait


def _look(row: Row, *, now: datetime, params: Mapping[str, Any]) -> Look:
    quiet = (params["quiet_from"], params["quiet_until"])
    if row["has_own_quiet_hours"]:
        quiet = (row["quiet_from"], row["quiet_until"])
    return Look(
        channel=row["channel"],
        expires_at=row["expires_at"],
        is_erased=row["is_erased"],
        granted=frozenset(row["granted"]),
        channels=frozenset(row["channels"]),
        paused_until=row["paused_until"],
        time_zone=row["time_zone"],
        quiet=None if quiet[0] is None else quiet,
        coupon_state=row["coupon_state"],
        coupon_valid_until=row["coupon_valid_until"],
        was_opened=row["was_opened"],
        offer_state=row["offer_state"],
        offer_valid_until=row["offer_valid_until"],
        is_offer_removed=row["is_offer_removed"],
        has_address=bool(_address(row)),
        is_near=_is_near(row, now=now, params=params),
        sent_at=tuple(row["sent_at"] or ()),
        caps=Caps(
            max_per_day=_own_or(row["max_pushes_per_day"], params["max_pushes_per_day"]),
            max_per_week=_own_or(row["max_pushes_per_week"], params["max_pushes_per_week"]),
            min_gap_s=params["min_gap_s"],
        ),
        ignored_in_a_row=row["ignored"],
    )


def _is_near(row: Row, *, now: datetime, params: Mapping[str, Any]) -> bool:
    """Whether the customer is where the offer is, or left a moment ago; where they are matters to some messages only."""
    if not row["is_here"]:
        return True
    if not row["has_visit"]:
        return False
    left_at = row["exited_at"]
    return left_at is None or now < left_at + timedelta(seconds=params["near_grace_s"])


def _own_or(own: int | None, house: int) -> int:
    return house if own is None else own


def _address(row: Row) -> str:
    if row["channel"] == "email":
        return str(row["email"])
    if row["channel"] == "sms":
        return str(row["phone"])
    return row["token"] or ""


def _push(row: Row, *, lane: str) -> PushMessage:
    code = grouped(row["code"])
    message_id = str(row["message_id"])
    data = {"code": code, "link": DEEP_LINK + code, "offer": row["offer_ref"], "message_id": message_id}
    token = _address(row)
    if lane == "socket":
        token, data = row["socket_channel"], {"device": row["device_ref"]}
    elif lane == "webpush":
        token = json.dumps({"endpoint": token, "p256dh": row["p256dh"], "auth": row["auth"]})
    if row["device_id"] is None or lane == "socket":
        data["customer"] = str(
            row["customer_id"]
        )  # for the link to unsubscribe, and for who holds the socket
    return PushMessage(
        message_id=message_id,
        platform=lane,
        token=token,
        title=row["title"],
        body=row["body"] or "",
        image_url=row["image_url"] or None,
        expires_at=min(row["expires_at"], row["coupon_valid_until"]),
        registered_at=row["registered_at"] or row["contact_at"],
        data=data,
        language=row["language"],
        is_sensitive=row["is_sensitive"],
        is_urgent=row["is_here"],
        badge=row["badge"],
    )
