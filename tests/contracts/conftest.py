"""A local FCM and a local APNs with gateways to them, and a local push service."""

import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from offers.gateways.apns import ApnsGateway
from offers.gateways.fcm import FcmGateway
from providers.testing import RunningFcm, running_fcm
from providers.testing_apns import RunningApns, running_apns
from providers.testing_webpush import RunningWebPush, running_webpush

from .apns import AT_ONCE
from .test_gateways import at
from .webpush_side import key_file

FCM_AT = time.time()


@pytest.fixture(scope="module")
def running_local_fcm() -> Iterator[RunningFcm]:
    with running_fcm() as fcm:
        yield fcm


@pytest.fixture
def fcm(running_local_fcm: RunningFcm) -> RunningFcm:
    running_local_fcm.reset()
    running_local_fcm.oauth(expires_in_s=3599)
    return running_local_fcm


@pytest.fixture(params=["HTTP/1.1", "HTTP/2"])
def transport(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return str(request.param)


@pytest.fixture
async def made_fcm(fcm: RunningFcm, transport: str) -> AsyncIterator[Callable[..., FcmGateway]]:
    """Makes gateways to the local FCM, or to another, over the transport; and closes them."""
    gateways: list[FcmGateway] = []

    def make(at: RunningFcm = fcm, **changes: Any) -> FcmGateway:
        address = {"base_url": at.base_url}
        if transport == "HTTP/2":
            address = {"base_url": at.tls_base_url, "ca_file": at.ca_file}
        # A clock that stands still: no time passes within a call, so that retry_at is exact.
        given = {"credentials_file": at.credentials_file, "timeout_s": 5.0, "clock": lambda: FCM_AT}
        gateways.append(FcmGateway(**{**address, **given, **changes}))
        return gateways[-1]

    yield make
    for gateway in gateways:
        await gateway.aclose()


@pytest.fixture
def fcm_gateway(made_fcm: Callable[..., FcmGateway]) -> FcmGateway:
    return made_fcm()


@pytest.fixture(scope="module")
def running_local_apns() -> Iterator[RunningApns]:
    with running_apns() as apns:
        yield apns


@pytest.fixture
def apns(running_local_apns: RunningApns) -> RunningApns:
    running_local_apns.reset()
    return running_local_apns


@pytest.fixture
async def made(apns: RunningApns) -> AsyncIterator[Callable[..., ApnsGateway]]:
    """Makes gateways, and closes them."""
    gateways: list[ApnsGateway] = []

    def make(**changes: Any) -> ApnsGateway:
        # A clock that stands still: no time passes within a call, so that retry_at is exact.
        gateways.append(
            ApnsGateway(**{"settings": at(apns), "timeout_s": 5.0, "clock": lambda: AT_ONCE, **changes})
        )
        return gateways[-1]

    yield make
    for gateway in gateways:
        await gateway.aclose()


@pytest.fixture
def gateway(made: Callable[..., ApnsGateway]) -> ApnsGateway:
    return made()


@pytest.fixture(scope="module")
def running_local_webpush() -> Iterator[RunningWebPush]:
    with running_webpush() as webpush:
        yield webpush


@pytest.fixture
def webpush(running_local_webpush: RunningWebPush) -> RunningWebPush:
    running_local_webpush.reset()
    return running_local_webpush


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """Return the file of the tests' VAPID key."""
    return key_file(tmp_path)
