"""One message to be told by e-mail or SMS."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from offers.gateways.port import PushMessage

NOW = datetime(2026, 3, 14, 10, 0, tzinfo=UTC)  # 11:00 in Paris


def message(**changes: object) -> PushMessage:
    made = PushMessage(
        message_id="6e3c3a5e-0f5c-4e0b-9c0e-3a4f6a0b1c2d",
        platform="email",
        token="ada@example.net",
        title="−30 % sur vos yaourts",
        body="Au rayon frais.",
        data={
            "code": "7K3M-ZQ8V-0T",
            "customer": "12",
            "link": "rayon://coupons/7K3M-ZQ8V-0T",
            "valid_until": "2026-03-14T12:30:00+01:00",
        },
        expires_at=NOW + timedelta(hours=1),
        registered_at=NOW,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def without(*names: str, **changes: object) -> PushMessage:
    """Return the message without these of its data."""
    data = {name: value for name, value in message().data.items() if name not in names}
    return message(data=data, **changes)
