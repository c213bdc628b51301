"""The way to the providers: a gateway a lane, kept for the worker's life, in the one event loop it lives in."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from offers.gateways.credentials import BadCredentialsFile
from offers.gateways.port import Outcome, PushGateway, PushMessage, Receipt
from offers.gateways.registry import GATEWAYS, NoGateway, gateway_for
from offers.gateways.settings import ProviderSettings
from offers.stages.deliver.parcels import Answer, Parcel

SEND_LIMIT_S = 30.0  # one call of a gateway; well below the lease

_log = structlog.get_logger(__name__)


@dataclass(slots=True, kw_only=True)
class Lanes:
    """The gateways. They are made when first needed, and made again after they failed to be."""

    providers: ProviderSettings
    is_console: bool = False  # without credentials: messages are logged instead of waiting for credentials
    send_limit_s: float = SEND_LIMIT_S
    _runner: asyncio.Runner = field(default_factory=asyncio.Runner)
    _gateways: dict[str, PushGateway] = field(default_factory=dict)

    def send(self, parcels: Sequence[Parcel], *, clock: Callable[[], datetime]) -> list[Answer]:
        """Send every parcel on its lane, all lanes at once; return one answer per parcel, in any order.

        Takes at most about send_limit_s. Raises nothing for a provider's sake.
        """
        if not parcels:
            return []
        lanes: dict[str, list[Parcel]] = defaultdict(list)
        for parcel in parcels:
            lanes[parcel.push.platform].append(parcel)
        return self._runner.run(self._send(lanes, clock=clock))

    def close(self) -> None:
        """Close the gateways and the event loop."""
        self._runner.run(self.aclose())
        self._runner.close()

    async def aclose(self) -> None:
        """Close the gateways, in the event loop that they were made in."""
        for gateway in self._gateways.values():
            await gateway.aclose()
        self._gateways.clear()

    async def on_lane(
        self, lane: str, parcels: Sequence[Parcel], *, clock: Callable[[], datetime]
    ) -> list[Answer]:
        """Send parcels of one lane; return one answer per parcel, same order. Raises nothing for a provider's sake."""
        if lane not in GATEWAYS:
            _log.error("no_gateway", platform=lane, messages=len(parcels))
            return _untried(parcels, outcome=Outcome.OUR_FAULT, code="NO_GATEWAY", at=clock())
        try:
            gateway = self._gateway(lane)
        except (NoGateway, BadCredentialsFile) as error:
            _log.error(
                "lane_without_credentials",
                platform=lane,
                messages=len(parcels),
                variable=getattr(error, "variable", ""),
                error=type(error).__name__,
            )
            return _untried(parcels, outcome=Outcome.LANE_STOPPED, code="NO_CREDENTIALS", at=clock())
        receipts = await self._receipts(gateway, [parcel.push for parcel in parcels], clock=clock)
        at = clock()
        return [Answer(parcel=parcel, receipt=r, at=at) for parcel, r in zip(parcels, receipts, strict=True)]

    async def _send(self, lanes: dict[str, list[Parcel]], *, clock: Callable[[], datetime]) -> list[Answer]:
        answered = await asyncio.gather(
            *(self.on_lane(lane, parcels, clock=clock) for lane, parcels in lanes.items())
        )
        return [answer for answers in answered for answer in answers]

    async def _receipts(
        self, gateway: PushGateway, messages: list[PushMessage], *, clock: Callable[[], datetime]
    ) -> list[Receipt]:
        try:
            async with asyncio.timeout(self.send_limit_s):
                return await gateway.send(messages, now=clock())
        except TimeoutError:
            # Some may have been taken; all are sent again under the same ids.
            _log.error("send_took_too_long", messages=len(messages))
            return [unknown(message, code="SEND_LIMIT", at=clock()) for message in messages]

    def _gateway(self, lane: str) -> PushGateway:
        known = self._gateways.get(lane)
        if known is not None:
            return known
        try:
            made = gateway_for(lane, providers=self.providers)
        except NoGateway:
            if not self.is_console or lane == "socket":
                raise
            made = gateway_for("console", providers=self.providers)
        self._gateways[lane] = made
        return made


def unknown(message: PushMessage, *, code: str, at: datetime) -> Receipt:
    """Return the receipt of a message of which nobody knows whether the provider took it."""
    return Receipt(message_id=message.message_id, outcome=Outcome.TRY_LATER, provider_code=code, retry_at=at)


def _untried(parcels: Sequence[Parcel], *, outcome: Outcome, code: str, at: datetime) -> list[Answer]:
    return [
        Answer(
            parcel=parcel,
            receipt=Receipt(message_id=parcel.push.message_id, outcome=outcome, provider_code=code),
            at=at,
            was_tried=False,
        )
        for parcel in parcels
    ]
