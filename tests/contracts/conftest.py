"""A local APNs with gateways to it, and a local push service."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from offers.gateways.apns import ApnsGateway
from providers.testing_apns import RunningApns, running_apns
from providers.testing_webpush import RunningWebPush, running_webpush

from .apns import AT_ONCE
from .test_gateways import at
from .webpush_side import key_file


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
