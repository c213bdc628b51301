"""The receipts that catalogues of answers expect."""

from datetime import datetime, timedelta

from offers.gateways.port import Outcome, PushMessage, Receipt


def refused(
    message: PushMessage,
    outcome: Outcome,
    *,
    code: str,
    status: int | None,
    wait_s: float | None,
    now: datetime,
) -> Receipt:
    """Return what comes of a message that is not taken; it is due again after `wait_s` seconds, if at all."""
    return Receipt(
        message_id=message.message_id,
        outcome=outcome,
        provider_code=code,
        status=status,
        retry_at=None if wait_s is None else now + timedelta(seconds=wait_s),
    )
