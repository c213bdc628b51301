"""One lane a platform: its gateway, kept for the worker's life, in the one event loop it lives in."""

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
from offers.stages.deliver.look import Parcel

SEND_LIMIT_S = 40.0  # a batch's sends together; well below the lease

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one parcel came to; `was_tried` tells a gateway's word from a lane that has no gateway."""

    parcel: Parcel
    receipt: Receipt
    was_tried: bool = True


@dataclass(slots=True, kw_only=True)
class Lanes:
    """The worker's way to the providers. Gateways are made when first needed, and made again after they failed to be."""

    providers: ProviderSettings
    is_console: bool = False  # without credentials: messages are logged instead of waiting for credentials
    send_limit_s: float = SEND_LIMIT_S
    _runner: asyncio.Runner = field(default_factory=asyncio.Runner)
    _gateways: dict[str, PushGateway] = field(default_factory=dict)

    def send(self, parcels: Sequence[Parcel], *, clock: Callable[[], datetime]) -> list[Answer]:
        """Send every parcel on its platform's lane, all lanes at once; return one answer per parcel, in any order.

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
        for gateway in self._gateways.values():
            self._runner.run(gateway.aclose())
        self._gateways.clear()
        self._runner.close()

    async def _send(self, lanes: dict[str, list[Parcel]], *, clock: Callable[[], datetime]) -> list[Answer]:
        answered = await asyncio.gather(
            *(self._on_lane(platform, parcels, clock=clock) for platform, parcels in lanes.items())
        )
        return [answer for answers in answered for answer in answers]

    async def _on_lane(
        self, platform: str, parcels: list[Parcel], *, clock: Callable[[], datetime]
    ) -> list[Answer]:
        if platform not in GATEWAYS:
            _log.error("no_gateway", platform=platform, messages=len(parcels))
            return _untried(parcels, outcome=Outcome.OUR_FAULT, code="NO_GATEWAY")
        try:
            gateway = self._gateway(platform)
        except (NoGateway, BadCredentialsFile) as error:
            _log.error(
                "lane_without_credentials",
                platform=platform,
                messages=len(parcels),
                variable=getattr(error, "variable", ""),
                error=type(error).__name__,
            )
            return _untried(parcels, outcome=Outcome.LANE_STOPPED, code="NO_CREDENTIALS")
        receipts = await self._receipts(gateway, [parcel.push for parcel in parcels], clock=clock)
        return [Answer(parcel=parcel, receipt=r) for parcel, r in zip(parcels, receipts, strict=True)]

    async def _receipts(
        self, gateway: PushGateway, messages: list[PushMessage], *, clock: Callable[[], datetime]
    ) -> list[Receipt]:
        try:
            async with asyncio.timeout(self.send_limit_s):
                return await gateway.send(messages, now=clock())
        except TimeoutError:
            # Some may have been taken; all are sent again under the same ids.
            _log.error("send_took_too_long", messages=len(messages))
            at = clock()
            return [
                Receipt(
                    message_id=message.message_id,
                    outcome=Outcome.TRY_LATER,
                    provider_code="SEND_LIMIT",
                    retry_at=at,
                )
                for message in messages
            ]

    def _gateway(self, platform: str) -> PushGateway:
        known = self._gateways.get(platform)
        if known is not None:
            return known
        try:
            made = gateway_for(platform, providers=self.providers)
        except NoGateway:
            if not self.is_console or platform == "socket":
                raise
            made = gateway_for("console", providers=self.providers)
        self._gateways[platform] = made
        return made


def _untried(parcels: list[Parcel], *, outcome: Outcome, code: str) -> list[Answer]:
    return [
        Answer(
            parcel=parcel,
            receipt=Receipt(message_id=parcel.push.message_id, outcome=outcome, provider_code=code),
            was_tried=False,
        )
        for parcel in parcels
    ]
