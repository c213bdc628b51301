"""A local APNs, and gateways to it."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from offers.gateways.apns import ApnsGateway
from providers.testing_apns import RunningApns, running_apns

from .apns import AT_ONCE
from .test_gateways import at


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
