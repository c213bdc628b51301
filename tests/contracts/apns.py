"""Messages for the APNs gateway, and what of them came over the wire."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from offers.gateways.port import Outcome, PushMessage

from .test_gateways import push

AT_ONCE = float(int(time.time()))
NOW = datetime.fromtimestamp(AT_ONCE, UTC)
REGISTERED_MS = int((NOW - timedelta(days=3)).timestamp() * 1000)

LATER, STOPPED = Outcome.TRY_LATER, Outcome.LANE_STOPPED


def message(**changes: Any) -> PushMessage:
    return push(
        platform="apns",
        **{
            "expires_at": NOW + timedelta(hours=1),
            "registered_at": NOW - timedelta(days=3),
            **changes,
        },
    )


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def ids(entries: list[dict[str, Any]]) -> list[tuple[str, str]]:
    headers = [entry["message"]["headers"] for entry in entries]
    return [(one["apns-id"], one["apns-collapse-id"]) for one in headers]
