"""The second look: what each leased message depends on now, and the address and text it goes out with."""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from offers.gateways.port import PushMessage
from offers.rules.coupon_codes import grouped
from offers.rules.second_look import Look, drop_reason

DEEP_LINK = "rayon://coupons/"

# One row a message, with the device it goes to: the one it was written for while that has an address, else the one
# last seen that has. Where that device holds a socket open, the socket comes first, once: its receipt says so.
_LOOK = """
    SELECT m.id, m.message_id, m.channel, m.expires_at, m.customer_id,
           c.state AS coupon_state, c.valid_until AS coupon_valid_until, c.opened_at IS NOT NULL AS was_opened,
           c.code, c.terms::text AS terms,
           o.ref AS offer_ref, o.state AS offer_state, o.valid_until AS offer_valid_until,
           o.removed_at IS NOT NULL AS is_offer_removed,
           u.erased_at IS NOT NULL AS is_erased, u.granted, u.channels, u.paused_until, u.time_zone,
           u.has_own_quiet_hours, u.quiet_from, u.quiet_until,
           d.id AS device_id, d.platform, d.registered_at, COALESCE(d.token, '') AS token,
           d.ref AS device_ref, s.channel AS socket_channel,
           COALESCE((SELECT is_stopped FROM offers_sendingswitch WHERE id = 1), false) AS is_stopped
      FROM offers_outboxmessage m
      JOIN offers_coupon c ON c.id = m.coupon_id
      JOIN offers_offer o ON o.id = c.offer_id
      JOIN customers_customer u ON u.id = m.customer_id
      LEFT JOIN LATERAL (
           SELECT d.id, d.device_id AS ref, d.platform, d.registered_at, g.registration_id AS token
             FROM customers_device d
             LEFT JOIN push_notifications_gcmdevice g ON g.id = d.fcm_id AND g.active
            WHERE d.customer_id = m.customer_id AND d.active
              AND COALESCE(g.id, d.apns_id, d.webpush_id) IS NOT NULL
            ORDER BY COALESCE(d.id = m.device_id, false) DESC, d.last_seen_at DESC, d.id DESC
            LIMIT 1) d ON true
      LEFT JOIN LATERAL (
           SELECT v.channel
             FROM offers_opensocket o JOIN offers_socketserver v ON v.id = o.server_id
            WHERE o.customer_id = m.customer_id AND o.device_id = d.ref AND v.alive_until > %s
              AND NOT EXISTS (SELECT FROM offers_receipt r
                               WHERE r.customer_id = m.customer_id AND r.message_id = m.id
                                 AND r.platform = 'socket')) s ON true
     WHERE m.id = ANY(%s)
     ORDER BY m.id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A message on its way to one device."""

    row_id: int  # of the outbox message
    attempts: int  # this try counted
    customer_id: int
    device_id: int  # primary key
    push: PushMessage


@dataclass(slots=True)
class Looked:
    """What the second look came to; every leased message is in exactly one of these."""

    parcels: list[Parcel] = field(default_factory=list)
    dropped: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))  # message ids by reason
    held: dict[int, int] = field(default_factory=dict)  # sending was stopped: attempts by message id
    malformed: dict[int, int] = field(default_factory=dict)  # no message can be made of it: attempts by id


def look_again(claimed: Mapping[int, int], *, now: datetime, params: Mapping[str, Any]) -> Looked:
    """Sort leased messages (attempts by id) into those to send, to drop, and to put back. One query.

    params: settings.RAYON: the house's quiet hours for customers who set none of their own, and how long a socket is
    waited for.
    """
    looked = Looked()
    with connection.cursor() as cursor:
        cursor.execute(_LOOK, [now, list(claimed)])
        columns = [column.name for column in cursor.description or ()]
        rows = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
    for row in rows:
        _sort(row, attempts=claimed[row["id"]], into=looked, now=now, params=params)
    return looked


def _sort(
    row: Mapping[str, Any], *, attempts: int, into: Looked, now: datetime, params: Mapping[str, Any]
) -> None:
    reason = drop_reason(_look(row, params=params), now=now)
    if reason is not None:
        into.dropped[reason.value].append(row["id"])
    elif row["is_stopped"]:
        into.held[row["id"]] = attempts
    elif (push := _push(row)) is None:
        into.malformed[row["id"]] = attempts
    else:
        into.parcels.append(
            Parcel(
                row_id=row["id"],
                attempts=attempts,
                customer_id=row["customer_id"],
                device_id=row["device_id"],
                push=push if not _has_socket(row, now=now, params=params) else _to_socket(push, row),
            )
        )


def _has_socket(row: Mapping[str, Any], *, now: datetime, params: Mapping[str, Any]) -> bool:
    """Whether the phone holds a socket open, and there is time for a push should it not answer."""
    wait = timedelta(seconds=params["socket_ack_s"])
    return row["socket_channel"] is not None and row["expires_at"] > now + wait


def _to_socket(push: PushMessage, row: Mapping[str, Any]) -> PushMessage:
    phone = {"customer": str(row["customer_id"]), "device": row["device_ref"]}
    return replace(push, platform="socket", token=row["socket_channel"], data=phone)


def _look(row: Mapping[str, Any], *, params: Mapping[str, Any]) -> Look:
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
        has_device=row["device_id"] is not None,
    )


def _push(row: Mapping[str, Any]) -> PushMessage | None:
    terms = json.loads(row["terms"])
    if not isinstance(terms, dict):
        return None
    title, body = terms.get("title"), terms.get("body")
    if not isinstance(title, str) or not title:
        return None
    code = grouped(row["code"])
    return PushMessage(
        message_id=str(row["message_id"]),
        platform=row["platform"],
        token=row["token"],
        title=title,
        body=body if isinstance(body, str) else "",
        image_url=terms.get("image_url") or None,
        expires_at=min(row["expires_at"], row["coupon_valid_until"]),
        registered_at=row["registered_at"],
        data={
            "code": code,
            "link": DEEP_LINK + code,
            "offer": row["offer_ref"],
            "message_id": str(row["message_id"]),
        },
    )
