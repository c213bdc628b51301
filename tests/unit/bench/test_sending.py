"""What the load sends and how it reads answers, against a server of a few lines."""

import json
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice

import pytest

from tests.benchmarks.load import closed, scheduled
from tests.benchmarks.messages import Message, frame, request
from tests.benchmarks.phones import Crowd, OneEach, Repeater, Walker
from tests.benchmarks.walks import shopping
from tests.benchmarks.wire import Http, Refused, WebSocket

EVENTS = list(islice(shopping(chance=random.Random(1), stores=5), 3))
AT = 1_795_344_187.25
TIMES = ["2026-11-22T10:43:05.250000Z", "2026-11-22T10:43:06.250000Z", "2026-11-22T10:43:07.250000Z"]
ACCEPTED = b'{"results":[{"status":"accepted"}]}'
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n23\r\n" + ACCEPTED + b"\r\n0\r\n\r\n"
WHOLE = b"HTTP/1.1 200 OK\r\ncontent-length: 35\r\n\r\n" + ACCEPTED


def test_request_has_the_length_it_says_and_a_time_for_each_event() -> None:
    head, _, body = request(path="/v1/events", token="t", events=EVENTS).at(AT).partition(b"\r\n\r\n")
    assert head.split(b"\r\n") == [
        b"POST /v1/events HTTP/1.1",
        b"Host: 127.0.0.1",
        b"Authorization: Bearer t",
        b"Content-Type: application/json",
        b"Content-Length: %d" % len(body),
    ]
    assert json.loads(body) == {
        "events": [{**event, "occurred_at": at} for event, at in zip(EVENTS, TIMES, strict=True)]
    }


def test_frame_is_masked_with_zeros() -> None:
    sent = frame(seq=4, event=EVENTS[0]).at(AT)
    assert sent[:2] == bytes((0x81, 0x80 | 126))
    assert int.from_bytes(sent[2:4], "big") == len(sent) - 8
    assert sent[4:8] == bytes(4)
    assert json.loads(sent[8:]) == {
        "type": "events",
        "seq": 4,
        "events": [{**EVENTS[0], "occurred_at": TIMES[2]}],
    }


@contextmanager
def answering(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """Yield the port of a server that hands each connection to `answer`, in a thread of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            while True:
                try:
                    accepted, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=serve, args=(accepted,), daemon=True).start()

        def serve(accepted: socket.socket) -> None:
            with accepted:
                answer(accepted)

        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def each_request(*pieces: bytes) -> Callable[[socket.socket], None]:
    """Answer each request with these pieces, a moment apart."""

    def answer(accepted: socket.socket) -> None:
        while accepted.recv(65_536):
            for piece in pieces:
                accepted.sendall(piece)
                time.sleep(0.002)

    return answer


def messages(count: int) -> list[Message]:
    return [request(path="/v1/events", token="t", events=EVENTS[:1])] * count


@pytest.mark.parametrize(
    "pieces", [(WHOLE,), (CHUNKED,), (CHUNKED[:30], CHUNKED[30:80], CHUNKED[80:]), (WHOLE[:-1], WHOLE[-1:])]
)
def test_each_answer_is_counted_once_however_it_comes(pieces: tuple[bytes, ...]) -> None:
    crowd = Crowd([Walker(messages(3)) for _ in range(8)], at_once=2)
    with answering(each_request(*pieces)) as port:
        lines = [Http(port), Http(port)]
        load = scheduled(lines, crowd, arrivals_s=[0.001 * number for number in range(12)])
        for line in lines:
            line.close()
    assert (load.answers, load.accepted, len(load.latencies_s)) == (12, 12, 12)
    assert 2 <= crowd.left <= 4  # two to four have walked to their end, and two are on their way


def test_latency_counts_from_the_schedule() -> None:
    def slowly(accepted: socket.socket) -> None:
        while accepted.recv(65_536):
            time.sleep(0.05)
            accepted.sendall(WHOLE)

    with answering(slowly) as port:
        line = Http(port)
        load = scheduled([line], Crowd([Walker(messages(2))], at_once=1), arrivals_s=[0.0, 0.0])
        line.close()
    first, second = load.latencies_s
    assert 0.05 <= first < second
    assert second >= 0.1  # it waited for the line


def test_sockets_answer_pings_and_read_split_frames() -> None:
    texts: list[bytes] = []

    def stream(accepted: socket.socket) -> None:
        texts.append(accepted.recv(65_536))
        accepted.sendall(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
        while sent := accepted.recv(65_536):
            texts.append(sent)
            accepted.sendall(b"\x89\x02hi")
            texts.append(accepted.recv(65_536))
            accepted.sendall(b"\x81\x23" + ACCEPTED[:9])
            time.sleep(0.002)
            accepted.sendall(ACCEPTED[9:])

    with answering(stream) as port:
        line = WebSocket(port, token="secret")
        load = closed([line], OneEach([Repeater([frame(seq=0, event=EVENTS[0])])]), seconds=0.02)
        line.close()
    assert load.answers == load.accepted > 0
    assert b"\r\nAuthorization: Bearer secret\r\n" in texts[0]
    assert b"\r\nSec-WebSocket-Protocol: rayon.v1\r\n" in texts[0]
    assert texts[2] == b"\x8a\x82\x00\x00\x00\x00hi"


@pytest.mark.parametrize("answer", [b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n", b""])
def test_whatever_is_no_answer_ends_the_measurement(answer: bytes) -> None:
    def refuse(accepted: socket.socket) -> None:
        accepted.recv(65_536)
        accepted.sendall(answer)

    with answering(refuse) as port:
        line = Http(port)
        with pytest.raises(Refused):
            closed([line], Crowd([Walker(messages(2))], at_once=1), seconds=1)
        line.close()


def test_phones_that_run_out_are_told() -> None:
    with answering(each_request(WHOLE)) as port:
        line = Http(port)
        with pytest.raises(RuntimeError, match="too few phones"):
            closed([line], Crowd([Walker(messages(2))], at_once=1), seconds=10)
        line.close()
