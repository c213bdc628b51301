"""How many streams the local APNs allows, to a client that knows no better."""

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager

import jwt
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import Event, RemoteSettingsChanged, ResponseReceived, StreamReset
from h2.settings import SettingCodes

from providers.testing_apns import RunningApns


@contextmanager
def connection(apns: RunningApns) -> Iterator[tuple[H2Connection, ssl.SSLSocket]]:
    trust = ssl.create_default_context(cafile=str(apns.ca_file))
    trust.set_alpn_protocols(["h2"])
    with (
        socket.create_connection((apns.host, apns.port), timeout=5) as plain,
        trust.wrap_socket(plain, server_hostname=apns.host) as secure,
    ):
        h2 = H2Connection()
        h2.initiate_connection()
        secure.sendall(h2.data_to_send())
        yield h2, secure


def heard(h2: H2Connection, secure: ssl.SSLSocket, *, until: int) -> list[Event]:
    """Return the events up to the nth that ends a stream or is an answer."""
    events: list[Event] = []
    while sum(isinstance(event, ResponseReceived | StreamReset) for event in events) < until:
        events += h2.receive_data(secure.recv(1 << 16))
    return events


def test_one_stream_is_allowed_until_a_good_token_was_seen_and_then_many(apns: RunningApns) -> None:
    token = jwt.encode(
        {"iss": apns.team_id, "iat": int(time.time())},
        apns.key_file.read_text(),
        algorithm="ES256",
        headers={"kid": apns.key_id},
    )
    sent = [
        (":method", "POST"),
        (":scheme", "https"),
        (":authority", apns.host),
        (":path", "/3/device/" + "ab" * 32),
        ("authorization", f"bearer {token}"),
        ("apns-topic", apns.topic),
        ("apns-push-type", "alert"),
    ]
    with connection(apns) as (h2, secure):
        for stream_id in (1, 3):
            h2.send_headers(stream_id, sent)
        h2.send_data(1, b'{"aps":{"alert":"x"}}', end_stream=True)
        secure.sendall(h2.data_to_send())
        events = heard(h2, secure, until=2)

    limits = [
        event.changed_settings[SettingCodes.MAX_CONCURRENT_STREAMS].new_value
        for event in events
        if isinstance(event, RemoteSettingsChanged)
        and SettingCodes.MAX_CONCURRENT_STREAMS in event.changed_settings
    ]
    assert limits == [1, 1000]
    [reset] = [event for event in events if isinstance(event, StreamReset)]
    assert (reset.stream_id, reset.error_code) == (3, ErrorCodes.REFUSED_STREAM)
    [answer] = [event for event in events if isinstance(event, ResponseReceived)]
    assert (answer.stream_id, dict(answer.headers)[b":status"]) == (1, b"200")
