"""Which URLs and which addresses the Web Push guard lets through."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.rules.push_endpoints import RefusedEndpoint, checked_endpoint
from offers.gateways.settings import PUSH_SERVICES, WebPushSettings
from offers.gateways.webpush_guard import Guard, GuardRefused, is_public

GUARD = Guard.of(WebPushSettings())
LOCAL = Guard.of(
    WebPushSettings(dev_origins=("http://127.0.0.1:8090", "https://[::1]:8443", "http://LocalHost"))
)

ALLOWED = [
    ("https://fcm.googleapis.com/fcm/send/abc:def", "https://fcm.googleapis.com"),
    ("https://fcm.googleapis.com:443/wp/a-b_c?x=1&y=%2F", "https://fcm.googleapis.com"),
    ("HTTPS://FCM.googleapis.com/x", "https://fcm.googleapis.com"),
    ("https://updates.push.services.mozilla.com/wpush/v2/abc", "https://updates.push.services.mozilla.com"),
    ("https://a.b.push.services.mozilla.com/x", "https://a.b.push.services.mozilla.com"),
    ("https://web.push.apple.com/QGu", "https://web.push.apple.com"),
    ("https://wns2-par02p.notify.windows.com/w/?token=abc", "https://wns2-par02p.notify.windows.com"),
]

REFUSED = [
    ("", "ENDPOINT_MALFORMED"),
    ("fcm.googleapis.com/x", "ENDPOINT_MALFORMED"),
    ("//fcm.googleapis.com/x", "ENDPOINT_MALFORMED"),
    ("https:/fcm.googleapis.com/x", "ENDPOINT_MALFORMED"),
    ("https:///x", "ENDPOINT_MALFORMED"),
    ("https://fcm.googleapis.com", "ENDPOINT_MALFORMED"),
    ("https://fcm.googleapis.com?x=/", "ENDPOINT_MALFORMED"),
    ("file:///etc/passwd", "ENDPOINT_MALFORMED"),
    ("gopher://fcm.googleapis.com/x", "ENDPOINT_MALFORMED"),
    ("javascript:alert(1)", "ENDPOINT_MALFORMED"),
    (" https://fcm.googleapis.com/x", "ENDPOINT_MALFORMED"),
    ("https://fcm.googleapis.com/x\r\nHost: internal", "ENDPOINT_MALFORMED"),
    ("https://fcm.googleapis.com/x\x00", "ENDPOINT_MALFORMED"),
    ("https://fcm.googleapis.com\t/x", "ENDPOINT_MALFORMED"),
    ("https://fcm.googleapis.com\\@127.0.0.1/x", "ENDPOINT_MALFORMED"),
    ("https://fcm.googleapis.com/\u00e9", "ENDPOINT_MALFORMED"),
    ("https://f\u0441m.googleapis.com/x", "ENDPOINT_MALFORMED"),  # a Cyrillic es
    ("https://fcm\u3002googleapis.com/x", "ENDPOINT_MALFORMED"),  # an ideographic full stop
    ("https://fcm.googleapis.com/" + "x" * 2048, "ENDPOINT_MALFORMED"),
    ("https://fcm.googleapis.com:/x", "ENDPOINT_MALFORMED"),
    ("https://fcm.googleapis.com:abc/x", "ENDPOINT_MALFORMED"),
    ("https://fcm.googleapis.com:443:443/x", "ENDPOINT_MALFORMED"),
    ("https://[fcm.googleapis.com]/x", "ENDPOINT_MALFORMED"),
    ("https://fcm.googleapis.com/x#y", "ENDPOINT_WITH_FRAGMENT"),
    ("https://127.0.0.1/#fcm.googleapis.com/", "ENDPOINT_WITH_FRAGMENT"),
    ("https://fcm.googleapis.com@host/x", "ENDPOINT_WITH_USER_INFO"),
    ("https://fcm.googleapis.com:443@127.0.0.1/x", "ENDPOINT_WITH_USER_INFO"),
    ("https://user:pw@fcm.googleapis.com/x", "ENDPOINT_WITH_USER_INFO"),
    ("https://@fcm.googleapis.com/x", "ENDPOINT_WITH_USER_INFO"),
    ("http://fcm.googleapis.com/x", "ENDPOINT_NOT_HTTPS"),
    ("http://fcm.googleapis.com:443/x", "ENDPOINT_NOT_HTTPS"),
    ("https://fcm.googleapis.com:8443/x", "ENDPOINT_PORT_NOT_443"),
    ("https://fcm.googleapis.com:22/x", "ENDPOINT_PORT_NOT_443"),
    ("https://fcm.googleapis.com:0/x", "ENDPOINT_PORT_NOT_443"),
    ("https://fcm.googleapis.com:65979/x", "ENDPOINT_PORT_NOT_443"),  # 443 in 16 bits
    ("https://fcm.googleapis.com./x", "ENDPOINT_HOST_NOT_ALLOWED"),
    ("https://fcm.googleapis.com.attacker.example/x", "ENDPOINT_HOST_NOT_ALLOWED"),
    ("https://fcm.googleapis.com%2eattacker.example/x", "ENDPOINT_HOST_NOT_ALLOWED"),
    ("https://attacker.example/fcm.googleapis.com", "ENDPOINT_HOST_NOT_ALLOWED"),
    ("https://googleapis.com/x", "ENDPOINT_HOST_NOT_ALLOWED"),
    ("https://storage.googleapis.com/x", "ENDPOINT_HOST_NOT_ALLOWED"),
    ("https://evilpush.services.mozilla.com/x", "ENDPOINT_HOST_NOT_ALLOWED"),
    ("https://push.services.mozilla.com/x", "ENDPOINT_HOST_NOT_ALLOWED"),  # `*.` wants a label before it
    ("https://.push.services.mozilla.com/x", "ENDPOINT_HOST_NOT_ALLOWED"),
    ("https://-.push.services.mozilla.com/x", "ENDPOINT_HOST_NOT_ALLOWED"),
    ("https://a..push.services.mozilla.com/x", "ENDPOINT_HOST_NOT_ALLOWED"),
    ("https://a_b.notify.windows.com/x", "ENDPOINT_HOST_NOT_ALLOWED"),
    ("https://" + "a" * 64 + ".notify.windows.com/x", "ENDPOINT_HOST_NOT_ALLOWED"),
    ("https://" + "a." * 120 + "notify.windows.com/x", "ENDPOINT_HOST_NOT_ALLOWED"),
    ("https://xn--fcm-googleapis-com.example/x", "ENDPOINT_HOST_NOT_ALLOWED"),
    ("https://localhost/x", "ENDPOINT_HOST_NOT_ALLOWED"),
    ("https://127.0.0.1/x", "ENDPOINT_HOST_NOT_ALLOWED"),
    ("https://127.1/x", "ENDPOINT_HOST_NOT_ALLOWED"),
    ("https://2130706433/x", "ENDPOINT_HOST_NOT_ALLOWED"),  # 127.0.0.1 as one number
    ("https://0177.0.0.1/x", "ENDPOINT_HOST_NOT_ALLOWED"),
    ("https://0x7f.0.0.1/x", "ENDPOINT_HOST_NOT_ALLOWED"),
    ("https://169.254.169.254/latest/meta-data", "ENDPOINT_HOST_NOT_ALLOWED"),
    ("https://[::1]/x", "ENDPOINT_HOST_NOT_ALLOWED"),
    ("https://[::ffff:127.0.0.1]/x", "ENDPOINT_HOST_NOT_ALLOWED"),
]


@pytest.mark.parametrize(("url", "origin"), ALLOWED)
def test_the_browsers_push_services_may_be_called(url: str, origin: str) -> None:
    endpoint = GUARD.endpoint(url)

    assert (endpoint.origin, endpoint.port, endpoint.is_dev) == (origin, 443, False)
    assert endpoint.url.endswith(url.split("/", 3)[3])


@pytest.mark.parametrize(("url", "code"), REFUSED)
def test_anything_else_is_refused_by_name(url: str, code: str) -> None:
    with pytest.raises(GuardRefused) as caught:
        GUARD.endpoint(url)
    assert caught.value.code == code
    assert str(caught.value) == code  # never the endpoint


@given(st.text(max_size=80) | st.text("htps:/@#?\\.[]0123fcmgoogleapis", max_size=60))
def test_whatever_is_let_through_is_https_to_a_listed_host(text: str) -> None:
    for url in (text, f"https://{text}", f"https://fcm.googleapis.com{text}"):
        try:
            endpoint = checked_endpoint(url, allowed_hosts=PUSH_SERVICES)
        except RefusedEndpoint:
            continue
        assert endpoint.url.startswith("https://fcm.googleapis.com/")


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://127.0.0.1:8090/push/x", "http://127.0.0.1:8090"),
        ("https://[::1]:8443/x", "https://[::1]:8443"),
        ("http://localhost:80/x", "http://localhost"),
    ],
)
def test_a_dev_origin_is_exempt(url: str, origin: str) -> None:
    endpoint = LOCAL.endpoint(url)

    assert (endpoint.origin, endpoint.is_dev) == (origin, True)
    assert LOCAL.is_dev(host=endpoint.host, port=endpoint.port)
    with pytest.raises(GuardRefused):
        GUARD.endpoint(url)
    assert not GUARD.is_dev(host=endpoint.host, port=endpoint.port)


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1:8090/x",
        "http://127.0.0.1:8091/x",
        "http://127.0.0.1/x",
        "http://127.0.0.1:8090@evil.example/x",
        "http://user@127.0.0.1:8090/x",
        "http://127.0.0.1:8090/x#y",
        "http://[::1]:8443/x",
    ],
)
def test_a_dev_origin_exempts_nothing_but_itself(url: str) -> None:
    with pytest.raises(GuardRefused):
        LOCAL.endpoint(url)


PUBLIC = ["142.250.75.234", "1.1.1.1", "17.188.143.34", "2a00:1450:4007:80c::200a", "2606:4700::1111"]
NOT_PUBLIC = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",  # cloud metadata
    "100.64.0.1",  # carrier-grade NAT
    "100.127.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.7",
    "192.88.99.1",  # 6to4 relays
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:142.250.75.234",  # mapped: public inside, refused as a form
    "::142.250.75.234",
    "64:ff9b::7f00:1",  # NAT64
    "64:ff9b::8efa:4bea",
    "64:ff9b:1::a00:1",
    "2002:7f00:1::1",  # 6to4
    "2002:8efa:4bea::1",
    "2001:0:7f00:1::1",  # Teredo
    "2001:db8::1",
    "3fff::1",
    "100::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%eth0",
    "2606:4700::1111%eth0",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "5f00::1",
    "",
    "localhost",
    "2130706433",
    "0177.0.0.1",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_may_be_connected_to(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_no_other_address_may(address: str) -> None:
    assert not is_public(address)


def test_one_address_that_is_not_public_spoils_the_name() -> None:
    assert GUARD.public(["1.1.1.1", "2606:4700::1111", "1.1.1.1"]) == ["1.1.1.1", "2606:4700::1111"]
    for addresses in (["1.1.1.1", "10.0.0.1"], ["10.0.0.1"], []):
        with pytest.raises(GuardRefused, match="ADDRESS_NOT_PUBLIC"):
            GUARD.public(addresses)
