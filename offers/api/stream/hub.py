"""One a process: every open socket, the beat that looks after them, and the offers that come from other processes."""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from django.conf import settings
from django.utils import timezone

from customers.api.problems import DATABASE_IS_AWAY
from offers.api.events.door import in_thread
from offers.api.serializers.wallet import render_coupon
from offers.api.stream.connection import Close
from offers.api.stream.inbox import Inbox
from offers.api.stream.socket import PhoneSocket, Socket
from offers.gateways.socket import OFFERS
from offers.operations import sockets as operations
from offers.queries import sockets as queries

LEASE_BEATS = 3  # a process that misses as many is taken for dead
FLUSH_S = 0.2  # closed sockets are forgotten together
MAX_PER_PHONE = 64

log = logging.getLogger(__name__)

Phone = tuple[int, str]  # customer id, device id


class Hub:
    """Belongs to one event loop."""

    def __init__(self) -> None:
        self._sockets: set[Socket] = set()
        self._phones: dict[Phone, list[PhoneSocket]] = {}  # the newest last
        self._gone: set[Phone] = set()
        self._inbox = Inbox(on_message=self._hear)
        self._server_id: int | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._opening: asyncio.Task[None] | None = None
        self.is_draining = False

    async def add(self, socket: Socket) -> None:
        """Look after a socket from now on. Raises django.db's errors when the database cannot be reached."""
        await self._open()
        self._sockets.add(socket)
        if isinstance(socket, PhoneSocket):
            same = self._phones.setdefault(socket.phone, [])
            same.append(socket)
            self._gone.discard(socket.phone)
            if len(same) > MAX_PER_PHONE:
                same[0].connection.end(Close.TOO_FAST)
            await self._register(socket.phone)
        if self.is_draining:
            socket.connection.end(Close.RESTART)

    def remove(self, socket: Socket) -> None:
        self._sockets.discard(socket)
        if not isinstance(socket, PhoneSocket):
            return
        same = self._phones.get(socket.phone, [])
        if socket in same:
            same.remove(socket)
        if not same and self._phones.pop(socket.phone, None) is not None:
            if not self._gone:
                self._spawn(self._forget_gone())
            self._gone.add(socket.phone)

    async def drain(self) -> None:
        """Close every socket for a restart, after what is in flight was answered; new ones are closed at once."""
        self.is_draining = True
        sockets = list(self._sockets)
        for socket in sockets:
            socket.connection.end(Close.RESTART)
        await asyncio.gather(*(socket.connection.ended() for socket in sockets))

    async def close(self) -> None:
        """Stop looking after sockets, and tell the other processes."""
        await self._inbox.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._server_id is not None:
            server_id, self._server_id = self._server_id, None
            try:
                await in_thread(partial(operations.stop_server, server_id=server_id))
            except DATABASE_IS_AWAY:
                log.warning("the sockets of this process are forgotten when its lease passes")

    # --- opening, and the beat -----------------------------------------------------------------------------

    async def _open(self) -> None:
        if self._opening is None or (self._opening.done() and self._server_id is None):
            self._opening = asyncio.create_task(self._start())
        await asyncio.shield(self._opening)

    async def _start(self) -> None:
        if not self._inbox.channel:
            await self._inbox.open()
        alive_until = timezone.now() + self._lease()
        start = partial(operations.start_server, channel=self._inbox.channel, alive_until=alive_until)
        self._server_id = await in_thread(start)
        self._spawn(self._beat_for_ever())

    async def _beat_for_ever(self) -> None:
        while True:
            await asyncio.sleep(settings.RAYON["socket_beat_s"])
            try:
                await self._beat()
            except DATABASE_IS_AWAY:
                log.warning("the sockets' beat is without a database")
            # A defect must not end the beat: without it no token is looked at again.
            except Exception:
                log.exception("the sockets' beat failed")

    async def _beat(self) -> None:
        self._end_idle()
        phones = [socket for socket in self._sockets if isinstance(socket, PhoneSocket)]
        if phones:
            tokens = {socket.token for socket in phones}
            dead = await in_thread(partial(queries.list_dead_tokens, tokens, now=timezone.now()))
            for phone in phones:
                if phone.token in dead:
                    phone.connection.end(Close.CREDENTIALS)
        for socket in list(self._sockets):
            if not await socket.may_stay():
                socket.connection.end(Close.CREDENTIALS)
        if await self._inbox.beat():
            await self._renew()

    def _end_idle(self) -> None:
        silent_since = asyncio.get_running_loop().time() - settings.RAYON["socket_idle_s"]
        for socket in list(self._sockets):
            if socket.connection.last_heard < silent_since:
                socket.connection.end(Close.IDLE)

    async def _renew(self) -> None:
        now, channel, server_id = timezone.now(), self._inbox.channel, self._server_id
        assert server_id is not None
        lease = now + self._lease()
        renew = partial(
            operations.renew_server, server_id=server_id, channel=channel, alive_until=lease, now=now
        )
        if await in_thread(renew):
            return
        # The others took this process for dead, and its sockets with it.
        self._server_id = await in_thread(
            partial(operations.start_server, channel=channel, alive_until=lease)
        )
        again = partial(operations.open_sockets, list(self._phones), server_id=self._server_id, now=now)
        await in_thread(again)

    async def _register(self, phone: Phone) -> None:
        assert self._server_id is not None
        customer_id, device_id = phone
        write = partial(
            operations.open_socket,
            customer_id=customer_id,
            device_id=device_id,
            server_id=self._server_id,
            now=timezone.now(),
        )
        if not await in_thread(write):
            await self._renew()

    async def _forget_gone(self) -> None:
        await asyncio.sleep(FLUSH_S)
        gone, self._gone = [phone for phone in self._gone if phone not in self._phones], set()
        if self._server_id is None:
            return
        try:
            await in_thread(partial(operations.close_sockets, gone, server_id=self._server_id))
        except DATABASE_IS_AWAY:
            log.warning("closed sockets are forgotten when this process ends")

    def _lease(self) -> timedelta:
        return timedelta(seconds=LEASE_BEATS * settings.RAYON["socket_beat_s"])

    # --- offers from elsewhere -----------------------------------------------------------------------------

    def _hear(self, message: Mapping[str, Any]) -> None:
        if message.get("type") == OFFERS:
            to = [
                (socket, UUID(message_id))
                for customer_id, device_id, message_id in message["to"]
                if (socket := self._newest((customer_id, device_id))) is not None
            ]
            if to:
                self._spawn(self._offer(to))

    def _newest(self, phone: Phone) -> PhoneSocket | None:
        open_ones = [one for one in self._phones.get(phone, ()) if not one.connection.is_ending]
        return open_ones[-1] if open_ones else None

    async def _offer(self, to: Iterable[tuple[PhoneSocket, UUID]]) -> None:
        pairs, now = list(to), timezone.now()
        ids = {message_id for _, message_id in pairs}
        try:
            coupons = await in_thread(partial(queries.list_waiting_coupons, ids, now=now))
        except DATABASE_IS_AWAY:
            log.warning("offers are left to the push: no database")
            return
        for socket, message_id in pairs:
            coupon = coupons.get(message_id)
            if coupon is not None and coupon.customer_id == socket.phone[0]:
                socket.offer(render_coupon(coupon, now=now))

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def hub() -> Hub:
    """Return the running loop's hub: one a process, as a server has one loop."""
    loop = asyncio.get_running_loop()
    found = _hubs.get(loop)
    if found is None:
        found = _hubs[loop] = Hub()
    return found


def hub_if_any() -> Hub | None:
    """Return the running loop's hub if any socket was ever opened in it."""
    return _hubs.get(asyncio.get_running_loop())
