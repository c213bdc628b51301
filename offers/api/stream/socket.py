"""What the hub looks after: a connection, whose it is, and whether it may stay open."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any

from customers.api.credentials import CustomerCredential
from offers.api.stream.connection import Connection
from offers.api.stream.frames import offer_frame

MAX_REMEMBERED = 256  # coupons; a customer gets a few a day


class Socket:
    """An open socket. `may_stay` is asked at every beat."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    async def may_stay(self) -> bool:
        return True


class PhoneSocket(Socket):
    """A phone's socket; it tells every coupon once, in results or in an offer."""

    def __init__(self, connection: Connection, *, credential: CustomerCredential, token: bytes) -> None:
        super().__init__(connection)
        self.credential = credential
        self.token = token  # its digest
        self.phone = (credential.customer_id, credential.device_id)
        self.events_in_flight = 0
        self._told: OrderedDict[str, None] = OrderedDict()  # codes

    def offer(self, coupon: Mapping[str, Any]) -> None:
        """Offer a coupon decided elsewhere, unless the results of this socket's own events hold it."""
        self.connection.start(self._offer(coupon))

    def remember(self, results: Iterable[Mapping[str, Any]]) -> None:
        """Note the coupons in results that are about to be sent."""
        for result in results:
            for decision in result["decisions"]:
                if decision["coupon"] is not None:
                    self._note(decision["coupon"]["code"])

    async def _offer(self, coupon: Mapping[str, Any]) -> None:
        # Its event may be one of this socket's own, decided and not yet answered.
        await self.connection.quiet()
        if coupon["code"] not in self._told:
            self._note(coupon["code"])
            await self.connection.say(offer_frame(coupon))

    def _note(self, code: str) -> None:
        self._told[code] = None
        while len(self._told) > MAX_REMEMBERED:
            self._told.popitem(last=False)
