"""/v1/stream/store/{ref}: what happens in a store, live, for signed-in staff; whose phones they are is not told."""

from collections.abc import Mapping
from functools import partial
from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from typing import Any

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, WebSocketScope
from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest

from customers.api.fields import is_ref
from customers.api.problems import DATABASE_IS_AWAY
from offers.api.events.door import in_thread
from offers.api.stream import frames
from offers.api.stream.connection import Close, Connection, refuse
from offers.api.stream.feed import feed
from offers.api.stream.handshake import SUBPROTOCOL, headers_of
from offers.api.stream.hub import hub
from offers.api.stream.phone import problem_for
from offers.api.stream.socket import Socket
from offers.queries.places import get_store

MAY_WATCH = "offers.view_decision"


async def staff_stream(scope: WebSocketScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """Serve one member of staff until they hang up, sign out, or lose the permission."""
    await receive()  # websocket.connect
    connection = Connection(receive=receive, send=send)
    subprotocol = SUBPROTOCOL if SUBPROTOCOL in scope.get("subprotocols", ()) else None
    session_key, ref = session_key_of(scope), scope["url_route"]["kwargs"]["ref"]  # type: ignore[typeddict-item]
    try:
        is_staff = await in_thread(partial(may_watch, session_key))
        store_id = await in_thread(partial(_store_id, ref)) if is_staff else None
    except DATABASE_IS_AWAY:
        await refuse(connection, Close.TRY_LATER, subprotocol=subprotocol)
        return
    if not is_staff:
        await refuse(connection, Close.CREDENTIALS, subprotocol=subprotocol)
    elif store_id is None:
        await refuse(connection, Close.UNKNOWN_STORE, subprotocol=subprotocol)
    else:
        await _serve(connection, session_key=session_key, store_id=store_id, subprotocol=subprotocol)


def session_key_of(scope: Mapping[str, Any]) -> str:
    """Return the key of the session that the client's cookie names; empty without one."""
    try:
        cookies = SimpleCookie(headers_of(scope).get("cookie", ""))
    except CookieError:
        return ""
    found = cookies.get(settings.SESSION_COOKIE_NAME)
    return found.value if found is not None else ""


def may_watch(session_key: str) -> bool:
    """Return whether the session is of active staff who may see decisions. Three queries."""
    if not session_key or "\0" in session_key:
        return False
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    user = get_user(request)
    return user.is_active and bool(user.is_staff) and user.has_perm(MAY_WATCH)


def _store_id(ref: str) -> int | None:
    store = get_store(ref=ref) if is_ref(ref) else None
    return store.pk if store is not None else None


class _StaffSocket(Socket):
    def __init__(self, connection: Connection, *, session_key: str) -> None:
        super().__init__(connection)
        self._session_key = session_key

    async def may_stay(self) -> bool:
        return await in_thread(partial(may_watch, self._session_key))


async def _serve(connection: Connection, *, session_key: str, store_id: int, subprotocol: str | None) -> None:
    socket, house, news = _StaffSocket(connection, session_key=session_key), hub(), feed()
    try:
        try:
            await house.add(socket)
        except DATABASE_IS_AWAY:
            await refuse(connection, Close.TRY_LATER, subprotocol=subprotocol)
            return
        news.watch(connection, store_id=store_id)
        await connection.accept(subprotocol=subprotocol)
        await connection.serve(partial(_hear, connection))
    except OSError:
        pass  # gone before it was answered
    finally:
        news.leave(connection, store_id=store_id)
        house.remove(socket)


async def _hear(connection: Connection, message: Mapping[str, Any]) -> None:
    try:
        frame = frames.read_frame(message)
        if not isinstance(frame, frames.Ping):
            raise frames.invalid_problem(
                field="type", code="invalid_choice", message="Only ping is understood here."
            )
    except frames.FrameTooLarge:
        connection.end(Close.TOO_LARGE)
    except Exception as error:
        await connection.say(frames.error_frame(problem_for(error)))
    else:
        await connection.say(frames.PONG)
