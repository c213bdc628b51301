"""A gateway for work at a desk: it says that a message would have left, and neither to whom nor with what."""

from collections.abc import Sequence
from datetime import datetime

import structlog

from .port import Outcome, PushMessage, Receipt

_log = structlog.get_logger(__name__)


class ConsoleGateway:
    """Accepts every message in time, and logs its id."""

    async def send(self, messages: Sequence[PushMessage], *, now: datetime) -> list[Receipt]:
        """Return one receipt per message, in the same order: ACCEPTED, or EXPIRED for what is too late."""
        return [self._receipt(message, now=now) for message in messages]

    async def aclose(self) -> None:
        """Nothing is open."""

    def _receipt(self, message: PushMessage, *, now: datetime) -> Receipt:
        if message.expires_at <= now:
            return Receipt(message_id=message.message_id, outcome=Outcome.EXPIRED)
        _log.info("push_sent", message_id=message.message_id, platform=message.platform, gateway="console")
        return Receipt(
            message_id=message.message_id,
            outcome=Outcome.ACCEPTED,
            provider_message_id=f"console/{message.message_id}",
        )
