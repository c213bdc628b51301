"""/v1/stream: a phone's socket. The same events, parser and coalescer as POST /v1/events."""

import logging
from collections.abc import Mapping
from functools import partial
from typing import Any

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, WebSocketScope
from django.conf import settings
from django.utils import timezone

from customers.api.credentials import InvalidCredentials
from customers.api.problems import DATABASE_IS_AWAY, Problem, problem_of
from offers.api.events.coalescer import TooBusy
from offers.api.events.deciding import Incoming
from offers.api.events.door import decide, in_thread
from offers.api.stream import frames
from offers.api.stream.connection import Close, Connection, refuse
from offers.api.stream.handshake import SUBPROTOCOL, WrongProtocol, authenticate, check_protocol
from offers.api.stream.hub import hub
from offers.api.stream.socket import PhoneSocket
from offers.operations.sockets import acknowledge

MAX_EVENTS_IN_FLIGHT = 1000  # two full frames: so that one phone cannot fill the queue of all

log = logging.getLogger(__name__)


async def phone_stream(scope: WebSocketScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """Serve one phone until it hangs up, or is closed with one of our codes."""
    await receive()  # websocket.connect
    connection = Connection(receive=receive, send=send)
    try:
        check_protocol(scope)
        credential, token = await in_thread(partial(authenticate, scope, now=timezone.now()))
    except WrongProtocol:
        await refuse(connection, Close.WRONG_PROTOCOL)
    except InvalidCredentials:
        await refuse(connection, Close.CREDENTIALS, subprotocol=SUBPROTOCOL)
    except DATABASE_IS_AWAY:
        await refuse(connection, Close.TRY_LATER, subprotocol=SUBPROTOCOL)
    else:
        await _serve(PhoneSocket(connection, credential=credential, token=token))


async def _serve(socket: PhoneSocket) -> None:
    connection, house = socket.connection, hub()
    try:
        # First the register, then the handshake: whoever sees the socket open gets offers by it.
        try:
            await house.add(socket)
        except DATABASE_IS_AWAY:
            await refuse(connection, Close.TRY_LATER, subprotocol=SUBPROTOCOL)
            return
        await connection.accept(subprotocol=SUBPROTOCOL)
        await connection.serve(partial(_hear, socket))
    except OSError:
        pass  # gone before it was answered
    finally:
        house.remove(socket)


async def _hear(socket: PhoneSocket, message: Mapping[str, Any]) -> None:
    """Act on one frame. Whatever is in it, the socket lives or closes with a code of ours."""
    connection = socket.connection
    try:
        frame = frames.read_frame(message)
    except frames.FrameTooLarge:
        connection.end(Close.TOO_LARGE)
        return
    except Exception as error:
        await connection.say(frames.error_frame(problem_for(error)))
        return
    if isinstance(frame, frames.Ping):
        await connection.say(frames.PONG)
        return
    events = len(frame.raw) if isinstance(frame, frames.Events) else 0
    is_too_much = socket.events_in_flight + events > MAX_EVENTS_IN_FLIGHT
    if connection.in_flight >= settings.RAYON["socket_max_frames"] or is_too_much:
        connection.end(Close.TOO_FAST)
    elif isinstance(frame, frames.Events):
        socket.events_in_flight += events
        connection.start(_answer(socket, frame))
    else:
        connection.start(_acknowledge(socket, frame))


async def _answer(socket: PhoneSocket, frame: frames.Events) -> None:
    try:
        try:
            results = await decide(Incoming(events=frame.raw, credential=socket.credential))
            socket.remember(results)
            text = frames.results_frame(frame.seq, results)
        except Exception as error:
            text = frames.error_frame(frames.with_seq(problem_for(error), frame.seq))
        await socket.connection.say(text)
    finally:
        socket.events_in_flight -= len(frame.raw)


async def _acknowledge(socket: PhoneSocket, frame: frames.Ack) -> None:
    customer_id, device_id = socket.phone
    write = partial(
        acknowledge, customer_id=customer_id, device_id=device_id, codes=frame.codes, now=timezone.now()
    )
    try:
        await in_thread(write)
    except Exception as error:
        await socket.connection.say(frames.error_frame(problem_for(error)))


def problem_for(error: Exception) -> Problem:
    """Return what the phone is told of an exception; what is not understood is logged, and told without a word of it."""
    if isinstance(error, TooBusy):
        return Problem(status=503, detail="Too many events are waiting.")
    problem = problem_of(error)
    if problem is None:
        log.error("unhandled exception in the socket's door", exc_info=error)
        return Problem(status=500)
    return problem
