"""The gateway to phones that hold a socket open: through the channel layer, to the server process that has it."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from channels.layers import BaseChannelLayer

from .port import Outcome, PushMessage, Receipt

OFFERS = "offers"  # the type of the layer's message
ACK_WAIT_S = 10.0

_log = structlog.get_logger(__name__)


class SocketGateway:
    """Offers messages to sockets; the app's acknowledgement, not this gateway, says that one arrived.

    A message's token is the channel of a server process; `data` names the phone: customer (its primary key) and device.
    """

    def __init__(self, *, layer: BaseChannelLayer, ack_wait_s: float = ACK_WAIT_S) -> None:
        self._layer = layer
        self._ack_wait = timedelta(seconds=ack_wait_s)

    async def send(self, messages: Sequence[PushMessage], *, now: datetime) -> list[Receipt]:
        """Return one receipt per message, in the same order: OFFERED until `retry_at`, at once where nobody was reached."""
        by_channel: dict[str, list[PushMessage]] = defaultdict(list)
        for message in messages:
            by_channel[message.token].append(message)
        reached = {channel: await self._tell(channel, some) for channel, some in by_channel.items()}
        return [
            Receipt(
                message_id=message.message_id,
                outcome=Outcome.OFFERED,
                provider_code=None if reached[message.token] else "NOT_REACHED",
                retry_at=now + self._ack_wait if reached[message.token] else now,
            )
            for message in messages
        ]

    async def aclose(self) -> None:
        """Nothing is open: the layer belongs to the process."""

    async def _tell(self, channel: str, messages: Sequence[PushMessage]) -> bool:
        to = [[int(one.data["customer"]), one.data["device"], one.message_id] for one in messages]
        try:
            await self._layer.send(channel, {"type": OFFERS, "to": to})
        # Whatever a layer raises, from a full queue to a lost server: the push goes out instead.
        except Exception as error:
            _log.warning("socket_not_reached", messages=len(messages), error=type(error).__name__)
            return False
        return True
