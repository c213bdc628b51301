"""Which Web Push endpoints may be registered."""

import pytest

from customers.operations.push_addresses import browser_of, is_push_service
from offers.gateways.settings import PUSH_SERVICES


@pytest.mark.parametrize(
    ("endpoint", "browser"),
    [
        ("https://fcm.googleapis.com/fcm/send/abc:def", "CHROME"),
        ("https://fcm.googleapis.com:443/wp/abc", "CHROME"),
        ("https://updates.push.services.mozilla.com/wpush/v2/abc", "FIREFOX"),
        ("https://wns2-par02p.notify.windows.com/w/?token=abc", "EDGE"),
        ("https://web.push.apple.com/abc", "SAFARI"),
    ],
)
def test_the_browsers_services_are_known(endpoint: str, browser: str) -> None:
    assert is_push_service(endpoint, allowed_hosts=PUSH_SERVICES)
    assert browser_of(endpoint) == browser


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "http://fcm.googleapis.com/x",
        "https://fcm.googleapis.com:8443/x",
        "https://fcm.googleapis.com:/x:99999999/",
        "https://fcm.googleapis.com@127.0.0.1/x",
        "https://user:pw@fcm.googleapis.com/x",
        "https://fcm.googleapis.com.attacker.example/x",
        "https://attacker.example/fcm.googleapis.com",
        "https://evilpush.services.mozilla.com.example/",
        "https://notify.windows.com.example/x",
        "https://127.0.0.1/x",
        "https://[::ffff:127.0.0.1]/x",
        "https://169.254.169.254/latest/meta-data",
        "https://fcm.googleapis.com\\@127.0.0.1/x",
        "https://fcm.googleapis.com/x#fragment",
        "https://fcm.googleapis.com/x y",
        "https://fcm.googleapis.com/x\n",
        "https://f\u0441m.googleapis.com/x",
        "https://fcm.googleapis.com",
        "//fcm.googleapis.com/x",
        "file:///etc/passwd",
        "https://fcm.googleapis.com:abc/x",
        "https://fcm.googleapis.com/" + "x" * 2048,
    ],
)
def test_anything_else_is_not_called(endpoint: str) -> None:
    assert not is_push_service(endpoint, allowed_hosts=PUSH_SERVICES)


def test_a_local_service_is_called_only_where_settings_say_so() -> None:
    local = ("http://127.0.0.1:8099",)

    assert not is_push_service("http://127.0.0.1:8099/push/1", allowed_hosts=PUSH_SERVICES)
    assert is_push_service("http://127.0.0.1:8099/push/1", allowed_hosts=PUSH_SERVICES, dev_origins=local)
    assert not is_push_service("http://127.0.0.1:8098/push/1", allowed_hosts=PUSH_SERVICES, dev_origins=local)
