"""A process's own channel on the channel layer, and whether it still hears what is sent there."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from channels.layers import DEFAULT_CHANNEL_LAYER, BaseChannelLayer, channel_layers

PULSE = "pulse"
SEND_S = 5.0

log = logging.getLogger(__name__)


class Inbox:
    """One channel a process, however many sockets: a channel a socket would cost the layer a lock each.

    A layer may fall silent for good after its server was restarted. So the process sends itself a pulse now and then;
    when one is not heard by the next, the layer is made anew, under a new channel.
    """

    def __init__(self, *, on_message: Callable[[Mapping[str, Any]], None]) -> None:
        self._on_message = on_message
        self._layer: BaseChannelLayer | None = None
        self._listening: asyncio.Task[None] | None = None
        self._sent = self._heard = 0
        self.channel = ""

    async def open(self) -> None:
        layer = channel_layers[DEFAULT_CHANNEL_LAYER]
        self.channel = await layer.new_channel("stream")
        self._layer = layer
        self._sent = self._heard = 0
        self._listening = asyncio.create_task(self._listen(layer, self.channel))

    async def beat(self) -> bool:
        """Send a pulse; return whether the last one was heard. If it was not, the channel is another one now."""
        is_well = self._heard == self._sent and self._listening is not None and not self._listening.done()
        if not is_well:
            log.warning("the channel layer is silent and is opened anew")
            await self.close()
            channel_layers.backends.pop(DEFAULT_CHANNEL_LAYER, None)
            await self.open()
        assert self._layer is not None
        self._sent += 1
        try:
            async with asyncio.timeout(SEND_S):
                await self._layer.send(self.channel, {"type": PULSE, "number": self._sent})
        # Whatever a layer raises, it is silence.
        except Exception as error:
            log.warning("the channel layer takes nothing: %s", type(error).__name__)
        return is_well

    async def close(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await self._listening
            self._listening = None

    async def _listen(self, layer: BaseChannelLayer, channel: str) -> None:
        while True:
            message = await layer.receive(channel)
            if message.get("type") == PULSE:
                self._heard = max(self._heard, message["number"])
            else:
                self._on_message(message)
